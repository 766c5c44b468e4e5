import { IntMap } from '../lib/int-map.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Attempt } from './attempt.js';

/** The attempts that wait on one socket or connection, by id. */
export class OutstandingIds {
  private readonly byId = new IntMap<Attempt>();

  get size(): number {
    return this.byId.size;
  }

  get(id: number): Attempt | undefined {
    return this.byId.get(id);
  }

  /**
   * Gives the attempt an unpredictable id (RFC 5452 section 9.2) that no other one here has. There are far fewer
   * than 65,536 on a socket or connection, so that an unused one is found quickly.
   */
  add(attempt: Attempt, random: Random): void {
    let id = random.uint32() & 0xffff;
    while (this.byId.has(id)) id = random.uint32() & 0xffff;
    attempt.id = id;
    this.byId.set(id, attempt);
  }

  /** Takes the attempt out; false when it was not here. */
  remove(attempt: Attempt): boolean {
    return this.byId.get(attempt.id) === attempt && this.byId.delete(attempt.id);
  }

  all(): Attempt[] {
    return this.byId.values();
  }

  /** Takes all out. */
  clear(): Attempt[] {
    const all = this.byId.values();
    this.byId.clear();
    return all;
  }

  /** Takes those out that nobody waits for and that were sent before `time`. Returns how many. */
  dropAbandoned(time: Milliseconds): number {
    let dropped = 0;
    for (const attempt of this.byId.values()) {
      if (attempt.awaited || attempt.sentAt >= time) continue;
      this.remove(attempt);
      attempt.transport = undefined;
      dropped++;
    }
    return dropped;
  }
}
