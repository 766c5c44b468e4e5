import path from 'node:path';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import type { ShellHost, ShellIo } from '../shell/io.js';
import { Shell } from '../shell/shell.js';
import { CommandError, programHost, told } from './command.js';
import type { LabCommand, CommandIo, CommandSession, CommandTable, SessionFiles } from './command.js';
import { SessionStore } from './store.js';

/** How a line is run. */
export interface RunOptions {
  /** Takes the text as it comes. */
  readonly write: (text: string) => void;
  /** Takes what programs say beside their output; `write` where nothing is given. */
  readonly error?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Lets the user edit a text on their own terminal; resolves with what they saved. */
  readonly edit?: CommandIo['edit'];
  /** Whether this is an interactive session, in which a shell can be opened in a pod. */
  readonly interactive?: boolean;
  /** Whether somebody types on a terminal: then jobs are told of, and fg leaves them running. */
  readonly terminal?: boolean;
  /** Whether no line follows: then what `trap` has set for the end runs. */
  readonly last?: boolean;
}

const NOT_FOUND = 127;
const INTERRUPTED = 130;
/** How long a program that was interrupted may take to end by itself. */
const GRACE = 100;
/** Short names that people give to programs. */
const ALIASES: Readonly<Record<string, string>> = { k: 'kubectl', kc: 'kubectl', kubecolor: 'kubectl' };
const FIRST_PID = 10_026;

/** A user at a prompt of the lab. Runs what they type as bash does. */
export class Session implements CommandSession {
  readonly store: SessionStore;
  namespace = 'default';
  private pod: { readonly pod: RunningPod; readonly shell: Shell } | undefined;
  private readonly shell: Shell;
  private options: RunOptions = { write: () => undefined };
  private pids = FIRST_PID;

  constructor(
    readonly lab: Lab,
    readonly files: SessionFiles,
    private readonly table: CommandTable,
  ) {
    this.store = new SessionStore(files, (file) => table.nodeFile(lab, this.node, file));
    this.shell = new Shell(
      this.host(
        (words, io) => this.execute(words, io),
        this.store,
        (name) => this.has(name),
      ),
    );
    this.shell.scope.exportAll({
      HOME: '/root',
      USER: 'root',
      HOSTNAME: this.node,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      PWD: '/root',
      SHELL: '/bin/bash',
    });
  }

  get written(): Map<string, string> {
    return this.store.written;
  }

  /** The node that commands run on when the line names none: the first. */
  get node(): string {
    return this.lab.topology.nodes[0]!.name;
  }

  /** What a prompt shows before it takes a line. */
  get prompt(): string {
    return this.pod ? `${this.pod.pod.name}:~# ` : 'lab$ ';
  }

  get inside(): RunningPod | undefined {
    return this.pod?.pod;
  }

  set inside(pod: RunningPod | undefined) {
    this.pod = pod && {
      pod,
      shell: new Shell(
        this.host(
          (words, io) => this.table.runInPod(pod, words, io),
          this.table.podFiles(pod),
          () => true,
        ),
      ),
    };
    if (pod) this.pod?.shell.scope.exportAll(this.table.podEnv(pod));
  }

  /** What may follow `$` in a line. */
  get variables(): readonly string[] {
    return (this.pod?.shell ?? this.shell).scope.names;
  }

  read(file: string): string {
    return this.store.read(file);
  }

  /**
   * Runs a line. Resolves with its exit code; whatever goes wrong with it is written. A line that is interrupted ends
   * with code 130.
   */
  async run(text: string, options: RunOptions): Promise<number> {
    this.options = options;
    const shell = this.pod?.shell ?? this.shell;
    if (text.trim() !== '') shell.lines.push(text.trim());
    const io: ShellIo = {
      input: undefined,
      write: options.write,
      error: options.error ?? options.write,
      signal: options.signal ?? new AbortController().signal,
      endless: options.signal !== undefined,
      interactive: options.terminal ?? false,
    };
    try {
      const work = shell.run(text, io);
      const code = await this.untilInterrupted(
        options.last === true ? work.then(() => shell.end(io)) : work,
        options.signal,
      );
      if (shell.exited && shell === this.pod?.shell) this.inside = undefined;
      return code;
    } catch (error) {
      return told(error, io);
    }
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

  line(text: string, io: CommandIo): Promise<number> {
    const host = this.host(
      (words, inner) => this.execute(words, { ...inner, node: io.node }),
      this.store,
      (name) => this.has(name),
    );
    return new Shell(host).run(text, io);
  }

  async execute(words: readonly string[], io: CommandIo): Promise<number> {
    const [name = '', ...args] = words;
    const command = this.command(name);
    const program = command ? undefined : this.table.nodeProgram(name);
    if (program) return program(args, io);
    if (!command) throw new CommandError(this.table.missing(name), NOT_FOUND);
    if (args[0] === '--help' || (args[0] === '-h' && args.length === 1)) {
      io.write(`${command.name} ${command.usage}\n  ${command.help}\n`);
      return 0;
    }
    return command.run(args, io);
  }

  /** Ends all jobs. */
  async close(): Promise<void> {
    await this.shell.jobs.close();
    await this.pod?.shell.jobs.close();
  }

  private command(name: string): LabCommand | undefined {
    const meant = path.posix.basename(name);
    return this.table.commands.find(
      (candidate) => candidate.name === (Object.hasOwn(ALIASES, meant) ? ALIASES[meant] : meant),
    );
  }

  private has(name: string): boolean {
    return this.command(name) !== undefined || this.table.nodeProgram(name) !== undefined;
  }

  private host(
    run: (words: readonly string[], io: CommandIo) => number | Promise<number>,
    files: ShellHost['files'],
    has: (name: string) => boolean,
  ): ShellHost {
    return {
      clock: this.lab.clock,
      files,
      has,
      newPid: () => this.pids++,
      run: programHost((words, env, io) =>
        run(words, {
          ...io,
          lab: this.lab,
          session: this,
          node: this.node,
          env,
          interactive: this.options.interactive ?? false,
          ...(this.options.edit && { edit: this.options.edit }),
        }),
      ),
    };
  }
}
