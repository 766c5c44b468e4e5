// In a circle with reply.ts: a reply carries its lease, and a hit counter is asked for with a reply.
import type { Milliseconds, Seconds } from '../lib/units.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

/** Something that keeps a reply outside the chain. */
export interface LeaseHolder {
  /** The reply must not be given any more from now on. */
  withdraw(): void;
}

/** TTLs count down from `ttl` at the monotonic time `from`. */
export interface Countdown {
  readonly ttl: Seconds;
  readonly from: Milliseconds;
}

/**
 * How long a reply stays the right answer to its question: its maker's promise that until then the same may be given
 * without asking. One lease may
 * cover many replies. It ends by itself at `until`, or before when it is revoked.
 */
export class ReplyLease {
  /** The only holder, or all of them: most leases have one, and a set for each would be most of what they take. */
  private holders: LeaseHolder | Set<LeaseHolder> | undefined;
  private ended = false;

  /**
   * @param until monotonic time; Infinity for a reply that only a change makes wrong
   * @param counted when all TTLs count down from `ttl` at the monotonic time `from`; undefined when they stay as
   *   they are
   */
  constructor(
    readonly until: Milliseconds,
    private readonly counted?: Countdown,
  ) {}

  /** How all TTLs count down; undefined when they stay as they are. */
  get countdown(): Countdown | undefined {
    return this.counted;
  }

  get revoked(): boolean {
    return this.ended;
  }

  /** The lease that the first maker of the replies gave, where this one is made from it. */
  get origin(): ReplyLease {
    return this;
  }

  /** The handler that made the replies, where those behind it were not asked: they do not count them. */
  get maker(): object | undefined {
    return undefined;
  }

  /** Lets `holder` know when the lease is revoked. */
  hold(holder: LeaseHolder): void {
    if (this.holders === undefined) this.holders = holder;
    else if (this.holders instanceof Set) this.holders.add(holder);
    else if (this.holders !== holder) this.holders = new Set([this.holders, holder]);
  }

  release(holder: LeaseHolder): void {
    if (this.holders instanceof Set) this.holders.delete(holder);
    else if (this.holders === holder) this.holders = undefined;
  }

  /** Ends it now: an object behind the replies has changed, or they are no longer kept where they came from. */
  revoke(): void {
    this.ended = true;
    const { holders } = this;
    this.holders = undefined;
    if (holders instanceof Set) for (const holder of holders) holder.withdraw();
    else holders?.withdraw();
  }
}

/**
 * Told how many more queries like one that was answered were answered with the same reply, without and with an OPT
 * record. What it needs to know of that reply is in its lease: so one counter may be that of many.
 */
export type HitCounter = (plain: number, edns: number, lease?: ReplyLease) => void;

/** A handler that has to know of every query but need not be asked each time: it is told afterwards. */
export interface CountsHits {
  /** How queries like `query` that get `reply` are to be counted. */
  hitCounter(query: Query, reply: Reply): HitCounter;
}

export const countsHits = <T extends object>(handler: T): handler is T & CountsHits =>
  typeof (handler as Partial<CountsHits>).hitCounter === 'function';
