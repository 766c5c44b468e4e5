import type { Clock } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint, Network } from '../net/network.js';
import { FrameReader, Flag, Rcode, decodeMessage, frame, lowerName, rcodeName, type Message } from '../wire/index.js';
import type { QueryPacket } from './packet.js';
import type { QueryProtocol, QueryStory } from './story.js';

/** What a resolver needs of the world. */
export interface ResolverEnv {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/** A reply that belongs to a query of the socket it came in at. */
export interface Received {
  readonly packet: QueryPacket;
  readonly server: Endpoint;
  readonly message: Message;
  readonly size: Octets;
  /** Since the query was sent. */
  readonly took: Milliseconds;
}

interface OpenQuery extends QueryStory {
  readonly packet: QueryPacket;
  ended: Milliseconds;
  result: string;
  reply: Message | undefined;
  size: Octets;
  settled: boolean;
  /** When the same was sent once more to the same server: the wait for this one was over. */
  repeated?: Milliseconds;
}

interface Inbound {
  readonly bytes: Buffer;
  readonly peer: Endpoint | undefined;
}

/** The sockets of one lookup and what went through them. */
export class Conversation {
  private readonly open: OpenQuery[] = [];
  private sockets = 0;

  constructor(readonly env: ResolverEnv) {}

  get now(): Milliseconds {
    return this.env.clock.monotonic();
  }

  /**
   * The queries so far, in order of sending. What was not answered counts as given up when it was sent once more, when
   * its socket was closed, or now.
   */
  get queries(): readonly QueryStory[] {
    return this.open.map(({ packet: _packet, settled, repeated, ...story }) =>
      settled ? story : { ...story, ended: repeated ?? this.now },
    );
  }

  /** Opens a UDP socket connected to the server. Gives the error where that fails. */
  async connectUdp(server: Endpoint): Promise<QuerySocket | Error> {
    const line = new QuerySocket(this, 'udp', this.sockets++, true);
    return line.attach(async () => {
      const socket = await this.env.network.connectUdp(
        server,
        (bytes) => line.deliver({ bytes, peer: server }),
        (error) => line.deliver(error),
      );
      return { local: socket.local, send: (bytes) => socket.send(bytes), close: () => socket.close() };
    });
  }

  /** Opens a UDP socket that is bound to a free port and not connected. */
  async bindUdp(family: 4 | 6): Promise<QuerySocket | Error> {
    const line = new QuerySocket(this, 'udp', this.sockets++, false);
    return line.attach(async () => {
      const socket = await this.env.network.bindUdp(
        { address: family === 6 ? '::' : '0.0.0.0', port: 0 },
        (bytes, peer) => line.deliver({ bytes, peer }),
      );
      return {
        local: socket.local,
        send: (bytes, to) => socket.send(bytes, bytes.length, to),
        close: () => socket.close(),
      };
    });
  }

  /** Opens a TCP connection, within `timeout`. */
  async connectTcp(server: Endpoint, timeout: Milliseconds): Promise<QuerySocket | Error> {
    const line = new QuerySocket(this, 'tcp', this.sockets++, true);
    const late = new AbortController();
    const timer = this.env.clock.setTimeout(
      () => late.abort(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
      timeout,
    );
    const opened = await line.attach(async () => {
      const { stream, local } = await this.env.network.connectTcp(server, late.signal);
      const frames = new FrameReader();
      stream.on('data', (chunk: Buffer) => {
        frames.push(chunk);
        for (let next = frames.next(); next !== undefined; next = frames.next())
          line.deliver({ bytes: Buffer.from(next), peer: server });
      });
      stream.on('error', (error) => line.deliver(error));
      stream.on('close', () => line.deliver(Object.assign(new Error('end of file'), { code: 'EOF' })));
      stream.on('end', () => line.deliver(Object.assign(new Error('end of file'), { code: 'EOF' })));
      return { local, send: (bytes) => void stream.write(frame(bytes)), close: () => void stream.destroy() };
    });
    timer.cancel();
    return opened;
  }

  /** Records a query that could not even be sent. */
  unsent(packet: QueryPacket, server: Endpoint, protocol: QueryProtocol, error: Error): void {
    this.record({ packet, server, protocol, socket: this.sockets - 1, local: undefined, connected: true }).result =
      reasonOf(error);
    this.open.at(-1)!.settled = true;
  }

  record(sent: Pick<OpenQuery, 'packet' | 'server' | 'protocol' | 'socket' | 'local' | 'connected'>): OpenQuery {
    const { packet } = sent;
    const entry: OpenQuery = {
      ...sent,
      name: packet.name,
      type: packet.type,
      id: packet.id,
      started: this.now,
      ended: this.now,
      result: 'timeout',
      reply: undefined,
      size: 0,
      settled: false,
    };
    this.open.push(entry);
    return entry;
  }
}

interface Wire {
  readonly local: Endpoint;
  send(bytes: Buffer, to: Endpoint): void;
  close(): void;
}

/** An open socket. Replies wait in it until they are asked for. */
export class QuerySocket {
  private wire: Wire | undefined;
  private readonly asked: OpenQuery[] = [];
  private readonly inbox: (Inbound | Error)[] = [];
  private wake: (() => void) | undefined;
  private closed = false;

