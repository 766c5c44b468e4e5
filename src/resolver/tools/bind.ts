import type { Milliseconds, Octets, Seconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { Flag, Rcode, type Edns, type Message, type Name } from '../../wire/index.js';
import { reasonOf, type Conversation } from '../conversation.js';
import { countDots, joined, makePacket, type QueryPacket } from '../packet.js';
import type { QueryProtocol } from '../story.js';

/** A server to ask. `label` is what the user called it: its name, or its address. */
export interface BindServer extends Endpoint {
  readonly label: string;
}

/** What BIND's tools have in common (`dighost`): how one lookup is asked. */
export interface BindOptions {
  readonly servers: readonly BindServer[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Whether the search list is used at all. */
  readonly useSearch: boolean;
  /** Missed names of a search are reported too. */
  readonly showSearch: boolean;
  readonly timeout: Seconds;
  /** Sends to the first server that does not answer; later servers get one each. */
  readonly tries: number;
  readonly tcp: boolean;
  readonly ignoreTruncation: boolean;
  /** Flags of the query. */
  readonly flags: number;
  readonly edns: Edns | undefined;
  readonly class: number;
  /** SERVFAIL is an answer like others (dig), not a reason to ask the next server (nslookup, host). */
  readonly servfailStops: boolean;
  /** A reply without RA is a reason to ask the next server (nslookup, host). */
  readonly checkRa: boolean;
}

/** Something a tool prints about, in order of happening. */
export type BindEvent =
  /** A comment on what goes on, without the leading `;; `. */
  | { readonly kind: 'comment'; readonly text: string }
  /** A failure to talk to a server, without the leading `;; `. */
  | { readonly kind: 'trouble'; readonly text: string }
  | { readonly kind: 'trying'; readonly name: Name }
  | { readonly kind: 'sending'; readonly packet: QueryPacket; readonly protocol: QueryProtocol }
  | BindReply
  /** The lookup failed: no server answered. */
  | { readonly kind: 'unreached'; readonly setup: boolean };

export interface BindReply {
  readonly kind: 'reply';
  readonly message: Message;
  readonly packet: QueryPacket;
  /** The name as it was given, or as a follow-up lookup took it over. */
  readonly text: string;
  readonly server: BindServer;
  readonly protocol: QueryProtocol;
  readonly size: Octets;
  readonly took: Milliseconds;
  /**
   * How often dig prints the statistics of this reply: none for a failure under a search domain, twice when a search
   * that started as-is ends in NXDOMAIN.
   */
  readonly receipts: number;
}

/** A lookup that may be followed by others: what it passes on. */
export interface BindResult {
  readonly reply: BindReply | undefined;
  /** Once a reply was truncated, the rest goes over TCP. */
  readonly tcp: boolean;
}

/**
 * Asks for one name and type in the manner of BIND 9.18's dig, host and nslookup. A new socket for every query; the
 * search goes on after NXDOMAIN only.
 */
export class BindLookup {
  private tcp: boolean;

  constructor(
    private readonly conversation: Conversation,
    private readonly options: BindOptions,
    private readonly emit: (event: BindEvent) => void,
  ) {
    this.tcp = options.tcp;
  }

  async run(text: string, type: number): Promise<BindResult> {
    const { options } = this;
    const searching = options.useSearch && !text.endsWith('.') && countDots(text) < options.ndots;
    const domains: (string | undefined)[] = searching ? [...options.search, undefined] : [undefined];
    for (const [i, domain] of domains.entries()) {
      const name = joined(text, domain);
      if (name === undefined) continue;
      this.emit({ kind: 'trying', name });
      const reply = await this.ask(text, name, type);
      if (reply === undefined) return { reply: undefined, tcp: this.tcp };
      const missed = reply.message.rcode === Rcode.NXDOMAIN;
      if (missed && i + 1 < domains.length) {
        if (options.showSearch) this.emit({ ...reply, receipts: 1 });
        continue;
      }
      const receipts =
        domain !== undefined && reply.message.rcode !== Rcode.NOERROR
          ? 0
          : missed && options.useSearch && !searching && !text.endsWith('.')
            ? 2
            : 1;
      const final = { ...reply, receipts };
      this.emit(final);
      return { reply: final, tcp: this.tcp };
    }
    return { reply: undefined, tcp: this.tcp };
  }

  /** Asks server after server for one name; undefined when none answered. */
  private async ask(text: string, name: Name, type: number): Promise<BindReply | undefined> {
    const { options, conversation } = this;
    const make = (): QueryPacket =>
      makePacket(conversation.env.random, name, type, {
        class: options.class,
        flags: options.flags,
        edns: options.edns,
      });
    let packet = make();
    let { tries } = options;
    for (let i = 0; i < options.servers.length;) {
      const server = options.servers[i]!;
      const protocol = this.tcp ? ('tcp' as const) : ('udp' as const);
      this.emit({ kind: 'sending', packet, protocol });
      const got = await this.exchange(packet, server, protocol);
      const last = i + 1 === options.servers.length;
      if ('setup' in got) {
        const what = protocol === 'udp' ? 'UDP setup with' : 'Connection to';
        this.emit({
          kind: 'trouble',
          text: `${what} ${at(server)}(${server.label}) for ${text} failed: ${got.setup}.`,
        });
        // Told after each try but the one before the next server.
        if (tries > 1 || last) this.emit({ kind: 'unreached', setup: true });
        if (tries === 1 && last) return undefined;
      } else if ('trouble' in got)
        this.emit({ kind: 'trouble', text: `communications error to ${at(server)}: ${got.trouble}` });
      if ('setup' in got || 'trouble' in got) {
        if (tries > 1) tries--;
        else i++;
        continue;
      }
      const { message } = got;
      if (protocol === 'udp' && message.flags & Flag.TC && !options.ignoreTruncation) {
        this.emit({ kind: 'comment', text: 'Truncated, retrying in TCP mode.' });
        this.tcp = true;
        this.emit({ kind: 'trying', name });
        packet = make();
        i = 0;
        continue;
      }
      const wrong =
        message.rcode === Rcode.SERVFAIL && !options.servfailStops
          ? 'SERVFAIL reply'
          : options.checkRa && options.flags & Flag.RD && !(message.flags & Flag.RA)
            ? 'recursion not available'
            : undefined;
      if (wrong !== undefined)
        this.emit({ kind: 'comment', text: `Got ${wrong} from ${server.label}${last ? '' : ', trying next server'}` });
      if (wrong !== undefined && !last) {
        i++;
        continue;
      }
      return { kind: 'reply', message, packet, text, server, protocol, size: got.size, took: got.took, receipts: 1 };
    }
    this.emit({ kind: 'unreached', setup: false });
    return undefined;
  }

  private async exchange(
    packet: QueryPacket,
    server: Endpoint,
    protocol: QueryProtocol,
  ): Promise<{ message: Message; size: Octets; took: Milliseconds } | { trouble: string } | { setup: string }> {
    const { conversation } = this;
    const patience = Math.max(1, this.options.timeout) * 1000;
    const line =
      protocol === 'udp' ? await conversation.connectUdp(server) : await conversation.connectTcp(server, patience);
    if (line instanceof Error) {
      conversation.unsent(packet, server, protocol, line);
      const reason = reasonOf(line);
      return { setup: reason };
    }
    try {
      line.send(packet, server);
      const received = await line.receive(conversation.now + patience);
      if (received === undefined) return { trouble: 'timed out' };
      return received instanceof Error ? { trouble: reasonOf(received) } : received;
    } finally {
      line.close();
    }
  }
}

/** A server as BIND's tools write it: `10.96.0.10#53`. */
export const at = ({ address, port }: Endpoint): string => `${address}#${port}`;
