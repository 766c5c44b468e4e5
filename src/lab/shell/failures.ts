import type { PipelineNode } from 'unbash';
import type { ShellIo } from './io.js';
import { LineError } from './parse.js';
import type { Scope } from './scope.js';
import { Unwind } from './unwind.js';

/** What a shell is: one that somebody has, a program that was called, or a part of another one. */
export type ShellKind = 'session' | 'program' | 'subshell';

/** Exit code of a shell that ends at a variable without a value. */
const UNBOUND = 127;
/** What can fail by itself; other commands fail by what is in them. */
const FAILS = ['Command', 'Pipeline', 'Subshell', 'TestCommand', 'ArithmeticCommand'];

/** What follows when a command fails, a variable has no value, or the shell ends: `set -e`, `set -u` and `trap`. */
export class Failures {
  /** How many conditions are under way: what fails in one is no failure. */
  private conditions = 0;

  /**
   * @param part runs a text in the shell
   * @param from the shell that this one is a part of
   */
  constructor(
    readonly kind: ShellKind,
    private readonly scope: Scope,
    private readonly part: (text: string, io: ShellIo) => Promise<number>,
    from?: Failures,
  ) {
    this.conditions = from?.conditions ?? 0;
  }

  async leniently(run: () => Promise<number>): Promise<number> {
    this.conditions++;
    try {
      return await run();
    } finally {
      this.conditions--;
    }
  }

  /** What failed is told to `trap ... ERR`, and ends the shell after `set -e`: then an Unwind is thrown. */
  async checked(node: PipelineNode, code: number, io: ShellIo): Promise<number> {
    const { scope } = this;
    if (node.type !== 'Pipeline') scope.set('PIPESTATUS', [String(code)]);
    const { type } = node.type === 'Redirected' ? node.command : node;
    if (code === 0 || this.conditions > 0 || !FAILS.includes(type)) return code;
    scope.status = code;
    const text = scope.calls === 0 ? scope.traps.get('ERR') : undefined;
    if (text !== undefined) await this.leniently(() => this.part(text, io));
    if (scope.options.has('errexit')) throw new Unwind('exit', code);
    return code;
  }

  /** A variable has no value: after `set -u` that ends the shell, or the line where somebody sits at it. */
  unset(name: string, io: ShellIo): void {
    const { options } = this.scope;
    if (!options.has('nounset')) return;
    const message = `bash: ${name}: unbound variable`;
    if (io.interactive === true) throw new LineError(message);
    io.error(`${message}\n`);
    throw new Unwind('exit', this.kind === 'subshell' || options.has('errexit') ? 1 : UNBOUND);
  }

  /** Runs what `trap ... EXIT` has set. Resolves with the exit code. */
  async atExit(io: ShellIo): Promise<number> {
    const { scope } = this;
    const { status } = scope;
    const text = scope.traps.get('EXIT');
    scope.traps.delete('EXIT');
    try {
      if (text !== undefined) await this.part(text, io);
      return (scope.status = status);
    } catch (error) {
      if (!(error instanceof Unwind)) throw error;
      return (scope.status = error.code);
    }
  }
}
