import { CommandError } from '../../../session/command.js';
import { patternOf } from '../input.js';
import { AwkCursor } from './cursor.js';
import type { AwkExpression, AwkRule, AwkStatement } from './program.js';

const ASSIGNS = ['=', '+=', '-=', '*=', '/=', '%=', '^='];
/** Signs between two values by how tight they bind, the loosest first; the empty one puts texts together. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['~', '!~'],
  ['<', '<=', '==', '!=', '>', '>='],
  [''],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Reads an awk program. Throws a CommandError that shows what could not be read. */
export function parseAwk(program: string): readonly AwkRule[] {
  return new AwkParser(program).rules();
}

class AwkParser extends AwkCursor {
  /** Inside `print`, a `>` is no comparison, and inside `for (`, `in` is not an operator. */
  private bare = false;

  rules(): readonly AwkRule[] {
    const rules: AwkRule[] = [];
    for (this.skip(); this.token.kind !== 'end'; this.skip()) rules.push(this.rule());
    return rules;
  }

  private rule(): AwkRule {
    const word = this.token.text;
    if (this.token.kind === 'name' && (word === 'BEGIN' || word === 'END')) {
      this.place++;
      return { when: word === 'BEGIN' ? 'begin' : 'end', action: this.block() };
    }
    const pattern = this.is('{') ? undefined : this.expression();
    const until = pattern && this.took(',') ? this.expression() : undefined;
    const action = this.is('{') ? this.block() : undefined;
    return { when: 'line', ...(pattern && { pattern }), ...(until && { until }), ...(action && { action }) };
  }

  private block(): AwkStatement {
    this.need('{');
    const body: AwkStatement[] = [];
    for (this.skip(); !this.took('}'); this.skip()) body.push(this.statement());
    return { kind: 'block', body };
  }

  private statement(): AwkStatement {
    if (this.is('{')) return this.block();
    const { kind, text } = this.token;
    if (kind === 'name' || kind === 'call') {
      const special = this.keyword(text);
      if (special) return special;
    }
    return this.simple();
  }

  private keyword(word: string): AwkStatement | undefined {
    switch (word) {
      case 'if': {
        const test = this.condition();
        const yes = this.body();
        this.skip();
        return this.took('else') ? { kind: 'if', test, yes, no: this.body() } : { kind: 'if', test, yes };
      }
      case 'while':
        return { kind: 'loop', test: this.condition(), body: this.body() };
      case 'do': {
        this.place++;
        const body = this.body();
        this.skip();
        this.expectWord('while');
        this.place--;
        return { kind: 'loop', body, test: this.condition(), bodyFirst: true };
      }
      case 'for':
        return this.forLoop();
      case 'next':
      case 'break':
      case 'continue':
        this.place++;
        return { kind: word };
      case 'exit': {
        this.place++;
        return this.ends() ? { kind: 'exit' } : { kind: 'exit', code: this.expression() };
      }
      default:
        return undefined;
    }
  }

  /** `(TEST)` after a word. */
  private condition(): AwkExpression {
    this.place++;
    this.need('(');
    const test = this.expression();
    this.need(')');
    return test;
  }

  private body(): AwkStatement {
    this.skip();
    return this.statement();
  }

  private forLoop(): AwkStatement {
    this.place++;
    this.need('(');
    const [name, word, array, close] = this.tokens.slice(this.place, this.place + 4);
    if (name?.kind === 'name' && word?.text === 'in' && close?.text === ')') {
      this.place += 4;
      return { kind: 'each', name: name.text, array: array!.text, body: this.body() };
    }
    const first = this.is(';') ? undefined : this.simple();
    this.need(';');
    const test = this.is(';') ? undefined : this.expression();
    this.need(';');
    const step = this.is(')') ? undefined : this.simple();
    this.need(')');
    return { kind: 'loop', ...(first && { first }), ...(test && { test }), ...(step && { step }), body: this.body() };
  }

  private simple(): AwkStatement {
    const { text } = this.token;
    if (text === 'print' || text === 'printf') {
      this.place++;
      const args = this.ends() ? [] : this.printed();
      if (this.is('>') || this.is('|'))
        throw new CommandError(
          `awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk`,
          2,
        );
      return { kind: text, args };
    }
    if (text === 'delete') {
      this.place++;
      const target = this.expression();
      if (target.kind === 'variable') return { kind: 'delete', array: target.name };
      if (target.kind === 'element') return { kind: 'delete', array: target.array, keys: target.keys };
      return this.fail();
    }
    return { kind: 'expression', of: this.expression() };
  }

