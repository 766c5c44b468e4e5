import { ReplyLease, type Countdown, type Query, type Reply } from '../../chain/index.js';
import type { Listed } from '../../lib/recency-list.js';
import type { Milliseconds, Octets, Seconds } from '../../lib/units.js';
import {
  Class,
  Flag,
  packRecords,
  packedAnswers,
  packedLength,
  unpackRecords,
  type EncodedRecords,
  type Name,
  type PackedRecords,
} from '../../wire/index.js';
import type { KeptKind } from './lifetime.js';
import type { CacheType, PrefetchPolicy } from './options.js';

/** Of an entry without name and records: objects, maps, the order. */
const OVERHEAD: Octets = 400;
/** Forms for clients that take less than the records need: they are kept with the records, and are shorter. */
const FITTED: Octets = 12 << 10;

/** A question, all of it but its name as in `variantOf`, and the reply to it. */
export type KeptReply = Pick<CacheEntry, 'name' | 'variant' | 'flags' | 'rcode' | 'records'>;

/** What is kept of a reply to `query`. */
export const keptOf = (query: Query, { flags, rcode, records }: Reply): KeptReply => ({
  name: query.name,
  variant: variantOf(query),
  flags,
  rcode,
  records: inSpellingOf(query, records),
});

/**
 * One kept reply. The flags and records it holds are never altered; what changes is how often and when it was asked
 * for.
 */
export class CacheEntry implements Listed<CacheEntry> {
  readonly name: Name;
  readonly variant: number;
  /** Flags of a reply from this entry. */
  readonly flags: number;
  readonly rcode: number;
  private readonly kept: PackedRecords;
  /** Monotonic time of its last move to the front of the eviction order. */
  touched: Milliseconds;
  older: CacheEntry | undefined = undefined;
  newer: CacheEntry | undefined = undefined;
  listed = false;
  /** It is being fetched anew. */
  refreshing = false;
  /** Monotonic time before which it is not fetched anew again, because that has just failed. */
  retryAt: Milliseconds | undefined;
  /** The last answer to the same question, which this entry says nothing against. */
  lastGood: CacheEntry | undefined;
  private promised: EntryLease | undefined;
  private hits = 0;
  private lastHit: Milliseconds | undefined;
  /** Whole milliseconds take no memory of their own. */
  readonly stored: Milliseconds;

  /**
   * @param ttl TTL of all its records when it is stored
   * @param kind what it is; a failure is never served after its time
   * @param stored monotonic time from which the TTL counts down
   */
  constructor(
    { name, variant, flags, rcode, records }: KeptReply,
    readonly ttl: Seconds,
    readonly type: CacheType,
    readonly kind: KeptKind,
    stored: Milliseconds,
  ) {
    this.name = name;
    this.variant = variant;
    // Some stub resolvers discard a reply without AA, so the reference sets it on every hit.
    this.flags = (flags & (Flag.RA | Flag.AD)) | Flag.AA;
    this.rcode = rcode;
    this.kept = packRecords(records);
    this.stored = Math.floor(stored);
    this.touched = this.stored;
  }

  get records(): EncodedRecords {
    return unpackRecords(this.kept);
  }

  /** What it takes in memory, roughly, in bytes. */
  get size(): Octets {
    const length = packedLength(this.kept);
    const apart = typeof this.kept === 'string' ? 0 : Math.min(length, FITTED) + 8 * this.kept.ttls.length;
    return OVERHEAD + this.name.length + length + apart;
  }

  /**
   * Whole seconds until it expires; 0 and below mean that it has. A time before it was stored counts as that time: a
   * query may have
   * arrived while the reply that it now finds was still on its way.
   */
  timeLeft(now: Milliseconds): Seconds {
    const age = now - this.stored;
    return age > 0 ? this.ttl - Math.floor(age / 1000) : this.ttl;
  }

  /**
   * How long a reply from this entry may be given without asking: until it expires, or until each hit has to be
   * looked at because it might be fetched anew.
   */
  lease(keepTtl: boolean, policy: PrefetchPolicy | undefined): EntryLease {
    if (this.promised === undefined) {
      const lifetime = policy === undefined ? this.ttl : this.ttl - Math.ceil((policy.percentage / 100) * this.ttl);
      this.promised = new EntryLease(this, this.stored + lifetime * 1000, keepTtl);
    }
    return this.promised;
  }

  /** Whether it has a record that was asked for. */
  get answers(): boolean {
    return this.kind === 'answer' && packedAnswers(this.kept) > 0;
  }

  /** Past its time, but not for as long as `maxAge`. */
  isStale(left: Seconds, maxAge: Seconds): boolean {
    return this.kind !== 'failure' && left <= 0 && -left < maxAge;
  }

  /** The entry is no longer the one for its question. */
  leave(): void {
    this.promised?.revoke();
    this.promised = undefined;
    this.lastGood?.leave();
  }

  /** Counts hits that were answered elsewhere. */
  countHits(now: Milliseconds, count: number): void {
    this.hits += count;
    this.lastHit = now;
  }

  /** Counts a hit; returns whether the entry is popular and so near its end that it should be fetched anew. */
  countHit(now: Milliseconds, left: Seconds, policy: PrefetchPolicy): boolean {
    this.hits = this.lastHit === undefined || now - this.lastHit > policy.gap ? 1 : this.hits + 1;
    this.lastHit = now;
    return this.hits >= policy.amount && left <= Math.ceil((policy.percentage / 100) * this.ttl);
  }

  /** Takes over how popular the entry was that this one replaces. */
  inheritPopularity(from: CacheEntry): void {
    this.hits = from.hits;
    this.lastHit = from.lastHit;
  }
}

/** What an entry promises, so that a reply can be traced back to it. */
export class EntryLease extends ReplyLease {
  constructor(
    readonly entry: CacheEntry,
    until: Milliseconds,
    private readonly keepTtl: boolean,
  ) {
    super(until);
  }

  override get countdown(): Countdown | undefined {
    return this.keepTtl ? undefined : { ttl: this.entry.ttl, from: this.entry.stored };
  }
}

/**
 * All of a question but its name, as one number: type, DO, CD and class. It stays a small integer for class IN, which
 * makes it a cheap
 * map key; other classes come out above 2^18 and are as distinct.
 */
export function variantOf(query: Query): number {
  const bits = (query.type << 2) | (query.do ? 2 : 0) | (query.checkingDisabled ? 1 : 0);
  return query.class === Class.IN ? bits : bits + (query.class + 1) * 0x40000;
}

/**
 * The records with the question's name as this client spelt it: later clients get it that way, as from the reference.
 */
function inSpellingOf(query: Query, records: EncodedRecords): EncodedRecords {
  if (records.owners === undefined) return records;
  const bytes = Uint8Array.prototype.slice.call(records.bytes);
  const name = query.bytes.subarray(query.questionStart, query.questionEnd - 4);
  for (const owner of records.owners) bytes.set(name, owner);
  return { ...records, bytes, owners: undefined };
}
