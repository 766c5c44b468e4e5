import { Attempt, isCutShort, type AttemptListener } from '../../exchange/index.js';
import { Flag, NO_RECORDS, RCODE_MASK, expandReply, type EncodedReply } from '../../wire/index.js';
import type { OutstandingQuery } from './outstanding.js';
import type { Proxy } from './proxy.js';

/** What a look-up asks, and who is told. */
export type LookedUp = Pick<OutstandingQuery, 'query' | 'message' | 'apart' | 'patient' | 'asker' | 'settle' | 'fail'>;

/** One attempt of a look-up. */
export class Try extends Attempt {
  /** The system said that nobody answers there. */
  doubted = false;
  /** Sent although nothing was late yet. */
  hedged = false;

  constructor(
    readonly proxy: Proxy,
    readonly stream: boolean,
    { message, query }: LookedUp,
    lookup: AttemptListener,
  ) {
    super(message, query.questionEnd, lookup);
  }
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
