import type { Milliseconds } from '../../lib/units.js';
import { nextLabel, type Name } from '../../wire/index.js';

/** Longer than a query may be on its way. */
const SPAN: Milliseconds = 20_000;
/** Names that are told apart; with more of them everything counts as changed. */
const MOST = 10_000;

/** Which names have changed lately: a reply that was asked for before is not to be kept. */
export class RecentChanges {
  private current = new Map<Name, Milliseconds>();
  private previous: ReadonlyMap<Name, Milliseconds> = new Map();
  private since: Milliseconds = -Infinity;
  /** Since when everything counts. */
  private all: Milliseconds = -Infinity;

  /** Notes that the name, and those below it, changed at the monotonic time `now`. */
  add(name: Name, now: Milliseconds): void {
    if (now - this.since > SPAN) {
      this.previous = now - this.since > 2 * SPAN ? new Map() : this.current;
      this.current = new Map();
      this.since = now;
    }
    if (this.current.size < MOST) this.current.set(name, now);
    else this.all = now;
  }

  /** Whether one of the names has changed since `asked`, or at that very time. */
  concern(names: readonly Name[], asked: Milliseconds): boolean {
    if (this.since === -Infinity) return false;
    return this.all >= asked || names.some((name) => this.concerns(name, asked));
  }

  private concerns(name: Name, asked: Milliseconds): boolean {
    for (let offset = 0; offset >= 0; offset = nextLabel(name, offset)) {
      if (this.changedAt(name.slice(offset)) >= asked) return true;
    }
    return this.changedAt('.') >= asked;
  }

  private changedAt(name: Name): Milliseconds {
    return this.current.get(name) ?? this.previous.get(name) ?? -Infinity;
  }
}
