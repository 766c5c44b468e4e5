import type { CompoundList, CompoundCommand, Redirected } from 'unbash';
import { ShellArray, subscript } from './array.js';

/** The body of a function. */
export type FunctionBody = CompoundCommand | Redirected | CompoundList;

/** What `set` can switch on: `-e`, `-u`, `-x` and `-o pipefail`. */
export type ShellOption = 'errexit' | 'nounset' | 'xtrace' | 'pipefail';

interface SavedVariable {
  readonly value: string | ShellArray | undefined;
  readonly exported: boolean;
}

/** What a shell remembers from line to line. */
export class Scope {
  readonly aliases: Map<string, string>;
  readonly functions: Map<string, FunctionBody>;
  /** `$1`, `$2` ... */
  args: readonly string[] = [];
  /** `$?` */
  status = 0;
  readonly options: Set<ShellOption>;
  /** What `trap` has set, by signal. */
  readonly traps = new Map<string, string>();
  /** What variables were before functions made them their own, the innermost function last. */
  private readonly frames: Map<string, SavedVariable>[];
  private readonly values: Map<string, string | ShellArray>;
  private readonly exported: Set<string>;

  constructor(from?: Scope) {
    this.aliases = new Map(from?.aliases);
    this.functions = new Map(from?.functions);
    this.values = new Map(from?.values);
    this.exported = new Set(from?.exported);
    this.options = new Set(from?.options);
    this.frames = (from?.frames ?? []).map((frame) => new Map(frame));
    this.args = from?.args ?? [];
    this.status = from?.status ?? 0;
  }

  /** The value of a variable; of an array its first element. */
  get(name: string): string | undefined {
    const value = this.values.get(name);
    return typeof value === 'object' ? value.get('0') : value;
  }

  /** The elements of an array; of another variable its only one. */
  list(name: string): readonly string[] {
    return this.array(name).values;
  }

  /** A variable as an array; one that is none has one element, or none. */
  array(name: string): ShellArray {
    const value = this.values.get(name);
    return typeof value === 'object' ? value : ShellArray.of(value === undefined ? [] : [value]);
  }

  /** A text for an array is that of its first element. */
  set(name: string, value: string | readonly string[] | ShellArray): void {
    const before = this.values.get(name);
    if (typeof value === 'string' && typeof before === 'object') this.values.set(name, before.with('0', value));
    else if (typeof value === 'string' || value instanceof ShellArray) this.values.set(name, value);
    else this.values.set(name, ShellArray.of(value));
  }

  /** @param text a variable, or `NAME[KEY]` */
  has(text: string): boolean {
    const { name, index } = subscript(text);
    return index === undefined ? this.list(name).length > 0 : this.array(name).get(index) !== undefined;
  }

  /** @param text a variable, or `NAME[KEY]` */
  unset(text: string): void {
    const { name, index } = subscript(text);
    if (index !== undefined) return void this.values.set(name, this.array(name).without(index));
    this.values.delete(name);
    this.exported.delete(name);
  }

  /** How many functions run, one called by the other. */
  get calls(): number {
    return this.frames.length;
  }

  /** Makes a variable one of the function that runs: it is without a value, and what it was comes back afterwards. */
  local(name: string): void {
    const frame = this.frames.at(-1);
    if (frame === undefined || frame.has(name)) return;
    frame.set(name, { value: this.values.get(name), exported: this.exported.has(name) });
    this.unset(name);
  }

  /** Runs a function's body with its own arguments and variables. */
  async inside(args: readonly string[], body: () => Promise<number>): Promise<number> {
    const before = this.args;
    this.args = args;
    this.frames.push(new Map());
    try {
      return await body();
    } finally {
      for (const [name, { value, exported }] of this.frames.pop()!) {
        if (value === undefined) this.unset(name);
        else this.values.set(name, value);
        this.export(name, exported);
      }
      this.args = before;
    }
  }

  export(name: string, on = true): void {
    if (on) this.exported.add(name);
    else this.exported.delete(name);
  }

  /** Sets variables that programs are given too. */
  exportAll(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.set(name, value);
      this.export(name);
    }
  }

  /** What a program is given: the variables that are exported. */
  get environment(): Readonly<Record<string, string>> {
    const env: Record<string, string> = {};
    for (const name of this.exported) env[name] = this.get(name) ?? '';
    return env;
  }

  get names(): readonly string[] {
    return [...this.values.keys()].sort();
  }

  isExported(name: string): boolean {
    return this.exported.has(name);
  }

  /** `NAME=VALUE` before a command of the shell itself lasts as long as that. */
  async within(env: Readonly<Record<string, string>>, work: () => Promise<number>): Promise<number> {
    const names = Object.keys(env);
    if (names.length === 0) return work();
    const before = names.map((name) => [name, this.get(name), this.isExported(name)] as const);
    for (const name of names) {
      this.set(name, env[name]!);
      this.export(name);
    }
    try {
      return await work();
    } finally {
      for (const [name, value, exported] of before) {
        if (value === undefined) this.unset(name);
        else this.set(name, value);
        this.export(name, exported);
      }
    }
  }
}
