import { Reply, type Lease, type Query } from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import { ExtendedErrorCode, Flag, Rcode, ednsWith, extendedError } from '../../wire/index.js';
import type { CacheEntry } from './entry.js';
import type { CacheOptions } from './options.js';

/** Who sent an OPT record is told that an answer is past its time (RFC 8914 sections 4.4 and 4.20). */
const STALE_ANSWER = ednsWith(extendedError(ExtendedErrorCode.StaleAnswer));
const STALE_NXDOMAIN = ednsWith(extendedError(ExtendedErrorCode.StaleNxdomain));

/**
 * A client shows by DO or AD that it understands AD in a reply; others never see it (RFC 6840 sections 5.7 and 5.8).
 */
export const wantsAuthentic = (query: Query): boolean => query.do || query.authenticData;

/** The entry as a client gets it, with the TTL that is left. */
export function replyFrom(entry: CacheEntry, query: Query, ttl: Seconds, lease?: Lease): Reply {
  const flags = wantsAuthentic(query) ? entry.flags : entry.flags & ~Flag.AD;
  return Reply.ofRecords(flags, entry.rcode, entry.records, ttl, undefined, lease);
}

/** As `replyFrom`, of an entry that is past its time. */
export function staleReplyFrom(entry: CacheEntry, query: Query, { stale, keepTtl }: CacheOptions): Reply {
  const reply = replyFrom(entry, query, stale!.ttl > 0 || !keepTtl ? stale!.ttl : entry.ttl);
  return query.hasEdns ? reply.withEdns(entry.rcode === Rcode.NXDOMAIN ? STALE_NXDOMAIN : STALE_ANSWER) : reply;
}