  constructor(
    private readonly conversation: Conversation,
    readonly protocol: QueryProtocol,
    private readonly number: number,
    private readonly connected: boolean,
  ) {}

  async attach(open: () => Promise<Wire>): Promise<QuerySocket | Error> {
    try {
      this.wire = await open();
      return this;
    } catch (error) {
      return error as Error;
    }
  }

  get local(): Endpoint | undefined {
    return this.wire?.local;
  }

  deliver(item: Inbound | Error): void {
    if (this.closed) return;
    this.inbox.push(item);
    this.wake?.();
  }

  send(packet: QueryPacket, server: Endpoint): void {
    for (const open of this.asked)
      if (open.packet === packet && open.server.address === server.address) open.repeated ??= this.conversation.now;
    this.asked.push(
      this.conversation.record({
        packet,
        server,
        protocol: this.protocol,
        socket: this.number,
        local: this.local,
        connected: this.connected,
      }),
    );
    this.wire?.send(packet.bytes, server);
  }

  /**
   * The next reply to a query of this socket; an error of the socket; undefined when `deadline` (monotonic time)
   * passes first. Anything else that comes in is ignored.
   */
  async receive(deadline: Milliseconds): Promise<Received | Error | undefined> {
    for (;;) {
      const item = this.inbox.shift();
      if (item instanceof Error) {
        for (const open of this.asked) if (!open.settled) this.settle(open, reasonOf(item));
        return item;
      }
      if (item !== undefined) {
        const received = this.match(item);
        if (received !== undefined) return received;
        continue;
      }
      if (!(await this.arrival(deadline))) return undefined;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const open of this.asked) if (!open.settled) this.settle(open, 'timeout', open.repeated);
    this.wire?.close();
  }

  private arrival(deadline: Milliseconds): Promise<boolean> {
    const left = Math.max(0, deadline - this.conversation.now);
    return new Promise((resolve) => {
      const timer = this.conversation.env.clock.setTimeout(() => resolve(false), left);
      this.wake = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }

  private match({ bytes, peer }: Inbound): Received | undefined {
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch {
      return undefined; // No resolver takes what it cannot read; the query goes on waiting.
    }
    if ((message.flags & Flag.QR) === 0) return undefined;
    const open = this.asked.findLast(
      ({ packet, server, settled }) =>
        !settled &&
        packet.id === message.id &&
        (peer === undefined || (peer.address === server.address && peer.port === server.port)) &&
        sameQuestion(packet, message),
    );
    if (open === undefined) return undefined;
    open.reply = message;
    open.size = bytes.length;
    this.settle(open, resultOf(message));
    return { packet: open.packet, server: open.server, message, size: bytes.length, took: open.ended - open.started };
  }

  private settle(open: OpenQuery, result: string, ended = this.conversation.now): void {
    open.settled = true;
    open.ended = ended;
    open.result = result;
  }
}

function sameQuestion(packet: QueryPacket, { question, rcode }: Message): boolean {
  const [first] = question;
  // Servers may leave the question out of an error (RFC 6895 gives them no rule); resolvers look at the id then.
  if (first === undefined) return rcode !== Rcode.NOERROR;
  return first.type === packet.type && first.class === packet.class && lowerName(first.name) === lowerName(packet.name);
}

function resultOf({ flags, rcode, answer }: Message): string {
  if (flags & Flag.TC) return 'truncated';
  return rcode === Rcode.NOERROR && answer.length === 0 ? 'NODATA' : rcodeName(rcode);
}

const REASONS = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENETUNREACH', 'network unreachable'],
  ['EHOSTUNREACH', 'host unreachable'],
  ['ECONNRESET', 'connection reset'],
  ['ETIMEDOUT', 'timed out'],
  ['EOF', 'end of file'],
]);

/** A socket's error in the words of BIND's tools. */
export const reasonOf = (error: Error): string =>
  REASONS.get((error as NodeJS.ErrnoException).code ?? '') ?? error.message;
