import type { Query } from '../../chain/index.js';
import { isName, type Name } from '../../wire/index.js';
import { OwnerChange, ValueChange, backFrom } from './answer.js';
import type { Matcher } from './matcher.js';
import { InvalidName, type ReplyChange, type Rewritten, type RewriteRule } from './rule.js';

/** Changes the name of the question, and names of the reply back. */
export class NameRule implements RewriteRule {
  /**
   * @param back whether names of the reply that are, or are below, the new name are changed back to the old one
   * @param changes further changes of the reply
   */
  constructor(
    private readonly matcher: Matcher,
    private readonly back: boolean,
    private readonly changes: readonly ReplyChange[],
  ) {}

  rewrite(query: Query): Rewritten | undefined {
    const name = this.matcher.replace(query.name);
    if (name === undefined) return undefined;
    if (!isName(name)) throw new InvalidName(name);
    return {
      query: query.withQuestion(name),
      changes: this.back ? [...undo(name, query.name), ...this.changes] : this.changes,
    };
  }
}

function undo(rewritten: Name, original: Name): ReplyChange[] {
  const rename = backFrom(rewritten, original);
  return [new OwnerChange(rename), new ValueChange(rename)];
}
