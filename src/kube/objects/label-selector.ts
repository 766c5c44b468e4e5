import { NodensError } from '../../lib/errors.js';
import type { ObjectLabels } from './objects.js';

/** A selector that cannot be read; the message says where and what is allowed there. */
export class LabelSelectorError extends NodensError {
  override readonly name = 'LabelSelectorError';

  constructor(message: string) {
    super('NODENS_LABEL_SELECTOR', message);
  }
}

type Test = (labels: ObjectLabels) => boolean;

/**
 * Optional DNS prefix and slash, then at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at both
 * ends.
 */
const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const TOKEN = /\s*(?:(==|!=|=|!|,|\(|\)|<|>)|([^\s,()=!<>]+))/y;
const OPERATORS = '=, ==, !=, in, notin, or nothing';

/**
 * A label selector as the Kubernetes API takes it: `a=b`, `a==b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`,
 * joined by commas
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/). All terms must hold; an empty selector
 * matches all.
 */
export class LabelSelector {
  private constructor(
    /** In the spelling that goes to the API. */
    readonly text: string,
    private readonly tests: readonly Test[],
  ) {}

  /** Throws a {@link LabelSelectorError}. */
  static parse(text: string): LabelSelector {
    const reader = new SelectorReader(text);
    const tests: Test[] = [];
    if (reader.peek() !== undefined) {
      do tests.push(reader.term());
      while (reader.take(','));
    }
    if (reader.peek() !== undefined) throw reader.unexpected('"," or the end');
    return new LabelSelector(text.trim(), tests);
  }

  matches(labels: ObjectLabels): boolean {
    return this.tests.every((test) => test(labels));
  }
}

class SelectorReader {
  private readonly tokens: string[] = [];
  private next = 0;

  constructor(private readonly text: string) {
    TOKEN.lastIndex = 0;
    for (let end = 0; ; end = TOKEN.lastIndex) {
      const match = TOKEN.exec(text);
      if (!match) break;
      if (TOKEN.lastIndex === end) break;
      this.tokens.push((match[1] ?? match[2])!);
    }
  }

  peek(): string | undefined {
    return this.tokens[this.next];
  }

  take(token: string): boolean {
    if (this.peek() !== token) return false;
    this.next++;
    return true;
  }

  unexpected(wanted: string): LabelSelectorError {
    const got = this.peek();
    return new LabelSelectorError(
      `label selector ${JSON.stringify(this.text)}: got ${got === undefined ? 'the end' : JSON.stringify(got)}, want ${wanted}`,
    );
  }

  term(): Test {
    const absent = this.take('!');
    const key = this.word(KEY, 'a label key');
    if (absent) return (labels) => labels[key] === undefined;
    const operator = this.peek();
    if (operator === undefined || operator === ',') return (labels) => labels[key] !== undefined;
    if (operator === '=' || operator === '==' || operator === '!=') {
      this.next++;
      const value = this.peek() === undefined || this.peek() === ',' ? '' : this.word(VALUE, 'a label value');
      return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
    }
    if (operator !== 'in' && operator !== 'notin') throw this.unexpected(OPERATORS);
    this.next++;
    const values = this.values();
    // A label that is not there is in no set, so "notin" holds for it.
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }

  private values(): ReadonlySet<string> {
    const values = new Set<string>();
    if (!this.take('(')) throw this.unexpected('"("');
    do values.add(this.peek() === ',' || this.peek() === ')' ? '' : this.word(VALUE, 'a label value'));
    while (this.take(','));
    if (!this.take(')')) throw this.unexpected('"," or ")"');
    return values;
  }

  private word(rule: RegExp, what: string): string {
    const word = this.peek();
    if (word === undefined || !rule.test(word)) throw this.unexpected(what);
    this.next++;
    return word;
  }
}
