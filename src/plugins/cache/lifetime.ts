import type { Query, Reply } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Octets, Seconds } from '../../lib/units.js';
import { Rcode, Type, type EncodedRecords } from '../../wire/index.js';
import { answersQuestion } from './answers-question.js';
import type { CacheOptions, TtlRange } from './options.js';
import { typeBefore, uint16 } from './record-fields.js';

/**
 * What a reply is to the cache: `answer` and `referral` exist, `denial` is NXDOMAIN or NODATA with the SOA record
 * that RFC 2308 sections 2.1 and 2.2 ask for, `failure` is SERVFAIL or NOTIMP. The rest is never kept: `boundless`
 * is NXDOMAIN without SOA, `incomplete` has an answer, but to another question, and no SOA.
 */
export type ReplyKind = KeptKind | 'boundless' | 'incomplete' | 'other';
export type KeptKind = 'answer' | 'referral' | 'denial' | 'failure';

export const isKept = (kind: ReplyKind): kind is KeptKind =>
  kind === 'answer' || kind === 'referral' || kind === 'denial' || kind === 'failure';

/** TTL of what has no TTL of its own to go by, before the limits of the configuration, in seconds. */
const FALLBACK_TTL: Seconds = 5;

/** Sorts a reply to `query`. The clock's wall time is what signatures are valid by. */
export function kindOf(reply: Reply, query: Query, clock: Clock): ReplyKind {
  const { rcode, records } = reply;
  // Only who asked for signatures minds that one has expired (RFC 4035 section 5.3.1).
  if (reply.edns?.do === true && hasInvalidSignature(records, clock)) return 'other';
  if (rcode === Rcode.NOERROR && records.answers > 0) {
    if (answersQuestion(records, query)) return 'answer';
    // An alias that leads to nothing of the type: NODATA where an SOA record says so and for how long.
    return hasAuthority(records, Type.SOA) ? 'denial' : 'incomplete';
  }
  if (rcode === Rcode.SERVFAIL || rcode === Rcode.NOTIMP) return 'failure';
  if (rcode === Rcode.NXDOMAIN && records.answers > 0) return 'other';
  if (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN) return 'other';
  if (hasAuthority(records, Type.SOA)) return 'denial';
  if (rcode === Rcode.NXDOMAIN) return 'boundless';
  return hasAuthority(records, Type.NS) ? 'referral' : 'answer';
}

/** The one TTL that all records of such a reply get, whether it is kept or not. */
export function ttlOf(reply: Reply, kind: ReplyKind, options: CacheOptions): Seconds {
  switch (kind) {
    case 'failure':
      return options.failureTtl;
    case 'denial':
    case 'boundless':
      return within(options.denial, smallestTtl(reply, options.denial.maxTtl));
    case 'answer':
    case 'incomplete':
      return within(options.success, smallestTtl(reply, options.success.maxTtl));
    default:
      return within(options.success, FALLBACK_TTL);
  }
}

/** The maximum wins over the minimum, so that `cache 3` means 3 s at most although the minimum is 5 s. */
const within = (range: TtlRange, ttl: Seconds): Seconds => Math.min(Math.max(ttl, range.minTtl), range.maxTtl);

function smallestTtl(reply: Reply, largest: Seconds): Seconds {
  const { bytes, ttls } = reply.records;
  if (ttls.length === 0) return FALLBACK_TTL;
  if (reply.ttl !== undefined) return Math.min(reply.ttl, largest);
  let smallest = largest;
  for (let i = 0; i < ttls.length; i++) {
    const at = ttls[i]!;
    const ttl = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    smallest = Math.min(smallest, ttl);
  }
  return smallest;
}

function hasAuthority({ bytes, ttls, answers, authorities }: EncodedRecords, type: number): boolean {
  for (let i = answers; i < answers + authorities; i++) if (typeBefore(bytes, ttls[i]!) === type) return true;
  return false;
}

/**
 * Offsets of a signature's expiration and inception from the record's TTL field on, and the least length of its data
 * (RFC 4034 section 3.1).
 */
const EXPIRATION = 4 + 2 + 8;
const INCEPTION = EXPIRATION + 4;
const LEAST_RRSIG: Octets = 19;

function hasInvalidSignature({ bytes, ttls }: EncodedRecords, clock: Clock): boolean {
  const now = Math.floor(clock.now() / 1000);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return ttls.some((ttl) => {
    if (typeBefore(bytes, ttl) !== Type.RRSIG || uint16(bytes, ttl + 4) < LEAST_RRSIG) return false;
    // Serial number arithmetic: the sign of a 32-bit difference (RFC 4034 section 3.1.5).
    return ((view.getUint32(ttl + EXPIRATION) - now) | 0) < 0 || ((now - view.getUint32(ttl + INCEPTION)) | 0) < 0;
  });
}
