import type { Query, Reply } from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import type { Matcher } from './matcher.js';
import type { ReplyChange, Rewritten, RewriteRule } from './rule.js';

/** Changes the type of the question. */
export class TypeRule implements RewriteRule {
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  rewrite(query: Query): Rewritten | undefined {
    return query.type === this.from ? { query: query.withQuestion(query.qname, this.to), changes: [] } : undefined;
  }
}

/** Changes the class of the question. */
export class ClassRule implements RewriteRule {
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  rewrite(query: Query): Rewritten | undefined {
    return query.class === this.from
      ? { query: query.withQuestion(query.qname, query.type, this.to), changes: [] }
      : undefined;
  }
}

/** Changes the reply to questions with certain names, and leaves the query as it is. */
export class ReplyRule implements RewriteRule {
  private readonly changes: readonly ReplyChange[];

  constructor(
    private readonly matcher: Matcher,
    change: ReplyChange,
  ) {
    this.changes = [change];
  }

  rewrite(query: Query): Rewritten | undefined {
    return this.matcher.test(query.name) ? { query, changes: this.changes } : undefined;
  }
}

/** Keeps TTLs within bounds, both allowed values themselves. */
export class TtlChange implements ReplyChange {
  constructor(
    private readonly min: Seconds,
    private readonly max: Seconds,
  ) {}

  apply(reply: Reply): Reply {
    return reply.mapRecords((record) => {
      const ttl = Math.min(Math.max(record.ttl, this.min), this.max);
      return ttl === record.ttl ? record : { ...record, ttl };
    });
  }
}

/** Puts one response code in place of another. */
export class RcodeChange implements ReplyChange {
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  apply(reply: Reply): Reply {
    return reply.rcode === this.from ? reply.withHeader({ rcode: this.to }) : reply;
  }
}
