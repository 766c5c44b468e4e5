import { lookUp, type Found, type Next, type Query, type Reply } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import { Flag, Type, isName, lowerName, readName, type Name } from '../../wire/index.js';
import { withName } from './answer.js';
import type { Matcher } from './matcher.js';
import { InvalidName, type ReplyChange, type Rewritten, type RewriteRule } from './rule.js';

/**
 * Changes the target of an alias in the reply, and brings the records of the new target in place of those of the old
 * one.
 */
export class CnameRule implements RewriteRule {
  /** @param ask asks the server itself */
  constructor(
    private readonly matcher: Matcher,
    private readonly ask: Next,
    private readonly log: Logger,
  ) {}

  rewrite(query: Query): Rewritten {
    return { query, changes: [new TargetChange(this.matcher, query, this.ask, this.log)] };
  }
}

class TargetChange implements ReplyChange {
  constructor(
    private readonly matcher: Matcher,
    private readonly query: Query,
    private readonly ask: Next,
    private readonly log: Logger,
  ) {}

  apply(reply: Reply): Reply | Promise<Reply> {
    const target = this.newTarget(reply);
    if (target === undefined) return reply;
    if (!isName(target)) throw new InvalidName(target);
    const found = lookUp(this.ask, this.query, target, this.query.type);
    return found instanceof Promise
      ? found.then((settled) => this.retarget(reply, target, settled))
      : this.retarget(reply, target, found);
  }

  private newTarget(reply: Reply): Name | undefined {
    for (const { type, rdata } of reply.answer) {
      const target = type === Type.CNAME ? this.matcher.replace(lowerName(readName(rdata, 0).name)) : undefined;
      if (target !== undefined) return target;
    }
    return undefined;
  }

  /**
   * All aliases lead to the new target, as in the reference; what they led to gives way to what the server says about
   * it.
   */
  private retarget(reply: Reply, target: Name, found: Found | undefined): Reply {
    if (found === undefined) {
      this.log.error(`no answer for the CNAME target ${target}`);
      return reply;
    }
    const aliases = reply.answer
      .filter(({ type }) => type === Type.CNAME)
      .map((record) => withName(record, 0, () => target));
    const flags = found.truncated ? reply.flags | Flag.TC : reply.flags & ~Flag.TC;
    return reply.withSections({ answer: [...aliases, ...found.answer] }).withHeader({ flags });
  }
}
