import type {
  AndOr,
  Assignment,
  Command,
  CommandNode,
  CompoundList,
  Negation,
  ParsedScript,
  Pipeline,
  PipelineNode,
  Statement,
  Time,
} from 'unbash';
import { exitCodeOf, isExpected } from '../../lib/errors.js';
import { assign, assignmentWord } from './assign.js';
import type { RunningShell } from './builtin.js';
import { BUILTINS } from './builtins.js';
import { Compound } from './compound.js';
import { Expander } from './expand.js';
import { Failures } from './failures.js';
import type { ShellKind } from './failures.js';
import type { ShellHost, ShellIo } from './io.js';
import { Jobs } from './jobs.js';
import { LineError, parseLine } from './parse.js';
import { Pipes } from './pipes.js';
import { redirect } from './redirect.js';
import { Scope } from './scope.js';
import type { FunctionBody } from './scope.js';
import { inputOfText } from './stream.js';
import { testExpression } from './test-words.js';
import { Unwind } from './unwind.js';

const MAX_DEPTH = 100;

/** Runs lines as bash does, one program or pipe at a time, with the programs of a host. */
export class Shell implements RunningShell {
  private readonly compound: Compound;
  private readonly failures: Failures;
  /** Whether the last text ended in `exit`. */
  exited = false;
  /** The exit code of the last `$(...)`, which is that of a line that only assigns. */
  private substituted = 0;

  constructor(
    readonly host: ShellHost,
    readonly scope = new Scope(),
    readonly jobs = new Jobs(),
    readonly lines: string[] = [],
    kind: ShellKind = 'session',
    from?: Failures,
  ) {
    this.failures = new Failures(kind, scope, (text, io) => this.part(text, io), from);
    this.compound = new Compound({
      clock: host.clock,
      scope,
      list: (list, io, source) => this.list(list, io, source),
      clause: (list, io, source) => this.failures.leniently(() => this.list(list, io, source)),
      expanderFor: (io) => this.expanderFor(io),
    });
  }

  /** Runs a text. Resolves with its exit code. Throws a LineError for what cannot be read. */
  async run(text: string, io: ShellIo): Promise<number> {
    return this.script(parseLine(text, this.scope.aliases), io, text);
  }

  /** Runs what was read already. */
  async script(script: ParsedScript, io: ShellIo, text = ''): Promise<number> {
    try {
      await this.statements(script.commands, io, script.source ?? text);
    } catch (error) {
      if (!(error instanceof Unwind)) throw error;
      this.exited = error.kind === 'exit';
      this.scope.status = error.code;
    }
    return this.exited || this.failures.kind !== 'session' ? this.failures.atExit(io) : this.scope.status;
  }

  /** Nothing follows: runs what `trap` has set for the end. Resolves with the exit code. */
  end(io: ShellIo): Promise<number> {
    return this.failures.atExit(io);
  }

  async part(text: string, io: ShellIo): Promise<number> {
    const { commands, source } = parseLine(text, this.scope.aliases);
    return this.statements(commands, io, source ?? text);
  }

  async words(words: readonly string[], io: ShellIo, env: Readonly<Record<string, string>> = {}): Promise<number> {
    const [name = '', ...args] = words;
    const body = this.scope.functions.get(name);
    if (body) return this.scope.within(env, () => this.call(body, args, io));
    const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
    if (builtin) return this.guarded(io, () => this.scope.within(env, async () => builtin(args, this, io)));
    return this.host.run(words, { ...this.scope.environment, ...env }, io);
  }

