import { Reply, type DependsOn, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { Rcode, ExtendedErrorCode, explained } from '../../wire/index.js';
import { InvalidName, type ReplyChange, type RewriteRule } from './rule.js';

/** A rule, and whether it is the last one for a query that it fits. */
export interface Step {
  readonly rule: RewriteRule;
  readonly stops: boolean;
}

/** Changes queries before the next handlers see them, and their replies back. */
export class Rewrite implements Handler {
  readonly name = 'rewrite';
  readonly role = 'observes';

  constructor(private readonly steps: readonly Step[]) {}

  /** What changes only the question, or the answer by it, hands on what others answer as far as sharing goes. */
  get dependsOn(): DependsOn {
    return this.steps.every(({ rule }) => (rule.dependsOn ?? 'question') === 'question') ? 'question' : 'query';
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    let current = query;
    let changes: readonly ReplyChange[] | undefined;
    try {
      for (const { rule, stops } of this.steps) {
        const rewritten = rule.rewrite(current);
        if (rewritten === undefined) continue;
        current = rewritten.query;
        changes = changes === undefined ? rewritten.changes : [...changes, ...rewritten.changes];
        if (stops) break;
      }
    } catch (error) {
      return failure(error);
    }
    if (changes === undefined) return next(query);
    const back = changes.toReversed();
    const outcome = next(current);
    return outcome instanceof Promise
      ? outcome.then((settled) => changed(settled, query, current, back))
      : changed(outcome, query, current, back);
  }
}

function changed(
  outcome: Outcome,
  query: Query,
  current: Query,
  changes: readonly ReplyChange[],
): Outcome | Promise<Outcome> {
  if (!(outcome instanceof Reply)) return outcome;
  try {
    const made = changes.reduce<Reply | Promise<Reply>>(
      (reply, change) =>
        reply instanceof Promise ? reply.then((settled) => change.apply(settled)) : change.apply(reply),
      current.qname === query.qname ? outcome : withOwnersWritten(outcome, current),
    );
    return made instanceof Promise
      ? made.then((reply) => withOpt(reply, query, current), failure)
      : withOpt(made, query, current);
  } catch (error) {
    return failure(error);
  }
}

/** As with CoreDNS, the OPT record that a query was given is answered, and its size holds. */
const withOpt = (reply: Reply, query: Query, current: Query): Reply =>
  current.hasEdns && !query.hasEdns && reply.repeats === undefined ? reply.repeating(current) : reply;

/**
 * Owners that take over the spelling of the question would take over that of the client, who asked for another name:
 * they get that of the question asked.
 */
function withOwnersWritten(reply: Reply, asked: Query): Reply {
  if (reply.records.owners === undefined) return reply;
  const { answer, authority, additional } = reply.messageFor(asked);
  return reply.withSections({ answer, authority, additional });
}

const NO_NAME = explained(ExtendedErrorCode.Other, 'a rewritten name breaks its limits');

function failure(error: unknown): Reply {
  if (!(error instanceof InvalidName)) throw error;
  return Reply.failure(Rcode.SERVFAIL, error).withEdns(NO_NAME);
}
