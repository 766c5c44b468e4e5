import type { Milliseconds } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { Flag, Rcode, Type, type Message, type Name } from '../wire/index.js';
import { addressesIn, bare, endOfAliases, sortAddresses } from './addresses.js';
import { Line, type Conversation } from './conversation.js';
import { countDots, joined, makePacket, type Packet } from './packet.js';
import type { Settings } from './settings.js';
import type { LookupError } from './story.js';

/** What a profile finds: addresses and their name, or an error. */
export interface Finding {
  readonly addresses: readonly string[];
  readonly canonical: string | undefined;
  readonly error: LookupError | undefined;
  /** The whole name that was asked for when the answer came, before aliases. */
  readonly queried?: string;
}

type HostError = 'HOST_NOT_FOUND' | 'TRY_AGAIN' | 'NO_RECOVERY' | 'NO_DATA';

/** One step of a search: an answer by type, or why not. */
type Step = { readonly answers: readonly Message[]; readonly name: Name } | { readonly error: HostError; readonly servfail: boolean; readonly refusedByAll: boolean };

/** Largest payload glibc names in its OPT record. */
const EDNS_SIZE = 1200;

/**
 * The stub resolver of glibc 2.36 (resolv.conf(5)): A and AAAA in one burst from one connected socket for each step of the search, servers in order,
 * NXDOMAIN and NODATA go on to the next domain, SERVFAIL does after all servers failed, silence and REFUSED end the search list.
 */
export class Glibc {
  private single: boolean;
  private reopen: boolean;
  private offset: number;

  constructor(private readonly conversation: Conversation, private readonly settings: Settings) {
    this.single = settings.singleRequest;
    this.reopen = settings.singleRequestReopen;
    this.offset = settings.rotate ? conversation.env.random.uint32() % settings.servers.length : 0;
  }

  /** getaddrinfo for the given types; with one type also gethostbyname2 (`getent hosts`). */
  async lookup(name: string, types: readonly number[]): Promise<Finding> {
    const wanted = this.settings.noAaaa ? types.filter((type) => type !== Type.AAAA) : types;
    const step = await this.search(name, wanted);
    if ('error' in step) return { addresses: [], canonical: undefined, error: gaiError(step.error) };
    const found = wanted.flatMap((type) => step.answers.flatMap((message) => addressesIn(message, type)));
    if (found.length === 0) return { addresses: [], canonical: undefined, error: gaiError('NO_DATA') };
    const canonical = step.answers.map((message) => endOfAliases(step.name, message)).find((end) => end !== step.name) ?? step.name;
    return { addresses: types.length > 1 ? sortAddresses(found, this.conversation.env.network) : found, canonical: bare(canonical), error: undefined, queried: bare(step.name) };
  }

  /** The search of res_search: gives the first step with an answer, or the error that counts. */
  async search(name: string, types: readonly number[]): Promise<Step> {
    const { settings } = this;
    const dots = countDots(name);
    const rooted = name.endsWith('.');
    let asIs: HostError | undefined;
    if (dots >= settings.ndots || rooted) {
      const step = await this.ask(name, undefined, types);
      if ('answers' in step || rooted) return step;
      asIs = step.error;
    }
    let noData = false;
    let servfail = false;
    let last: Step | undefined;
    let root = false;
    for (const domain of rooted ? [] : settings.search) {
      root ||= domain === '.';
      const step = await this.ask(name, domain, types);
      if ('answers' in step || step.refusedByAll) return step;
      last = step;
      noData ||= step.error === 'NO_DATA';
      servfail ||= step.servfail;
      const goOn = step.error === 'NO_DATA' || step.error === 'HOST_NOT_FOUND' || step.servfail;
      if (!goOn) break;
    }
    if (asIs === undefined && !root && (dots > 0 || last === undefined || !settings.noTldQuery)) {
      last = await this.ask(name, undefined, types);
      if ('answers' in last) return last;
    }
    const lastError = last !== undefined && 'error' in last ? last.error : 'HOST_NOT_FOUND';
    return { error: asIs ?? (noData ? 'NO_DATA' : servfail ? 'TRY_AGAIN' : lastError), servfail, refusedByAll: false };
  }

  private async ask(name: string, domain: string | undefined, types: readonly number[]): Promise<Step> {
    const whole = joined(name, domain);
    // A name that cannot be written is never sent; the search goes on.
    if (whole === undefined) return { error: 'NO_RECOVERY', servfail: false, refusedByAll: false };
    const { settings, conversation } = this;
    const edns = settings.edns0 ? { udpSize: EDNS_SIZE, version: 0, do: false, options: [] } : undefined;
    const flags = Flag.RD | (settings.trustAd ? Flag.AD : 0);
    const packets = types.map((type) => makePacket(conversation.env.random, whole, type, { flags, edns }));
    const sent = await this.transact(packets);
    if (sent.answers.length === 0) return { error: 'TRY_AGAIN', servfail: sent.rcode === Rcode.SERVFAIL, refusedByAll: !sent.reached };
    if (sent.answers.some(({ rcode, answer }) => rcode === Rcode.NOERROR && answer.length > 0)) return { answers: sent.answers.map((message) => this.stripped(message)), name: whole };
    const [{ rcode }] = sent.answers as [Message];
    return { error: hostError(rcode), servfail: rcode === Rcode.SERVFAIL, refusedByAll: false };
  }

