import { NodensError } from '../../lib/errors.js';
import type { DependsOn, Query, Reply } from '../../chain/index.js';

/**
 * A change to be made to the reply, because the question was changed or a rule asks for it. It returns a changed
 * copy, or the reply itself.
 */
export interface ReplyChange {
  apply(reply: Reply): Reply | Promise<Reply>;
}

/** What a rule that fits makes of a query. */
export interface Rewritten {
  /** The query to go on with, perhaps the same. */
  readonly query: Query;
  /** Changes of the reply, made in the opposite order. */
  readonly changes: readonly ReplyChange[];
}

/** One `rewrite` directive. */
export interface RewriteRule {
  /** `question` when left out. */
  readonly dependsOn?: DependsOn;
  /** undefined when the rule does not fit the query. Throws an InvalidName where it makes a name that is none. */
  rewrite(query: Query): Rewritten | undefined;
}

/** A rewrite whose outcome is no domain name. */
export class InvalidName extends NodensError {
  override readonly name = 'InvalidName';

  constructor(text: string) {
    super('NODENS_NAME', `invalid name after rewrite: ${text}`);
  }
}
