import type { Milliseconds } from '../lib/units.js';
import type { Attempt } from './attempt.js';
import type { StreamConnection } from './stream-connection.js';

/** Queries that wait for a connection, and which will do. */
export interface WaitingList {
  attempts: Attempt[];
  readonly accepts: (link: StreamConnection) => boolean;
}

/** Whether it has answered: it is served. */
export const isProven = ({ replies }: StreamConnection): boolean => replies > 0;
const isIdle = ({ inFlight }: StreamConnection): boolean => inFlight.size === 0;

/** The queries that wait for a connection to one upstream. */
export class WaitingQueries {
  readonly fresh: WaitingList = { attempts: [], accepts: () => true };
  /** Of connections that were closed: the others that were open then may be as dead as those. */
  readonly resends: WaitingList = { attempts: [], accepts: (link) => this.isNew(link) };
  /** Copies of queries behind a slow one. */
  readonly rescues: WaitingList = { attempts: [], accepts: isIdle };
  /** Copies of queries on connections that never answered. */
  readonly stranded: WaitingList = { attempts: [], accepts: isProven };
  /** The first ones are served first. */
  readonly lists: readonly WaitingList[] = [this.stranded, this.rescues, this.resends, this.fresh];
  private lastBreak: Milliseconds = -Infinity;

  get size(): number {
    const { stranded, rescues, resends, fresh } = this;
    return stranded.attempts.length + rescues.attempts.length + resends.attempts.length + fresh.attempts.length;
  }

  /** A connection was closed that had been good; its query is to go down one that is opened from now on. */
  resend(attempt: Attempt, now: Milliseconds): void {
    this.lastBreak = now;
    this.resends.attempts.push(attempt);
  }

  /** Whether a connection was opened after the last one was closed by the peer. */
  isNew({ openedAt }: StreamConnection): boolean {
    return openedAt >= this.lastBreak;
  }

  /** Takes all out. */
  clear(): Attempt[] {
    return this.lists.flatMap(({ attempts }) => attempts.splice(0));
  }
}
