import { Flag, Rcode, Type, type Message } from '../../wire/index.js';
import { addressesIn, bare, endOfAliases, sortAddresses } from './addresses.js';
import type { Conversation } from '../conversation.js';
import type { LookupResult } from './glibc.js';
import { countDots, joined, makePacket, type QueryPacket } from '../packet.js';
import type { ResolverSettings } from '../conf/settings.js';
import type { LookupError, LookupErrorCode } from '../story.js';

const TEXTS = new Map<LookupErrorCode, string>([
  ['EAI_NONAME', 'Name does not resolve'],
  ['EAI_AGAIN', 'Try again'],
  ['EAI_FAIL', 'Non-recoverable error'],
]);

/**
 * The stub resolver of musl 1.2.3: every query goes to all servers at once from one unconnected socket, the first
 * answer counts. A name with `ndots` dots
 * is asked as it stands only; NODATA, failures and silence end the search. Truncated answers are taken as they are:
 * this release has no TCP.
 */
export class Musl {
  constructor(
    private readonly conversation: Conversation,
    private readonly settings: ResolverSettings,
  ) {}

  async lookup(name: string, types: readonly number[]): Promise<LookupResult> {
    const rooted = name.endsWith('.');
    if (/^\.|\.\.$/.test(name) || name === '') return failure('EAI_NONAME');
    const search = rooted || countDots(name) >= this.settings.ndots ? [] : this.settings.search;
    for (const domain of [...search, undefined]) {
      const whole = joined(name, domain);
      if (whole === undefined || whole.length > 255) {
        if (domain === undefined) return failure('EAI_NONAME');
        continue;
      }
      const packets = types
        .map((type) => makePacket(this.conversation.env.random, whole, type))
        .map((packet) => (domain === '.' ? withLooseDot(packet) : packet));
      const replies = await this.transact(packets);
      const [first] = replies;
      if (replies.length < packets.length || first === undefined) return failure('EAI_AGAIN');
      if (first.rcode === Rcode.NXDOMAIN) continue;
      if (first.rcode !== Rcode.NOERROR) return failure('EAI_FAIL');
      const addresses = [Type.A, Type.AAAA].flatMap((type) => replies.flatMap((message) => addressesIn(message, type)));
      if (addresses.length === 0) return failure('EAI_NONAME');
      const canonical = replies.map((message) => endOfAliases(whole, message)).find((end) => end !== whole) ?? whole;
      return {
        addresses: sortAddresses(addresses, this.conversation.env.network),
        canonical: bare(canonical),
        error: undefined,
      };
    }
    return failure('EAI_NONAME');
  }

  /** The replies in the order of the queries; fewer when time ran out. */
  private async transact(packets: readonly QueryPacket[]): Promise<Message[]> {
    const { conversation, settings } = this;
    const servers = settings.servers.map((address) => ({ address, port: 53 }));
    const line = await conversation.bindUdp(servers.some(({ address }) => address.includes(':')) ? 6 : 4);
    if (line instanceof Error) {
      conversation.unsent(packets[0]!, servers[0]!, 'udp', line);
      return [];
    }
    const total = settings.timeout * 1000;
    const interval = settings.attempts > 0 ? total / settings.attempts : total;
    const start = conversation.now;
    const answered = new Map<number, Message>();
    try {
      for (let round = start; round < start + total && answered.size < packets.length; round += interval) {
        packets.forEach((packet, i) => {
          if (!answered.has(i)) for (const server of servers) line.send(packet, server);
        });
        let retries = 2 * packets.length;
        while (answered.size < packets.length) {
          const received = await line.receive(Math.min(round + interval, start + total));
          if (received === undefined) break;
          if (received instanceof Error) continue;
          const { rcode } = received.message;
          if (rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN)
            answered.set(packets.indexOf(received.packet), received.message);
          else if (rcode === Rcode.SERVFAIL && retries-- > 0) line.send(received.packet, received.server);
        }
      }
    } finally {
      line.close();
    }
    return packets
      .flatMap((_, i) => answered.get(i) ?? [])
      .map((message) => ({ ...message, flags: message.flags & ~Flag.TC }));
  }
}

/**
 * The query that musl makes of a name under the search domain `.`: of the two dots at its end one stays behind the
 * labels as a byte that reads as a
 * length of 46. No server can answer that, so a lookup that gets there fails.
 */
function withLooseDot(packet: QueryPacket): QueryPacket {
  const end = packet.bytes.length - 5;
  return {
    ...packet,
    bytes: Buffer.concat([packet.bytes.subarray(0, end), Buffer.from('.'), packet.bytes.subarray(end)]),
  };
}

function failure(code: LookupErrorCode): LookupResult {
  const error: LookupError = { code, text: TEXTS.get(code)! };
  return { addresses: [], canonical: undefined, error };
}
