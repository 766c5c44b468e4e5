import { mapReply, type Handler, type Next, type Outcome, type Query, type Reply } from '../../chain/index.js';
import { Flag } from '../../wire/index.js';

/** Header flags to switch on and off, as bits of the second header word. No bit is in both. */
export interface FlagChange {
  readonly set: number;
  readonly clear: number;
}

/** Switches header flags in queries before the next plugins see them, and in answers. */
export class HeaderHandler implements Handler {
  readonly name = 'header';
  readonly role = 'wraps';
  /** RD of an answer is the query's own. */
  readonly dependsOn: 'question' | 'query';

  constructor(
    private readonly queries: FlagChange,
    private readonly responses: FlagChange,
  ) {
    const touched = queries.set | queries.clear | responses.set | responses.clear;
    this.dependsOn = touched & Flag.RD ? 'query' : 'question';
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { queries, responses } = this;
    const changed = same(query.queryFlags, queries) ? query : query.withFlags(queries.set, queries.clear);
    return mapReply(next(changed), (reply) => withFlags(reply.repeats ?? changed, query, reply, responses));
  }
}

const same = (flags: number, { set, clear }: FlagChange): boolean => ((flags & ~clear) | set) === flags;

/** RD of an answer is that of the query which it repeats. */
function withFlags(asked: Query, query: Query, reply: Reply, change: FlagChange): Reply {
  const answered = reply.written ? change : NONE;
  const repeated = { set: answered.set & Flag.RD, clear: answered.clear & Flag.RD };
  const head = same(asked.queryFlags, repeated) ? asked : asked.withFlags(repeated.set, repeated.clear);
  const own = { set: answered.set & ~Flag.RD, clear: answered.clear & ~Flag.RD };
  const flagged = same(reply.flags, own)
    ? reply
    : reply.withHeader({ flags: (reply.flags & ~own.clear) | own.set }).withLease(reply.lease);
  return head === query ? flagged : flagged.repeating(head);
}

const NONE: FlagChange = { set: 0, clear: 0 };
