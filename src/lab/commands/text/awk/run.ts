import { CommandError } from '../../../session/command.js';
import { Unwind } from '../../../shell/unwind.js';
import { patternOf } from '../input.js';
import type { AwkExpression, AwkRule, AwkStatement } from './program.js';
import { AwkMemory } from './memory.js';
import { arithmetic, compared, formatted, looksNumeric, num, split, str } from './values.js';
import type { AwkValue } from './values.js';

/** Joins the keys of an element of several (SUBSEP). */
const KEY_SEPARATOR = '\u001c';

/** Runs the rules of a program over lines. */
export class AwkRun {
  private readonly memory = new AwkMemory();
  private readonly inRange = new Set<AwkRule>();
  private exitCode = 0;
  private left = false;

  constructor(
    private readonly rules: readonly AwkRule[],
    private readonly write: (text: string) => void,
    variables: Readonly<Record<string, string>>,
  ) {
    for (const [name, value] of Object.entries(variables)) this.memory.set(name, { text: value });
  }

  /** Whether there is more than BEGIN, so that lines are read. */
  get readsLines(): boolean {
    return this.rules.some(({ when }) => when !== 'begin');
  }

  begin(): boolean {
    return this.all('begin');
  }

  /** The lines of a file come next. */
  file(name: string): void {
    this.memory.set('FILENAME', { text: name });
    this.memory.set('FNR', 0);
  }

  /** False once the program has left. */
  take(line: string): boolean {
    this.memory.setField(0, line);
    for (const name of ['NR', 'FNR']) this.memory.set(name, num(this.memory.get(name)) + 1);
    return this.all('line');
  }

  /** Runs END; gives the exit code. */
  end(): number {
    this.all('end');
    return this.exitCode;
  }

  private all(when: AwkRule['when']): boolean {
    try {
      for (const rule of this.rules) if (rule.when === when && this.meant(rule)) this.act(rule);
    } catch (leave) {
      if (!(leave instanceof Unwind)) throw leave;
      if (leave.kind === 'exit') this.left = true;
    }
    return !this.left;
  }

  private act(rule: AwkRule): void {
    if (rule.action) this.run(rule.action);
    else this.print([]);
  }

  private meant(rule: AwkRule): boolean {
    if (!rule.pattern) return true;
    if (!rule.until) return this.truth(rule.pattern);
    if (!this.inRange.has(rule) && !this.truth(rule.pattern)) return false;
    if (this.truth(rule.until)) this.inRange.delete(rule);
    else this.inRange.add(rule);
    return true;
  }

  private run(statement: AwkStatement): void {
    switch (statement.kind) {
      case 'block':
        return statement.body.forEach((one) => this.run(one));
      case 'print':
        return this.print(statement.args);
      case 'printf':
        return this.write(this.formatted(statement.args));
      case 'if':
        if (this.truth(statement.test)) this.run(statement.yes);
        else if (statement.no) this.run(statement.no);
        return;
      case 'loop':
        return this.loop(statement);
      case 'each': {
        for (const key of [...this.memory.array(statement.array).keys()]) {
          this.memory.set(statement.name, { text: key });
          if (this.round(statement.body)) return;
        }
        return;
      }
      case 'delete':
        if (statement.keys) this.memory.array(statement.array).delete(this.key(statement.keys));
        else this.memory.array(statement.array).clear();
        return;
      case 'next':
      case 'break':
      case 'continue':
        throw new Unwind(statement.kind === 'next' ? 'return' : statement.kind, 0);
      case 'exit':
        // Without a code of its own, the one of an earlier exit stays.
        if (statement.code) this.exitCode = num(this.value(statement.code)) & 255;
        throw new Unwind('exit', 0);
      case 'expression':
        this.value(statement.of);
    }
  }

  /** More rounds than any use of a loop in a pipe needs: one that never ends is stopped. */
  private static readonly MAX_ROUNDS = 1_000_000;

  private loop({ first, test, step, body, bodyFirst }: Extract<AwkStatement, { kind: 'loop' }>): void {
    if (first) this.run(first);
    for (let rounds = 0; (bodyFirst === true && rounds === 0) || !test || this.truth(test); rounds++) {
      if (rounds >= AwkRun.MAX_ROUNDS)
        throw new CommandError(`awk: a loop ran ${AwkRun.MAX_ROUNDS} times; it would never end`, 2);
      if (this.round(body)) return;
      if (step) this.run(step);
    }
  }

  /** One round of a loop; true where it was left. */
  private round(body: AwkStatement): boolean {
    try {
      this.run(body);
    } catch (leave) {
      if (!(leave instanceof Unwind) || (leave.kind !== 'break' && leave.kind !== 'continue')) throw leave;
      return leave.kind === 'break';
    }
    return false;
  }

  private print(args: readonly AwkExpression[]): void {
    const [separator, ending] = [this.memory.text('OFS'), this.memory.text('ORS')];
    this.write(
      (args.length === 0 ? this.memory.record.line : args.map((arg) => str(this.value(arg))).join(separator)) + ending,
    );
  }

  private formatted(args: readonly AwkExpression[]): string {
    const [format = '', ...values] = args.map((arg) => this.value(arg));
    return formatted(str(format), values);
  }