  /** AD says something only where the servers are trusted (resolv.conf(5), trust-ad). */
  private stripped(message: Message): Message {
    return this.settings.trustAd ? message : { ...message, flags: message.flags & ~Flag.AD };
  }

  /** Asks server after server, `attempts` times round. */
  private async transact(packets: readonly Packet[]): Promise<{ answers: Message[]; rcode: number | undefined; reached: boolean }> {
    const { servers, attempts, useVc } = this.settings;
    const sockets = new Map<number, Line>();
    const start = this.offset;
    if (this.settings.rotate) this.offset = (this.offset + 1) % servers.length;
    const state: { rcode: number | undefined; reached: boolean } = { rcode: undefined, reached: false };
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        for (let i = 0; i < servers.length; i++) {
          const index = (start + i) % servers.length;
          const server = { address: servers[index]!, port: 53 };
          let result: Message[] | 'next' | 'truncated' = useVc ? 'truncated' : await this.datagrams(packets, server, index, sockets, state);
          if (result === 'truncated') result = await this.stream(packets, server, state);
          if (result !== 'next') return { answers: result, ...state };
        }
      }
      return { answers: [], ...state };
    } finally {
      closeAll(sockets);
    }
  }

  /** Seconds for the server at place `index`: twice as long for each place, shared among all. */
  private patience(index: number): Milliseconds {
    const seconds = this.settings.timeout * 2 ** index;
    return Math.max(1, index > 0 ? Math.floor(seconds / this.settings.servers.length) : seconds) * 1000;
  }

  private async datagrams(packets: readonly Packet[], server: Endpoint, index: number, sockets: Map<number, Line>, state: { rcode: number | undefined; reached: boolean }): Promise<Message[] | 'next' | 'truncated'> {
    for (;;) {
      let line = sockets.get(index) ?? (await this.conversation.connectUdp(server));
      if (line instanceof Error) {
        this.conversation.unsent(packets[0]!, server, 'udp', line);
        return 'next';
      }
      sockets.set(index, line);
      const serial = (this.single || this.reopen) && packets.length > 1;
      const waiting = serial ? packets.slice(0, 1) : [...packets];
      const unsent = serial ? packets.slice(1) : [];
      for (const packet of waiting) line.send(packet, server);
      const answers: Message[] = [];
      let failed = 0;
      let deadline = this.conversation.now + this.patience(index);
      for (;;) {
        const received = await line.receive(deadline);
        if (received instanceof Error) {
          closeAll(sockets);
          return 'next';
        }
        if (received === undefined) break;
        state.reached = true;
        const { message, packet } = received;
        if (message.flags & Flag.TC) {
          closeAll(sockets);
          return 'truncated';
        }
        if (message.rcode === Rcode.SERVFAIL || message.rcode === Rcode.NOTIMP || message.rcode === Rcode.REFUSED) {
          state.rcode = message.rcode;
          failed++;
          if (answers.length > 0) return answers;
          if (unsent.length > 0) {
            closeAll(sockets);
            return 'next';
          }
        } else answers.push(message);
        waiting.splice(waiting.indexOf(packet), 1);
        const next = waiting.length === 0 ? unsent.shift() : undefined;
        if (next !== undefined) {
          if (this.reopen) {
            line.close();
            line = await this.conversation.connectUdp(server);
            if (line instanceof Error) {
              this.conversation.unsent(next, server, 'udp', line);
              return 'next';
            }
            sockets.set(index, line);
          }
          line.send(next, server);
          waiting.push(next);
          deadline = this.conversation.now + this.patience(index);
        }
        if (waiting.length > 0) continue;
        if (answers.length > 0) return answers;
        // A single query that failed gives its socket up, a pair keeps it for the next round.
        if (packets.length === 1) closeAll(sockets);
        return 'next';
      }
      state.reached = true;
      if (answers.length + failed === 0 || packets.length === 1) return 'next';
      // Half an answer: perhaps something on the way drops the second of two queries from one port, so ask one after the other, then from two ports.
      if (!this.single && !this.reopen) this.single = true;
      else if (!this.reopen) {
        this.reopen = true;
        closeAll(sockets);
      } else return answers.length > 0 ? answers : 'next';
    }
  }

  private async stream(packets: readonly Packet[], server: Endpoint, state: { rcode: number | undefined; reached: boolean }): Promise<Message[] | 'next'> {
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
        state.reached = true;
        // Over TCP every answer counts, failures too.
        answers.push(received.message);
      }
      return answers;
    } finally {
      line.close();
    }
  }
}

function closeAll(sockets: Map<number, Line>): void {
  for (const line of sockets.values()) line.close();
  sockets.clear();
}

function hostError(rcode: number): HostError {
  switch (rcode) {
    case Rcode.NXDOMAIN: return 'HOST_NOT_FOUND';
    case Rcode.SERVFAIL: return 'TRY_AGAIN';
    case Rcode.NOERROR: return 'NO_DATA';
    default: return 'NO_RECOVERY';
  }
}

/** getaddrinfo's error for what the resolver says, with the words of gai_strerror(3). */
function gaiError(error: HostError): LookupError {
  switch (error) {
    case 'NO_DATA': return { code: 'EAI_NODATA', text: 'No address associated with hostname' };
    case 'TRY_AGAIN': return { code: 'EAI_AGAIN', text: 'Temporary failure in name resolution' };
    default: return { code: 'EAI_NONAME', text: 'Name or service not known' };
  }
}
