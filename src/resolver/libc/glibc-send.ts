import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { Flag, Rcode, type Message } from '../../wire/index.js';
import type { Conversation, QuerySocket } from '../conversation.js';
import type { QueryPacket } from '../packet.js';
import type { ResolverSettings } from '../conf/settings.js';

/** What all servers together made of one name's queries. */
export interface Sent {
  /** Replies in order of arrival, those that made glibc ask the next server left out; none when every server failed. */
  readonly answers: readonly Message[];
  /** The rcode of the last reply that was left out. */
  readonly rcode: number | undefined;
  /** False when every server's host refused the datagrams or could not be reached. */
  readonly reached: boolean;
}

interface Progress {
  rcode: number | undefined;
  reached: boolean;
}

/**
 * One server's turn: replies that count, on to the next server, the same again over TCP, or only one of two replies
 * in time.
 */
type Turn = readonly Message[] | 'next' | 'truncated' | 'half';

const refuses = (rcode: number): boolean =>
  rcode === Rcode.SERVFAIL || rcode === Rcode.NOTIMP || rcode === Rcode.REFUSED;

/**
 * res_send of glibc 2.36: brings the one or two queries for a name to the servers of resolv.conf. It remembers from
 * name to name that pairs got lost.
 */
export class GlibcSender {
  private single: boolean;
  private reopen: boolean;
  private offset: number;

  constructor(
    private readonly conversation: Conversation,
    private readonly settings: ResolverSettings,
  ) {
    this.single = settings.singleRequest;
    this.reopen = settings.singleRequestReopen;
    this.offset = settings.rotate ? conversation.env.random.uint32() % settings.servers.length : 0;
  }

  /** Asks server after server, `attempts` times round; with `rotate` each name starts at another one. */
  async send(packets: readonly QueryPacket[]): Promise<Sent> {
    const { servers, attempts, useVc } = this.settings;
    const sockets = new Map<number, QuerySocket>();
    const start = this.offset;
    if (this.settings.rotate) this.offset = (this.offset + 1) % servers.length;
    const progress: Progress = { rcode: undefined, reached: false };
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        for (let i = 0; i < servers.length; i++) {
          const index = (start + i) % servers.length;
          const server = { address: servers[index]!, port: 53 };
          let turn: Turn = useVc ? 'truncated' : await this.datagrams(packets, server, index, sockets, progress);
          if (turn === 'truncated') turn = await this.stream(packets, server, progress);
          if (typeof turn !== 'string') return { answers: turn, ...progress };
        }
      }
      return { answers: [], ...progress };
    } finally {
      closeAll(sockets);
    }
  }

  /** How long the server at place `index` is waited for: twice as long for each place, shared among all. */
  private patience(index: number): Milliseconds {
    const seconds = this.settings.timeout * 2 ** index;
    return Math.max(1, index > 0 ? Math.floor(seconds / this.settings.servers.length) : seconds) * 1000;
  }

  /** One server over UDP. Its socket stays in `sockets` for the next round, so that a late reply is still heard. */
  private async datagrams(
    packets: readonly QueryPacket[],
    server: Endpoint,
    index: number,
    sockets: Map<number, QuerySocket>,
    progress: Progress,
  ): Promise<Turn> {
    for (;;) {
      const line = sockets.get(index) ?? (await this.conversation.connectUdp(server));
      if (line instanceof Error) {
        this.conversation.unsent(packets[0]!, server, 'udp', line);
        return 'next';
      }
      sockets.set(index, line);
      const burst = new Burst(
        this.conversation,
        packets,
        server,
        this.patience(index),
        (this.single || this.reopen) && packets.length > 1,
        this.reopen,
      );
      const turn = await burst.run(line, (other) => sockets.set(index, other), progress);
      if (turn === 'truncated' || burst.socketLost) closeAll(sockets);
      if (turn !== 'half') return turn;
      // Perhaps something on the way drops the second of two queries from one port: ask one after the other from now
      // on, and then from two ports.
      if (!this.single && !this.reopen) this.single = true;
      else if (!this.reopen) {
        this.reopen = true;
        closeAll(sockets);
      } else return burst.answers.length > 0 ? burst.answers : 'next';
    }
  }

  private async stream(packets: readonly QueryPacket[], server: Endpoint, progress: Progress): Promise<Turn> {
    const patience = this.patience(0);
    const line = await this.conversation.connectTcp(server, patience);
    if (line instanceof Error) {
      this.conversation.unsent(packets[0]!, server, 'tcp', line);
      return 'next';
    }
    try {
      for (const packet of packets) line.send(packet, server);
      const answers: Message[] = [];
      for (let left = packets.length; left > 0; left--) {
        const received = await line.receive(this.conversation.now + patience);
        if (received === undefined || received instanceof Error) return 'next';
        progress.reached = true;
        // Over TCP every reply counts, failures too.
        answers.push(received.message);
      }
      return answers;
    } finally {
      line.close();
    }
  }
}