  private printed(): readonly AwkExpression[] {
    this.bare = true;
    try {
      // `print (a, b)`: the list stands in brackets.
      const start = this.place;
      if (this.took('(')) {
        this.bare = false;
        const inside = this.list(')');
        if (this.ends()) return inside;
        this.place = start;
        this.bare = true;
      }
      const args = [this.expression()];
      while (this.comma()) args.push(this.expression());
      return args;
    } finally {
      this.bare = false;
    }
  }

  private expression(): AwkExpression {
    const left = this.ternary();
    const sign = ASSIGNS.find((one) => this.is(one));
    if (sign === undefined) return left;
    if (!['variable', 'field', 'element'].includes(left.kind)) return this.fail();
    this.place++;
    return { kind: 'assign', sign, target: left, value: this.expression() };
  }

  private ternary(): AwkExpression {
    const test = this.level(0);
    if (!this.took('?')) return test;
    const yes = this.ternary();
    this.need(':');
    return { kind: 'choice', test, yes, no: this.ternary() };
  }

  private level(depth: number): AwkExpression {
    const signs = LEVELS[depth];
    if (!signs) return this.unary();
    let left = this.level(depth + 1);
    for (;;) {
      if (depth === 2 && this.token.text === 'in' && this.token.kind === 'name') {
        this.place++;
        left = { kind: 'in', keys: [left], array: this.token.text };
        this.place++;
        continue;
      }
      const sign = signs.find((one) => (one === '' ? this.beginsValue() : this.is(one) && !(this.bare && one === '>')));
      if (sign === undefined) return left;
      if (sign !== '') this.place++;
      if (sign === '||' || sign === '&&') this.skip();
      left = { kind: 'binary', sign, left, right: this.level(depth + 1) };
    }
  }

  /** Whether what follows is a value that is put behind the one before it. */
  private beginsValue(): boolean {
    const { kind, text } = this.token;
    if (kind === 'name') return text !== 'in';
    return ['number', 'string', 'call'].includes(kind) || ['$', '(', '!'].includes(text);
  }

  private unary(): AwkExpression {
    for (const sign of ['!', '-', '+']) if (this.took(sign)) return { kind: 'unary', sign, of: this.unary() };
    for (const [sign, by] of [
      ['++', 1],
      ['--', -1],
    ] as const)
      if (this.took(sign)) return { kind: 'step', by, before: true, target: this.unary() };
    const base = this.postfix();
    return this.took('^') ? { kind: 'binary', sign: '^', left: base, right: this.unary() } : base;
  }

  private postfix(): AwkExpression {
    const base = this.primary();
    if (!['variable', 'field', 'element'].includes(base.kind)) return base;
    for (const [sign, by] of [
      ['++', 1],
      ['--', -1],
    ] as const)
      if (this.took(sign)) return { kind: 'step', by, before: false, target: base };
    return base;
  }

  private primary(): AwkExpression {
    const { kind, text } = this.token;
    this.place++;
    switch (kind) {
      case 'number':
        return { kind: 'number', value: Number(text) };
      case 'string':
        return { kind: 'string', value: text };
      case 'regex':
        return { kind: 'regex', pattern: patternOf('awk', text, { extended: true }) };
      case 'call':
        this.need('(');
        return { kind: 'call', name: text, args: this.list(')') };
      case 'name':
        if (text === 'length') return { kind: 'call', name: 'length', args: [] };
        return this.took('[')
          ? { kind: 'element', array: text, keys: this.list(']') }
          : { kind: 'variable', name: text };
      case 'sign':
        if (text === '$')
          return { kind: 'field', index: this.took('++') || this.took('--') ? this.fail() : this.primary() };
        if (text === '(') {
          const [wasBare, inside] = [this.bare, this.inBrackets()];
          this.bare = wasBare;
          return inside;
        }
        break;
      case 'newline':
      case 'end':
        break;
    }
    this.place--;
    return this.fail();
  }

  private inBrackets(): AwkExpression {
    this.bare = false;
    const keys = this.list(')');
    if (keys.length === 1) return keys[0]!;
    this.expectWord('in');
    const array = this.token.text;
    this.place++;
    return { kind: 'in', keys, array };
  }

  private list(end: string): readonly AwkExpression[] {
    const items: AwkExpression[] = [];
    if (this.took(end)) return items;
    do items.push(this.expression());
    while (this.comma());
    this.need(end);
    return items;
  }

  /** A comma between values, after which the line may end. */
  private comma(): boolean {
    const there = this.took(',');
    if (there) this.skip();
    return there;
  }
}
