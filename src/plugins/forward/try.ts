import type { Query } from '../../chain/index.js';
import { Attempt, isCutShort, type AttemptListener } from '../../exchange/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Flag, NO_RECORDS, RCODE_MASK, expandReply, type EncodedReply } from '../../wire/index.js';
import type { OutstandingQuery } from './outstanding.js';
import type { Proxy } from './proxy.js';

/** What a look-up asks, and who is told. */
export type LookedUp = Pick<
  OutstandingQuery,
  'query' | 'message' | 'apart' | 'patient' | 'asker' | 'settle' | 'fail' | 'late'
>;

/** One attempt of a look-up. */
export class Try extends Attempt {
  /** The system said that nobody answers there. */
  doubted = false;
  /** Sent although nothing was late yet. */
  hedged = false;
  /** It has had its time: counted as unanswered, and another may be sent. */
  late = false;

  constructor(
    readonly proxy: Proxy,
    readonly stream: boolean,
    { message, query }: LookedUp,
    lookup: AttemptListener,
  ) {
    super(message, query.questionEnd, lookup);
  }
}

/** Tells what came of an attempt, where somebody reads it: an rcode, an error, or neither. */
export function tellOf(
  { proxy, stream, sentAt }: Try,
  { context }: Query,
  now: Milliseconds,
  outcome: number | Error | 'timeout' | 'overtaken',
): void {
  const { trail } = context;
  if (trail === undefined) return;
  const result =
    typeof outcome === 'string'
      ? { result: outcome }
      : typeof outcome === 'number'
        ? { result: 'answered' as const, rcode: outcome }
        : { result: 'error' as const, text: outcome.message };
  const protocol = proxy.secure ? (proxy.https ? 'https' : 'tls') : stream ? 'tcp' : 'udp';
  trail.note({ kind: 'attempt', plugin: 'forward', to: proxy.address, protocol, sent: sentAt, ended: now, ...result });
}

/** The tries of a look-up that has none: most have one at a time, and a list that grows takes room for many. */
export const NO_TRIES: readonly Try[] = [];

/**
 * Takes a reply apart; one over UDP that was cut to size on its way, as some middleboxes do, sends the client to TCP.
 *
 * @throws WireError when it makes no sense
 */
export function expandOrTruncate(bytes: Buffer, records: number, stream: boolean): EncodedReply {
  try {
    return expandReply(bytes, records);
  } catch (error) {
    const word = (bytes[2]! << 8) | bytes[3]!;
    if (stream || ((word & Flag.TC) === 0 && !isCutShort(bytes, records))) throw error;
    return { flags: (word & ~RCODE_MASK) | Flag.TC, rcode: word & RCODE_MASK, records: NO_RECORDS, edns: undefined };
  }
}
