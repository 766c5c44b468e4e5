import { exitCodeOf, isExpected } from '../../lib/errors.js';
import type { Lab } from '../lab.js';
import { COMMANDS } from '../commands/index.js';
import { POD_PROGRAMS } from '../commands/pod/in-pod.js';
import { nodeNamed, spotOfNode } from '../commands/target/targets.js';
import { executeInside } from '../commands/kubectl/exec.js';
import type { RunningPod } from '../pods/kubelet.js';
import { CommandError } from './command.js';
import type { Command, CommandIo } from './command.js';
import { parseLine } from './words.js';
import type { Line } from './words.js';

/** How a line is run. */
export interface RunOptions {
  /** Takes the text as it comes. */
  readonly write: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Lets the user edit a text on their own terminal; resolves with what they saved. */
  readonly edit?: CommandIo['edit'];
  /** Whether more lines come from the same hands. */
  readonly interactive?: boolean;
}

interface Job {
  readonly line: string;
  readonly text: string[];
  readonly stop: AbortController;
  readonly done: Promise<number>;
}

/** Files that commands of a session work with: the folder where the user is. */
export interface SessionFiles {
  /** Throws a NodeJS.ErrnoException. */
  read(file: string): string;
  /** undefined where nothing may be written. Throws a NodeJS.ErrnoException. */
  write?(file: string, bytes: Buffer): void;
}

const NOT_FOUND = 127;
const INTERRUPTED = 130;
/** How long a program that was interrupted may take to end by itself. */
const GRACE = 100;
/** Short names that people give to programs. */
const ALIASES: Readonly<Record<string, string>> = { k: 'kubectl', kc: 'kubectl', kubecolor: 'kubectl' };

/** Somebody at a prompt of the lab: what they type is run, one line at a time. */
export class Session {
  /** Files that lines have written with `>`. */
  readonly written = new Map<string, string>();
  /** The pod in which a shell was opened: programs run there until it is left with exit. */
  inside: RunningPod | undefined;
  private readonly jobs: Job[] = [];

  constructor(
    readonly lab: Lab,
    readonly files: SessionFiles,
  ) {}

  /** The node that commands run on when the line names none: the first. */
  get node(): string {
    return this.lab.topology.nodes[0]!.name;
  }

  /** What a prompt shows before it takes a line. */
  get prompt(): string {
    return this.inside ? `${this.inside.name}:~# ` : 'lab$ ';
  }

  /** A file that was written here, or one of the user's. Throws a CommandError. */
  read(file: string): string {
    const own = this.written.get(file);
    if (own !== undefined) return own;
    try {
      return this.files.read(file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CommandError(
        `cannot read ${file}: ${code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a folder, allowed: a file' : message}`,
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

  private async one(text: string, line: Line, options: RunOptions): Promise<number> {
    try {
      if (line.stages[0]!.words.length === 0) return 0;
      if (line.background) return this.begin(text, line, options);
      return await this.untilInterrupted(this.pipe(line, options), options.signal);
    } catch (error) {
      return this.failed(error, options.write);
    }
  }

  /** What the user did wrong is written; a fault of the program is thrown on. */
  private failed(error: unknown, write: RunOptions['write']): number {
    // What the user's files do not allow is theirs to mend.
    if (!isExpected(error)) throw error;
    write(`${error.message}\n`);
    return exitCodeOf(error);
  }

  /** Programs that mind the signal get a moment to end by themselves; nobody waits for the others. */
  private untilInterrupted(work: Promise<number>, signal: AbortSignal | undefined): Promise<number> {
    if (!signal) return work;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => void this.lab.clock.setTimeout(() => resolve(INTERRUPTED), GRACE);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
    });
  }

  /** Ends the newest job and gives what it wrote. */
  async foreground(write: (text: string) => void): Promise<number> {
    const job = this.jobs.pop();
    if (!job) throw new CommandError('fg: no job runs; put & at the end of a line to start one');
    job.stop.abort();
    const code = await job.done;
    job.text.forEach(write);
    return code;
  }

  /** Runs one program. Throws a CommandError with code 127 for one that is not known. */
  async execute(words: readonly string[], io: CommandIo): Promise<number> {
    const [name = '', ...args] = words;
    const command: Command | undefined = COMMANDS.find(
      (candidate) => candidate.name === (Object.hasOwn(ALIASES, name) ? ALIASES[name] : name),
    );
    // What runs in pods runs on the node too.
    if (!command && Object.hasOwn(POD_PROGRAMS, name))
      return POD_PROGRAMS[name]!(args, spotOfNode(this.lab, nodeNamed(this.lab, io.node)), io);
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

  private begin(text: string, line: Line, options: RunOptions): number {
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

  private async pipe(line: Line, { write, signal, edit, interactive = false }: RunOptions): Promise<number> {
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
      code = this.inside ? await executeInside(this.inside, words, io) : await this.execute(words, io);
      input = parts.join('');
    }
    const { file } = line;
    if (file && file.name !== '/dev/null')
      this.written.set(file.name, (file.append ? (this.written.get(file.name) ?? '') : '') + (input ?? ''));
    return code;
  }
}
