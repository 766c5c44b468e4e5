import type { Handler, Next, Outcome, Query } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';

/** Says until when handlers may begin something new for a query. */
export class Cancel implements Handler {
  readonly name = 'cancel';
  readonly role = 'observes';
  readonly dependsOn = 'question';

  constructor(private readonly timeout: Milliseconds) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    query.context.endsBy(query.received + this.timeout);
    return next(query);
  }
}