/** One try at one server: the queries at once, or one after the other. */
class Burst {
  readonly answers: Message[] = [];
  /** Set when glibc gives up its sockets at the end of this try. */
  socketLost = false;
  private readonly waiting: QueryPacket[];
  private readonly unsent: QueryPacket[];
  private failed = 0;

  constructor(
    private readonly conversation: Conversation,
    private readonly packets: readonly QueryPacket[],
    private readonly server: Endpoint,
    private readonly patience: Milliseconds,
    serial: boolean,
    private readonly reopen: boolean,
  ) {
    this.waiting = serial ? packets.slice(0, 1) : [...packets];
    this.unsent = serial ? packets.slice(1) : [];
  }

  async run(first: QuerySocket, replace: (line: QuerySocket) => void, progress: Progress): Promise<Turn> {
    let line = first;
    for (const packet of this.waiting) line.send(packet, this.server);
    let deadline = this.conversation.now + this.patience;
    for (;;) {
      const received = await line.receive(deadline);
      if (received instanceof Error) {
        this.socketLost = true;
        return 'next';
      }
      progress.reached = true;
      if (received === undefined)
        return this.packets.length > 1 && this.answers.length + this.failed > 0 ? 'half' : 'next';
      const turn = this.take(received.message, received.packet, progress);
      if (turn !== undefined) return turn;
      if (this.waiting.length > 0) continue;
      const next = this.unsent.shift()!;
      if (this.reopen) {
        line.close();
        const other = await this.conversation.connectUdp(this.server);
        if (other instanceof Error) {
          this.conversation.unsent(next, this.server, 'udp', other);
          return 'next';
        }
        line = other;
        replace(line);
      }
      line.send(next, this.server);
      this.waiting.push(next);
      deadline = this.conversation.now + this.patience;
    }
  }

  /** Files a reply; undefined when another one is to come. */
  private take(message: Message, packet: QueryPacket, progress: Progress): Turn | undefined {
    if (message.flags & Flag.TC) return 'truncated';
    if (refuses(message.rcode)) {
      progress.rcode = message.rcode;
      this.failed++;
      if (this.answers.length > 0) return this.answers;
      if (this.unsent.length > 0) return this.giveUp();
    } else this.answers.push(message);
    this.waiting.splice(this.waiting.indexOf(packet), 1);
    if (this.waiting.length > 0 || this.unsent.length > 0) return undefined;
    if (this.answers.length > 0) return this.answers;
    // A single query that failed gives its socket up, a pair keeps it for the next round.
    return this.packets.length === 1 ? this.giveUp() : 'next';
  }

  private giveUp(): Turn {
    this.socketLost = true;
    return 'next';
  }
}

function closeAll(sockets: Map<number, QuerySocket>): void {
  for (const line of sockets.values()) line.close();
  sockets.clear();
}
