import { exitCodeOf, isExpected } from '../../lib/errors.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/kubelet.js';
import { CommandError } from './command.js';
import type { LabCommand, CommandIo, CommandSession, CommandTable, SessionFiles } from './command.js';
import { parseLine } from './words.js';
import type { CommandLine } from './words.js';

/** How a line is run. */
export interface RunOptions {
  /** Takes the text as it comes. */
  readonly write: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Lets the user edit a text on their own terminal; resolves with what they saved. */
  readonly edit?: CommandIo['edit'];
  /** Whether this is an interactive session. */
  readonly interactive?: boolean;
}

interface Job {
  readonly line: string;
  readonly text: string[];
  readonly stop: AbortController;
  readonly done: Promise<number>;
}

const NOT_FOUND = 127;
const INTERRUPTED = 130;
/** How long a program that was interrupted may take to end by itself. */
const GRACE = 100;
/** Short names that people give to programs. */
const ALIASES: Readonly<Record<string, string>> = { k: 'kubectl', kc: 'kubectl', kubecolor: 'kubectl' };

/** A user at a prompt of the lab. Runs what they type, one line at a time. */
export class Session implements CommandSession {
  readonly written = new Map<string, string>();
  inside: RunningPod | undefined;
  private readonly jobs: Job[] = [];

  constructor(
    readonly lab: Lab,
    readonly files: SessionFiles,
    private readonly table: CommandTable,
  ) {}

  /** The node that commands run on when the line names none: the first. */
  get node(): string {
    return this.lab.topology.nodes[0]!.name;
  }

  /** What a prompt shows before it takes a line. */
  get prompt(): string {
    return this.inside ? `${this.inside.name}:~# ` : 'lab$ ';
  }

  read(file: string): string {
    const own = this.written.get(file);
    if (own !== undefined) return own;
    try {
      return this.files.read(file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CommandError(
        `cannot read ${file}: ${code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a directory, allowed: a file' : message}`,
      );
    }
  }

  /**
   * Runs a line. Resolves with its exit code; whatever goes wrong with it is written. A line that is interrupted ends
   * with code 130.
   */
  async run(text: string, options: RunOptions): Promise<number> {
    let code = 0;
    try {
      let skip = false;
      for (const line of parseLine(text)) {
        if (!skip) code = await this.one(text, line, options);
        if (options.signal?.aborted === true) break;
        skip = line.then === '&&' ? code !== 0 : line.then === '||' ? code === 0 : false;
      }
    } catch (error) {
      return this.failed(error, options.write);
    }
    return code;
  }

  private async one(text: string, line: CommandLine, options: RunOptions): Promise<number> {
    try {
      if (line.stages[0]!.words.length === 0) return 0;
      if (line.background) return this.begin(text, line, options);
      return await this.untilInterrupted(this.pipe(line, options), options.signal);
    } catch (error) {
      return this.failed(error, options.write);
    }
  }

  /** Writes errors of the user; rethrows errors of the program. */
  private failed(error: unknown, write: RunOptions['write']): number {
    // Errors of the user's own files (an errno of a system call) are the user's to fix.
    if (!isExpected(error)) throw error;
    write(`${error.message}\n`);
    return exitCodeOf(error);
  }

  /** Programs that handle the signal get a moment to end by themselves; the others are not waited for. */
  private untilInterrupted(work: Promise<number>, signal: AbortSignal | undefined): Promise<number> {
    if (!signal) return work;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => void this.lab.clock.setTimeout(() => resolve(INTERRUPTED), GRACE);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
    });
  }

  async foreground(write: (text: string) => void): Promise<number> {
    const job = this.jobs.pop();
    if (!job) throw new CommandError('fg: no background job; put & at the end of a line to start one');
    job.stop.abort();
    const code = await job.done;
    job.text.forEach(write);
    return code;
  }

  async execute(words: readonly string[], io: CommandIo): Promise<number> {
    const [name = '', ...args] = words;
    const command: LabCommand | undefined = this.table.commands.find(
      (candidate) => candidate.name === (Object.hasOwn(ALIASES, name) ? ALIASES[name] : name),
    );
    const program = command ? undefined : this.table.nodeProgram(name);
    if (program) return program(args, io);
    if (!command) throw new CommandError(`${name}: command not found; help lists what there is`, NOT_FOUND);
    if (args[0] === '--help' || (args[0] === '-h' && args.length === 1)) {
      io.write(`${command.name} ${command.usage}\n  ${command.help}\n`);
      return 0;
    }
    return command.run(args, io);
  }

  /** Ends all jobs. */
  async close(): Promise<void> {
    for (const job of this.jobs) job.stop.abort();
    await Promise.all(this.jobs.splice(0).map((job) => job.done));
  }

  private begin(text: string, line: CommandLine, options: RunOptions): number {
    const stop = new AbortController();
    const lines: string[] = [];
    const done = this.pipe(
      { ...line, background: false },
      { ...options, write: (part) => void lines.push(part), signal: stop.signal },
    ).catch((error: unknown) => {
      lines.push(`${(error as Error).message}\n`);
      return 1;
    });
    this.jobs.push({ line: text, text: lines, stop, done });
    return 0;
  }

  private async pipe(line: CommandLine, { write, signal, edit, interactive = false }: RunOptions): Promise<number> {
    let { input } = line;
    let code = 0;
    for (const [i, { words, env }] of line.stages.entries()) {
      const last = i === line.stages.length - 1 && line.file === undefined;
      const parts: string[] = [];
      const io: CommandIo = {
        lab: this.lab,
        session: this,
        node: this.node,
        input,
        env,
        write: last ? write : (text) => void parts.push(text),
        signal: signal ?? new AbortController().signal,
        endless: signal !== undefined,
        interactive,
        ...(edit && { edit }),
      };
      code = this.inside ? await this.table.runInPod(this.inside, words, io) : await this.execute(words, io);
      input = parts.join('');
    }
    const { file } = line;
    if (file && file.name !== '/dev/null')
      this.written.set(file.name, (file.append ? (this.written.get(file.name) ?? '') : '') + (input ?? ''));
    return code;
  }
}