  /** What is wrong with one command is told, and the line goes on. */
  private async guarded(io: ShellIo, work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unwind || !isExpected(error)) throw error;
      io.error(`${error.message}\n`);
      return exitCodeOf(error);
    }
  }

  /** A shell of its own with what this one knows: what is set there is not seen here. */
  child(program = false): Shell {
    const scope = new Scope(this.scope);
    if (!program) return new Shell(this.host, scope, this.jobs, this.lines, 'subshell', this.failures);
    scope.options.clear();
    return new Shell(this.host, scope, this.jobs, this.lines, 'program');
  }

  private expanderFor(io: ShellIo): Expander {
    return new Expander({
      scope: this.scope,
      files: this.host.files,
      substitute: (script) => this.output(script, io),
      document: async (script) => {
        const file = `/dev/fd/${this.host.newPid()}`;
        this.host.files.write(file, `${await this.output(script, io)}\n`);
        return file;
      },
      unset: (name) => this.failures.unset(name, io),
      special: (sign) => (sign === '$' ? '4242' : sign === '!' ? String(this.jobs.newestPid || '') : undefined),
    });
  }

  private async output(script: ParsedScript, io: ShellIo): Promise<string> {
    let text = '';
    const child = this.child();
    child.scope.options.delete('errexit');
    this.substituted = await child.script(script, { ...io, write: (part) => void (text += part) });
    return text.replace(/\n+$/, '');
  }

  private async statements(statements: readonly Statement[], io: ShellIo, source: string): Promise<number> {
    for (const statement of statements) {
      if (io.signal.aborted) break;
      if (statement.background === true) this.background(statement, io, source);
      else this.scope.status = await this.andOr(statement.command, io, source);
    }
    return this.scope.status;
  }

  private background(statement: Statement, io: ShellIo, source: string): void {
    const pid = this.host.newPid();
    const line = source.slice(statement.pos, statement.end).replace(/\s*&\s*$/, '');
    const shell = this.child();
    const job = this.jobs.begin(line, pid, (write, signal) =>
      shell
        .andOr(statement.command, { ...io, input: inputOfText(''), write, error: write, signal, endless: true }, source)
        .catch((error: unknown) => {
          if (error instanceof Unwind) return error.code;
          write(`${(error as Error).message}\n`);
          return 1;
        }),
    );
    this.scope.status = 0;
    if (io.interactive === true && io.endless) io.error(`[${job.id}] ${pid}\n`);
  }

  private async andOr(node: PipelineNode | AndOr, io: ShellIo, source: string): Promise<number> {
    if (node.type !== 'AndOr') return this.pipeline(node, io, source);
    let code = 0;
    for (const [i, command] of node.commands.entries()) {
      const before = node.operators[i - 1];
      if (io.signal.aborted) break;
      if (before !== undefined && (before === '&&') !== (code === 0)) continue;
      const run = (): Promise<number> => this.pipeline(command, io, source);
      this.scope.status = code = await (i < node.operators.length ? this.failures.leniently(run) : run());
    }
    return code;
  }

  private async pipeline(node: PipelineNode, io: ShellIo, source: string): Promise<number> {
    if (node.type !== 'Pipeline') return this.failures.checked(node, await this.node(node, io, source), io);
    const prefixes: readonly (Time | Negation)[] = node.prefixes;
    const negated = prefixes.filter(({ type }) => type === 'Negation').length % 2 === 1;
    if (negated) return Number((await this.failures.leniently(() => this.timed(node, io, source))) === 0);
    return this.failures.checked(node, await this.timed(node, io, source), io);
  }

  private async timed(node: Pipeline, io: ShellIo, source: string): Promise<number> {
    const started = this.host.clock.monotonic();
    const code = await this.stages(node, io, source);
    const prefixes: readonly (Time | Negation)[] = node.prefixes;
    if (prefixes.some(({ type }) => type === 'Time')) {
      const seconds = (this.host.clock.monotonic() - started) / 1000;
      const minutes = Math.floor(seconds / 60);
      io.error(`\nreal\t${minutes}m${(seconds % 60).toFixed(3)}s\nuser\t0m0.000s\nsys\t0m0.000s\n`);
    }
    return code;
  }

  private async stages({ commands, operators }: Pipeline, io: ShellIo, source: string): Promise<number> {
    if (commands.length === 1) return this.node(commands[0]!, io, source);
    const pipes = new Pipes(commands, operators, io);
    // Each stage is a process of its own.
    const codes = await pipes.run((command, own) => this.child().contained(command, own, source));
    this.scope.set('PIPESTATUS', codes.map(String));
    const failed = this.scope.options.has('pipefail') ? codes.findLast((code) => code !== 0) : undefined;
    return failed ?? codes.at(-1)!;
  }

  private async contained(node: CommandNode, io: ShellIo, source: string): Promise<number> {
    try {
      return await this.node(node, io, source);
    } catch (error) {
      if (error instanceof Unwind) return error.code;
      throw error;
    }
  }

  private async node(node: CommandNode, io: ShellIo, source: string): Promise<number> {
    switch (node.type) {
      case 'Command':
        return this.guarded(io, () => this.command(node, io));
      case 'Redirected': {
        const opened = await redirect(node.redirects, io, this.expanderFor(io), this.host.files);
        return this.node(node.command, opened, source);
      }
      case 'If':
        return this.compound.condition(node, io, source);
      case 'For':
        return this.compound.each(node, io, source);
      case 'While':
        return this.compound.loop(node, io, source);
      case 'ArithmeticFor':
        return this.compound.count(node, io, source);
      case 'Case':
        return this.compound.choose(node, io, source);
      case 'BraceGroup':
        return this.statements(node.body.commands, io, source);
      case 'Subshell':
        return this.child().script(
          { type: 'Script', pos: 0, end: 0, shebang: undefined, commands: node.body.commands },
          io,
          source,
        );
      case 'Function':
        this.scope.functions.set(node.name.value, node.body);
        return 0;
      case 'TestCommand':
        return Number(
          !(await testExpression(node.expression, this.expanderFor(io), this.host.files, (name) =>
            this.scope.has(name),
          )),
        );
      case 'ArithmeticCommand':
        return Number((await this.expanderFor(io).arithmetic(node.expression)) === 0);
      default:
        throw new LineError(`${node.type.toLowerCase()}: this is not supported here`);
    }
  }

  private async command(node: Command, io: ShellIo): Promise<number> {
    const expand = this.expanderFor(io);
    this.substituted = 0;
    const words = node.name ? await expand.fields([node.name]) : [];
    for (const arg of node.args)
      words.push(
        ...(arg.type === 'Word' ? await expand.fields([arg]) : [await assignmentWord(arg, words, expand, this.scope)]),
      );
    const assignments = node.prefix.filter((one): one is Assignment => one.type === 'Assignment');
    const opened = await redirect(node.redirects, io, expand, this.host.files);
    if (words.length === 0) {
      for (const one of assignments) await assign(one, expand, this.scope);
      return this.substituted;
    }
    const env: Record<string, string> = {};
    for (const one of assignments) if (one.value.type === 'Word') env[one.name] = await expand.text(one.value);
    if (this.scope.options.has('xtrace')) io.error(`+ ${words.join(' ')}\n`);
    return this.words(words, opened, env);
  }

  private async call(body: FunctionBody, args: readonly string[], io: ShellIo): Promise<number> {
    if (this.scope.calls >= MAX_DEPTH) throw new LineError(`functions call each other more than ${MAX_DEPTH} deep`);
    try {
      return await this.scope.inside(args, () =>
        body.type === 'CompoundList' ? this.list(body, io, '') : this.node(body, io, ''),
      );
    } catch (error) {
      if (error instanceof Unwind && error.kind === 'return') return error.code;
      throw error;
    }
  }

  private list(list: CompoundList, io: ShellIo, source: string): Promise<number> {
    return this.statements(list.commands, io, source);
  }
}
