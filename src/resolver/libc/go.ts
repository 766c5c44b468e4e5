import { hostPort } from '../../lib/cidr.js';
import type { Endpoint } from '../../net/network.js';
import { Flag, Rcode, Type, type Message, type Name } from '../../wire/index.js';
import { addressesIn, bare, endOfAliases, sortAddresses } from './addresses.js';
import type { Conversation, QuerySocket } from '../conversation.js';
import type { LookupResult } from './glibc.js';
import { countDots, joined, makePacket } from '../packet.js';
import type { ResolverSettings } from '../conf/settings.js';
import type { LookupErrorCode } from '../story.js';

/** Payload size in the OPT record that Go always sends. */
const EDNS_SIZE = 1232;
/** Longest name Go asks for, closing dot included. */
const MAX_NAME = 254;

interface GoFailure {
  readonly code: LookupErrorCode;
  readonly text: string;
  readonly server: Endpoint;
}

/**
 * Go's own resolver (package net, `netgo`): one connected socket for each query, A and AAAA side by side. Every
 * failure goes on to the next server, then
 * to the next name; the error reported is the one for the name as it stands, or else the first.
 */
export class Go {
  private offset: number;

  constructor(
    private readonly conversation: Conversation,
    private readonly settings: ResolverSettings,
  ) {
    this.offset = 0;
  }

  async lookup(name: string, types: readonly number[]): Promise<LookupResult> {
    let told: GoFailure | undefined;
    for (const whole of this.names(name)) {
      const results =
        this.settings.singleRequest || this.settings.singleRequestReopen
          ? await serially(types, (type) => this.tryName(whole, type))
          : await Promise.all(types.map((type) => this.tryName(whole, type)));
      const replies: Message[] = [];
      for (const result of results) {
        if (!('code' in result)) replies.push(result);
        else if (told === undefined || bare(whole) === name.replace(/\.$/, '')) told = result;
      }
      const addresses = [Type.A, Type.AAAA].flatMap((type) => replies.flatMap((message) => addressesIn(message, type)));
      if (addresses.length > 0) {
        return {
          addresses: sortAddresses(addresses, this.conversation.env.network),
          canonical: bare(endOfAliases(whole, replies[0]!)),
          error: undefined,
        };
      }
    }
    const on = told === undefined ? '' : ` on ${hostPort(told.server.address, told.server.port)}`;
    return {
      addresses: [],
      canonical: undefined,
      error: { code: told?.code ?? 'NOTFOUND', text: `lookup ${name}${on}: ${told?.text ?? 'no such host'}` },
    };
  }

  /**
   * The names to ask in order: as it stands first where it has dots enough. Names below `onion` are not asked (RFC
   * 7686).
   */
  private names(name: string): Name[] {
    const rooted = name.endsWith('.');
    const enough = countDots(name) >= this.settings.ndots;
    const suffixes = rooted
      ? [undefined]
      : enough
        ? [undefined, ...this.settings.search]
        : [...this.settings.search, undefined];
    return suffixes
      .map((suffix) => joined(name, suffix))
      .filter((whole): whole is Name => whole !== undefined && whole.length <= MAX_NAME && !/\.onion\.$/i.test(whole));
  }

  private async tryName(name: Name, type: number): Promise<Message | GoFailure> {
    const { servers, attempts, rotate } = this.settings;
    const start = rotate ? this.offset++ : 0;
    let last: GoFailure | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (let i = 0; i < servers.length; i++) {
        const server = { address: servers[(start + i) % servers.length]!, port: 53 };
        const reply = await this.exchange(server, name, type);
        if ('code' in reply) {
          last = reply;
          continue;
        }
        const verdict = judge(reply, type);
        if (verdict === undefined) return reply;
        last = { ...verdict, server };
        if (verdict.code === 'NOTFOUND') return last;
      }
    }
    return last!;
  }

  private async exchange(server: Endpoint, name: Name, type: number): Promise<Message | GoFailure> {
    const { conversation, settings } = this;
    const edns = { udpSize: EDNS_SIZE, version: 0, do: false, options: [] };
    const packet = makePacket(conversation.env.random, name, type, {
      flags: Flag.RD | (settings.trustAd ? Flag.AD : 0),
      edns,
    });
    for (const protocol of settings.useVc ? (['tcp'] as const) : (['udp', 'tcp'] as const)) {
      const patience = settings.timeout * 1000;
      const line =
        protocol === 'udp' ? await conversation.connectUdp(server) : await conversation.connectTcp(server, patience);
      if (line instanceof Error) {
        conversation.unsent(packet, server, protocol, line);
        return {
          code: 'SERVER',
          text: `dial ${protocol} ${hostPort(server.address, server.port)}: ${dialReason(line)}`,
          server,
        };
      }
      line.send(packet, server);
      const received = await line.receive(conversation.now + patience);
      const ends = path(line, server);
      line.close();
      if (received === undefined) return { code: 'TIMEOUT', text: `read ${protocol} ${ends}: i/o timeout`, server };
      if (received instanceof Error)
        return { code: 'SERVER', text: `read ${protocol} ${ends}: ${dialReason(received)}`, server };
      if (protocol === 'udp' && received.message.flags & Flag.TC) continue;
      return received.message;
    }
    throw new Error('unreachable: the last protocol always returns');
  }
}

const path = (line: QuerySocket, server: Endpoint): string =>
  `${line.local === undefined ? '' : hostPort(line.local.address, line.local.port)}->${hostPort(server.address, server.port)}`;

function dialReason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connect: connection refused';
  if (code === 'ENETUNREACH') return 'connect: network is unreachable';
  if (code === 'EHOSTUNREACH') return 'connect: no route to host';
  return code === 'ETIMEDOUT' ? 'i/o timeout' : error.message;
}

/**
 * What is wrong with a reply; undefined when it answers. NOTFOUND is final for the name, everything else makes Go ask
 * the next server.
 */
function judge(message: Message, type: number): Pick<GoFailure, 'code' | 'text'> | undefined {
  const { rcode, flags, answer, additional, edns } = message;
  if (rcode === Rcode.NXDOMAIN) return { code: 'NOTFOUND', text: 'no such host' };
  // A referral by a server that does not recurse is no answer at all.
  if (
    rcode === Rcode.NOERROR &&
    !(flags & (Flag.AA | Flag.RA)) &&
    answer.length === 0 &&
    additional.length === 0 &&
    edns === undefined
  )
    return { code: 'SERVER', text: 'lame referral' };
  if (rcode !== Rcode.NOERROR) return { code: 'SERVER', text: 'server misbehaving' };
  return answer.some((record) => record.type === type) ? undefined : { code: 'NOTFOUND', text: 'no such host' };
}

async function serially<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}
