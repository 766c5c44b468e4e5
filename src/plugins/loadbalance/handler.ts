import { Reply, type Handler, type Next, type Outcome, type Query, type DependsOn } from '../../chain/index.js';
import { Rcode, Type } from '../../wire/index.js';
import { RoundRobin, type RotationPolicy } from './policy.js';

/**
 * Puts the records of what comes back in order. Replies with one address, and all that are no success, pass
 * untouched.
 */
export class LoadBalance implements Handler {
  readonly name = 'loadbalance';
  readonly role = 'wraps';

  /** @param policies each works on what the one before it left */
  constructor(private readonly policies: readonly RotationPolicy[]) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.arrange(settled, query))
      : this.arrange(outcome, query);
  }

  /** An order that was asked for has to be given each time; one at random need not change with each answer. */
  get dependsOn(): DependsOn {
    return this.policies.every((policy) => policy instanceof RoundRobin) ? 'question' : 'query';
  }

  private arrange(outcome: Outcome, query: Query): Outcome {
    if (!(outcome instanceof Reply) || outcome.rcode !== Rcode.NOERROR || !outcome.written) return outcome;
    // A zone transfer begins and ends with its SOA record (RFC 5936 section 2.2).
    if (query.type === Type.AXFR || query.type === Type.IXFR) return outcome;
    let { records } = outcome;
    for (const policy of this.policies) records = policy.arrange(records, query);
    return records === outcome.records ? outcome : outcome.withOrder(records);
  }
}
