// In a circle with reply.ts: a reply carries its lease, and a hit counter is asked for with a reply.
import type { Milliseconds, Seconds } from '../lib/units.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

/** Something that keeps replies outside the chain, at places that it numbers as it likes. */
export interface LeaseHolder {
  /** The reply at `place` must not be given any more from now on. */
  withdraw(place: number): void;
  /** The same for many at once, where that is quicker than one by one. */
  withdrawAll?(places: ReadonlySet<number>): void;
}

/** TTLs count down from `ttl` at the monotonic time `from`. */
export interface Countdown {
  readonly ttl: Seconds;
  readonly from: Milliseconds;
}

/** In place of the holders of a lease that was revoked. */
const ENDED = Symbol('ended');

/**
 * How long a reply stays the right answer to its question: its maker's promise that until then the same may be given
 * without asking. One lease may
 * cover many replies. It ends by itself at `until`, or before when it is revoked.
 */
export abstract class Lease {
  /** The only holder, at `place`, or all with their places: most have one, and a map is most of what they would take. */
  private holders: LeaseHolder | Map<LeaseHolder, Set<number>> | typeof ENDED | undefined;
  private place = 0;

  /** Monotonic time; Infinity for a reply that only a change makes wrong. */
  abstract readonly until: Milliseconds;

  /** How all TTLs count down; undefined when they stay as they are. */
  abstract readonly countdown: Countdown | undefined;

  get revoked(): boolean {
    return this.holders === ENDED;
  }

  /** Whether the replies are the same however the question's name is spelt: their maker gives the records that it has. */
  get everySpelling(): boolean {
    return false;
  }

  /** The lease that the first maker of the replies gave, where this one is made from it. */
  get origin(): Lease {
    return this;
  }

  /** The handler that made the replies, where those behind it were not asked: they do not count them. */
  get maker(): object | undefined {
    return undefined;
  }

  /** Lets `holder` know when the lease is revoked, once for each place at which it keeps a reply. */
  hold(holder: LeaseHolder, place = 0): void {
    const { holders } = this;
    if (holders === ENDED) return;
    if (holders === undefined) {
      this.holders = holder;
      this.place = place;
    } else if (holders !== holder || this.place !== place) {
      const all = holders instanceof Map ? holders : new Map([[holders, new Set([this.place])]]);
      this.holders = all;
      const places = all.get(holder);
      if (places === undefined) all.set(holder, new Set([place]));
      else places.add(place);
    }
  }

  release(holder: LeaseHolder, place = 0): void {
    const { holders } = this;
    if (holders instanceof Map) {
      const places = holders.get(holder);
      places?.delete(place);
      if (places?.size === 0) holders.delete(holder);
    } else if (holders === holder && this.place === place) this.holders = undefined;
  }

  /** Ends it now: an object behind the replies has changed, or they are no longer kept where they came from. */
  revoke(): void {
    const { holders } = this;
    this.holders = ENDED;
    if (holders === undefined || holders === ENDED) return;
    if (!(holders instanceof Map)) return holders.withdraw(this.place);
    for (const [holder, places] of holders) {
      if (holder.withdrawAll !== undefined) holder.withdrawAll(places);
      else for (const place of places) holder.withdraw(place);
    }
  }
}

/** A lease with an end of its own. */
export class ReplyLease extends Lease {
  /** @param countdown when all TTLs count down from its `ttl` at its `from` */
  constructor(
    readonly until: Milliseconds,
    readonly countdown: Countdown | undefined = undefined,
  ) {
    super();
  }
}

/**
 * Told how many more queries like one that was answered were answered with the same reply, without and with an OPT
 * record. What it needs to know of that reply is in its lease: so one counter may be that of many.
 */
export type HitCounter = (plain: number, edns: number, lease?: Lease) => void;

/** A handler that has to know of every query but need not be asked each time: it is told afterwards. */
export interface CountsHits {
  /** How queries like `query` that get `reply` are to be counted. */
  hitCounter(query: Query, reply: Reply): HitCounter;
}

export const countsHits = <T extends object>(handler: T): handler is T & CountsHits =>
  typeof (handler as Partial<CountsHits>).hitCounter === 'function';
