import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Rrset, type SigningKey } from '../../dnssec/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { Type, type Name, type Rr } from '../../wire/index.js';

const HOUR: Milliseconds = 3_600_000;
const DAY: Milliseconds = 24 * HOUR;
/** A signature holds from three hours before it is made, for clocks that are slow. */
const BEFORE: Milliseconds = 3 * HOUR;
const AFTER: Milliseconds = 8 * DAY;
/** It is made again that long before it ends. */
const RENEWAL: Milliseconds = 2 * DAY;
/**
 * The TTL that signatures name, in seconds, as in CoreDNS: what a record's own was is not known here. Validators take
 * the lower one (RFC 4035 section 5.3.3).
 */
const ORIGINAL_TTL: Seconds = 3600;

/** The signatures of all keys over one set of records. */
export interface SetSignatures {
  /** Data of the RRSIG records. */
  readonly data: readonly Uint8Array[];
  /** Wall-clock time from which they are made again. */
  readonly renewAt: Milliseconds;
}

/** What a look for signatures came to. */
export interface CacheCounts {
  readonly hits: { inc(by?: number): void };
  readonly misses: { inc(by?: number): void };
}

/** Makes signatures, and keeps them. */
export class Signatures {
  private readonly kept: LRUCache<string, SetSignatures>;
  private readonly forKeys: readonly SigningKey[];
  private readonly forOthers: readonly SigningKey[];

  /** @param capacity how many sets of records signatures are kept for */
  constructor(
    readonly keys: readonly SigningKey[],
    capacity: number,
    private readonly clock: Clock,
  ) {
    this.kept = new LRUCache({ max: capacity });
    const ksks = keys.filter(({ role }) => role === 'ksk');
    const zsks = keys.filter(({ role }) => role === 'zsk');
    const split = ksks.length > 0 && zsks.length > 0;
    this.forKeys = split ? ksks : keys;
    this.forOthers = split ? zsks : keys;
  }

  get size(): number {
    return this.kept.size;
  }

  /** Signatures that each set of records but keys has. */
  get perSet(): number {
    return this.forOthers.length;
  }

  over(records: readonly [Rr, ...Rr[]], signer: Name, counts: CacheCounts): SetSignatures {
    const set = new Rrset(records, ORIGINAL_TTL);
    const key = hash('sha256', Buffer.concat([Buffer.from(signer, 'latin1'), set.octets]), 'base64');
    const now = this.clock.now();
    const known = this.kept.get(key);
    if (known !== undefined && known.renewAt > now) {
      counts.hits.inc();
      return known;
    }
    counts.misses.inc();
    const keys = set.type === Type.DNSKEY ? this.forKeys : this.forOthers;
    const validity = { inception: Math.floor((now - BEFORE) / 1000), expiration: Math.floor((now + AFTER) / 1000) };
    const made = { data: keys.map((one) => set.sign(one, signer, validity)), renewAt: now + AFTER - RENEWAL };
    this.kept.set(key, made);
    return made;
  }

  /** Forgets those that would be made again. */
  clean(): void {
    const now = this.clock.now();
    for (const [key, { renewAt }] of this.kept.entries()) if (renewAt <= now) this.kept.delete(key);
  }
}
