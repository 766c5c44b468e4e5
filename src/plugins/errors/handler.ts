import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Consolidation } from './consolidation.js';

/** Reports why queries could not be answered. Replies that carry no cause pass without cost. */
export class Errors implements Handler {
  readonly name = 'errors';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn = 'question';
  private stopped = false;

  constructor(
    private readonly consolidations: readonly Consolidation[],
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query);
    if (outcome instanceof Promise) {
      return outcome.then((settled) => {
        if (settled instanceof Reply && settled.cause !== undefined) this.report(query, settled, settled.cause);
        return settled;
      });
    }
    if (outcome instanceof Reply && outcome.cause !== undefined) this.report(query, outcome, outcome.cause);
    return outcome;
  }

  /**
   * Writes what is still being counted; from then on each error is a line of its own, as nothing would be left to
   * count it.
   */
  stop(): void {
    this.stopped = true;
    for (const consolidation of this.consolidations) consolidation.flush();
  }

  private report(query: Query, reply: Reply, cause: Error): void {
    const text = cause.message;
    const line = `${reply.rcode} ${query.name} ${query.typeName}: ${text}`;
    const consolidation = this.consolidations.find((candidate) => candidate.matches(text));
    if (consolidation === undefined) this.log.error(line);
    else if (this.stopped) consolidation.writeAlone(line);
    else consolidation.add(this.clock, line);
  }
}
