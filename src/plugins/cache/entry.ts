import { Lease, type Countdown, type Query, type Reply } from '../../chain/index.js';
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

/** Of an entry without name and records: objects, maps, the order, what is known of it as a shared answer. */
const OVERHEAD: Octets = 300;
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

/** Fields of CacheEntry.marks: flags below, then RCODE, kind and type. */
const FLAGS = 0xffff;
const RCODE_SHIFT = 16;
const KIND_SHIFT = 28;
const DENIAL = 1 << 30;
const KINDS: readonly KeptKind[] = ['answer', 'referral', 'denial', 'failure'];
/** Fields of CacheEntry.state; above them the percentage of the prefetch policy that its lease keeps to. */
const LISTED = 1;
const KEEPS_TTL = 2;
const PERCENTAGE_SHIFT = 2;

/** What few entries have. */
class Rarities {
  /** It is being fetched anew. */
  refreshing = false;
  /** Monotonic time before which it is not fetched anew again, because that has just failed. */
  retryAt: Milliseconds | undefined;
  /** The last answer to the same question, which the entry says nothing against. */
  lastGood: CacheEntry | undefined;
  hits = 0;
  lastHit: Milliseconds | undefined;
}

/**
 * One kept reply. The flags and records it holds are never altered; what changes is how often and when it was asked
 * for. It is the lease of the replies made from it, too, and its fields are few: a cache holds a million.
 */
export class CacheEntry extends Lease implements Listed<CacheEntry> {
  readonly name: Name;
  readonly variant: number;
  private readonly marks: number;
  private readonly kept: PackedRecords;
  private state = 0;
  private rare: Rarities | undefined = undefined;
  /** Monotonic time of its last move to the front of the eviction order. */
  touched: Milliseconds;
  older: CacheEntry | undefined = undefined;
  newer: CacheEntry | undefined = undefined;
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
    type: CacheType,
    kind: KeptKind,
    stored: Milliseconds,
  ) {
    super();
    this.name = name;
    this.variant = variant;
    // Some stub resolvers discard a reply without AA, so the reference sets it on every hit.
    const given = (flags & (Flag.RA | Flag.AD)) | Flag.AA;
    this.marks =
      given | (rcode << RCODE_SHIFT) | (KINDS.indexOf(kind) << KIND_SHIFT) | (type === 'denial' ? DENIAL : 0);
    this.kept = packRecords(records);
    this.stored = Math.floor(stored);
    this.touched = this.stored;
  }

  /** The same reply, of which nothing was promised yet. */
  again(): CacheEntry {
    return new CacheEntry(this, this.ttl, this.type, this.kind, this.stored);
  }

  /** Flags of a reply from this entry. */
  get flags(): number {
    return this.marks & FLAGS;
  }

  get rcode(): number {
    return (this.marks >> RCODE_SHIFT) & 0xfff;
  }

  get kind(): KeptKind {
    return KINDS[(this.marks >> KIND_SHIFT) & 3]!;
  }

  get type(): CacheType {
    return (this.marks & DENIAL) === 0 ? 'success' : 'denial';
  }

  get listed(): boolean {
    return (this.state & LISTED) !== 0;
  }

  set listed(value: boolean) {
    this.state = value ? this.state | LISTED : this.state & ~LISTED;
  }

  /** It is being fetched anew. */
  get refreshing(): boolean {
    return this.rare?.refreshing === true;
  }

  set refreshing(value: boolean) {
    if (value || this.rare !== undefined) this.rarities.refreshing = value;
  }

  /** Monotonic time before which it is not fetched anew again, because that has just failed. */
  get retryAt(): Milliseconds | undefined {
    return this.rare?.retryAt;
  }

  set retryAt(value: Milliseconds | undefined) {
    if (value !== undefined || this.rare !== undefined) this.rarities.retryAt = value;
  }

  /** The last answer to the same question, which this entry says nothing against. */
  get lastGood(): CacheEntry | undefined {
    return this.rare?.lastGood;
  }

  set lastGood(value: CacheEntry | undefined) {
    if (value !== undefined || this.rare !== undefined) this.rarities.lastGood = value;
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
   * Promises how long a reply from this entry may be given without asking: until it expires, or until each hit has to
   * be looked at because it might be fetched anew.
   */
  lease(keepTtl: boolean, policy: PrefetchPolicy | undefined): Lease {
    const percentage = policy?.percentage ?? 0;
    this.state = (this.state & LISTED) | (keepTtl ? KEEPS_TTL : 0) | (percentage << PERCENTAGE_SHIFT);
    return this;
  }

  override get until(): Milliseconds {
    return this.stored + (this.ttl - lastPart(this.ttl, this.state >> PERCENTAGE_SHIFT)) * 1000;
  }

  override get countdown(): Countdown | undefined {
    return (this.state & KEEPS_TTL) === 0 ? { ttl: this.ttl, from: this.stored } : undefined;
  }

  /** The spelling of who asked first is that of all. */
  override get everySpelling(): boolean {
    return true;
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
    this.revoke();
    this.lastGood?.leave();
  }

  /** Counts hits that were answered elsewhere. */
  countHits(now: Milliseconds, count: number): void {
    const { rarities } = this;
    rarities.hits += count;
    rarities.lastHit = now;
  }

  /** Counts a hit; returns whether the entry is popular and so near its end that it should be fetched anew. */
  countHit(now: Milliseconds, left: Seconds, policy: PrefetchPolicy): boolean {
    const { rarities } = this;
    const { hits, lastHit } = rarities;
    rarities.hits = lastHit === undefined || now - lastHit > policy.gap ? 1 : hits + 1;
    rarities.lastHit = now;
    return rarities.hits >= policy.amount && left <= lastPart(this.ttl, policy.percentage);
  }

  /** Takes over how popular the entry was that this one replaces. */
  inheritPopularity({ rare }: CacheEntry): void {
    if (rare === undefined) return;
    this.rarities.hits = rare.hits;
    this.rarities.lastHit = rare.lastHit;
  }

  private get rarities(): Rarities {
    return (this.rare ??= new Rarities());
  }
}

/** Whole seconds at the end of a TTL that make up so many percent of it. */
const lastPart = (ttl: Seconds, percentage: number): Seconds => Math.ceil((percentage / 100) * ttl);

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