  private value(of: AwkExpression): AwkValue {
    switch (of.kind) {
      case 'number':
      case 'string':
        return of.value;
      case 'regex':
        return Number(of.pattern.test(this.memory.record.line));
      case 'variable':
        return this.memory.get(of.name);
      case 'field':
        return { text: this.memory.record.field(num(this.value(of.index))) };
      case 'element':
        return this.memory.element(of.array, this.key(of.keys));
      case 'in':
        return Number(this.memory.array(of.array).has(this.key(of.keys)));
      case 'assign': {
        const right = this.value(of.value);
        const value = of.sign === '=' ? right : arithmetic(of.sign[0]!, num(this.value(of.target)), num(right));
        this.set(of.target, value);
        return value;
      }
      case 'step': {
        const before = num(this.value(of.target));
        this.set(of.target, before + of.by);
        return of.before ? before + of.by : before;
      }
      case 'unary':
        return of.sign === '!' ? Number(!this.truth(of.of)) : (of.sign === '-' ? -1 : 1) * num(this.value(of.of));
      case 'binary':
        return this.binary(of);
      case 'choice':
        return this.value(this.truth(of.test) ? of.yes : of.no);
      case 'call':
        return this.call(of.name, of.args);
    }
  }

  private binary({ sign, left, right }: Extract<AwkExpression, { kind: 'binary' }>): AwkValue {
    switch (sign) {
      case '&&':
        return Number(this.truth(left) && this.truth(right));
      case '||':
        return Number(this.truth(left) || this.truth(right));
      case '':
        return str(this.value(left)) + str(this.value(right));
      case '~':
      case '!~':
        return Number(this.pattern(right).test(str(this.value(left))) === (sign === '~'));
      case '<':
      case '<=':
      case '==':
      case '!=':
      case '>':
      case '>=':
        return Number(compared(sign, this.value(left), this.value(right)));
      default:
        return arithmetic(sign, num(this.value(left)), num(this.value(right)));
    }
  }

  private call(name: string, args: readonly AwkExpression[]): AwkValue {
    const texts = (): string[] => args.map((arg) => str(this.value(arg)));
    switch (name) {
      case 'length':
        return args[0]?.kind === 'variable' && this.memory.arrays.has(args[0].name)
          ? this.memory.arrays.get(args[0].name)!.size
          : (texts()[0] ?? this.memory.record.line).length;
      case 'substr': {
        const [text = '', from, count] = args.map((arg) => this.value(arg));
        const start = Math.round(num(from ?? 1));
        const stop = count === undefined ? Infinity : start + Math.round(num(count));
        return str(text).slice(Math.max(0, start - 1), Math.max(0, stop - 1));
      }
      case 'index':
        return texts()[0]!.indexOf(texts()[1] ?? '') + 1;
      case 'split':
        return this.split(args);
      case 'sub':
      case 'gsub':
        return this.substitute(args, name === 'gsub');
      case 'match': {
        const found = this.pattern(args[1]!).exec(texts()[0]!);
        this.memory.set('RSTART', found ? found.index + 1 : 0);
        this.memory.set('RLENGTH', found ? found[0].length : -1);
        return found ? found.index + 1 : 0;
      }
      case 'toupper':
        return (texts()[0] ?? '').toUpperCase();
      case 'tolower':
        return (texts()[0] ?? '').toLowerCase();
      case 'int':
        return Math.trunc(num(this.value(args[0]!)));
      case 'sprintf':
        return this.formatted(args);
      default:
        throw new CommandError(`awk: function ${name} not defined`, 2);
    }
  }

  private split([text, array, separator]: readonly AwkExpression[]): number {
    if (array?.kind !== 'variable') throw new CommandError('awk: split: the second argument is an array', 2);
    const parts = split(str(this.value(text!)), separator ? this.separator(separator) : this.memory.text('FS'));
    this.memory.arrays.set(array.name, new Map(parts.map((part, i) => [String(i + 1), { text: part }])));
    return parts.length;
  }

  private separator(of: AwkExpression): string | RegExp {
    return of.kind === 'regex' ? of.pattern : str(this.value(of));
  }

  private substitute([pattern, replacement, target]: readonly AwkExpression[], all: boolean): number {
    const place: AwkExpression = target ?? { kind: 'field', index: { kind: 'number', value: 0 } };
    const found = this.pattern(pattern!);
    const text = str(this.value(replacement!));
    let count = 0;
    const made = str(this.value(place)).replace(new RegExp(found.source, all ? 'g' : ''), (match: string) => {
      count++;
      return text.replace(/\\&|&/g, (sign) => (sign === '&' ? match : '&'));
    });
    if (count > 0) this.set(place, made);
    return count;
  }

  private pattern(of: AwkExpression): RegExp {
    return of.kind === 'regex' ? of.pattern : patternOf('awk', str(this.value(of)), { extended: true });
  }

  private truth(of: AwkExpression): boolean {
    const value = this.value(of);
    if (typeof value === 'number') return value !== 0;
    if (typeof value === 'string') return value !== '';
    return looksNumeric(value.text) ? Number(value.text) !== 0 : value.text !== '';
  }

  private set(target: AwkExpression, value: AwkValue): void {
    if (target.kind === 'variable') this.memory.set(target.name, value);
    else if (target.kind === 'element') this.memory.array(target.array).set(this.key(target.keys), value);
    else if (target.kind === 'field') this.memory.setField(num(this.value(target.index)), str(value));
  }

  private key(keys: readonly AwkExpression[]): string {
    return keys.map((key) => str(this.value(key))).join(KEY_SEPARATOR);
  }
}
