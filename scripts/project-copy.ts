/** Copies of the project whose files may be changed, and runs of their tests. */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SRC } from './imports.js';

export const ROOT = path.resolve(SRC, '..');
/** Left out of a copy: what is large, and what no test of a folder reads. */
const LEFT_OUT = ['.git', 'node_modules', 'dist', 'coverage'];

/** What a run of tests says. */
export interface Run {
  /** False too where it did not end in time. */
  readonly passed: boolean;
  /** The first test that failed, by its name; undefined where nothing was reported. */
  readonly failed?: { readonly file: string; readonly test: string };
  /** How long each file took, in milliseconds. */
  readonly took: readonly (readonly [file: string, took: number])[];
}

interface RunOptions {
  /** In milliseconds: what takes longer is ended, and did not pass. */
  readonly longest: number;
  /** Ends with the first failure. */
  readonly bail: boolean;
  /** Test files that are left out. */
  readonly except?: readonly string[];
}

/** How a copy runs its tests. */
interface CopyOptions {
  /** Processes at once. */
  readonly workers: number;
  /** Whether each file has a process of its own. */
  readonly isolate: boolean;
}

export type TestFile = readonly [file: string, project: string];

/** Those that are there: nothing of them outlives this process. */
const copies = new Set<ProjectCopy>();
process.once('exit', () => {
  for (const copy of copies) copy.end();
  for (const copy of copies) copy.remove();
});

/** A copy of the project; what is large is shared. */
export class ProjectCopy {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'nodens-mutate-'));
  /** Further environment of the tests, set before the first run. */
  readonly env: Record<string, string> = {};
  /** Files that were written since the last run. */
  private readonly changed = new Set<string>();
  private runner?: ChildProcess;
  private files?: Promise<readonly TestFile[]> | undefined;

  constructor(private readonly options: CopyOptions) {
    copies.add(this);
    cpSync(ROOT, this.folder, {
      recursive: true,
      filter: (source) => !LEFT_OUT.includes(path.relative(ROOT, source).split(path.sep)[0]!),
    });
    for (const shared of ['node_modules', 'dist'])
      if (existsSync(path.join(ROOT, shared))) symlinkSync(path.join(ROOT, shared), path.join(this.folder, shared));
  }

  /** Ends what runs, and removes the folder. */
  remove(): void {
    this.end();
    copies.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }

  write(file: string, text: string): void {
    const place = path.join(this.folder, file);
    writeFileSync(place, text);
    this.changed.add(place);
  }

  /** All test files, with the project of each: `quick` or `long`. */
  async testFiles(): Promise<readonly TestFile[]> {
    this.files ??= this.start();
    return this.files;
  }

  /** Runs test files and folders. */
  async run(tests: readonly string[], { longest, bail, except = [] }: RunOptions): Promise<Run> {
    await this.testFiles();
    const runner = this.runner!;
    const timer = setTimeout(() => this.end(), longest);
    runner.send({ tests, except, changed: [...this.changed], bail });
    this.changed.clear();
    const said = await answerOf<Run>(runner);
    clearTimeout(timer);
    if (said === undefined) this.files = undefined;
    return said ?? { passed: false, took: [] };
  }

  /** What the type checker says of a source file as it is now; undefined where it is right. */
  async typeError(file: string): Promise<string | undefined> {
    const project = file.startsWith('src/page/') ? 'src/page/tsconfig.json' : 'tsconfig.json';
    const checker = path.join(ROOT, 'node_modules/.bin/tsc');
    return new Promise((resolve) => {
      execFile(checker, ['-p', project, '--noEmit', '--pretty', 'false'], { cwd: this.folder }, (failure, said) =>
        resolve(failure === null ? undefined : said.split('\n')[0]),
      );
    });
  }

  private async start(): Promise<readonly TestFile[]> {
    const { workers, isolate } = this.options;
    const runner = fork(path.join(ROOT, 'scripts/test-runner.mjs'), [String(workers), isolate ? 'isolate' : 'shared'], {
      cwd: this.folder,
      execArgv: [],
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A group of its own: what runs in a circle minds no signal of its parent, and would go on after it.
      detached: true,
    });
    this.runner = runner;
    let errors = '';
    runner.stderr!.on('data', (chunk: Buffer) => void (errors = `${errors}${chunk.toString()}`.slice(-2000)));
    const said = await answerOf<{ readonly files: readonly TestFile[] }>(runner);
    if (said === undefined) throw new Error(`the tests cannot be run: ${errors}`);
    return said.files;
  }

  /** Ends the processes of its tests. */
  end(): void {
    const runner = this.runner;
    if (runner?.pid === undefined || runner.exitCode !== null || runner.signalCode !== null) return;
    process.kill(-runner.pid, 'SIGKILL');
  }
}

/** The next message of a process; undefined where it ends without one. */
async function answerOf<T>(child: ChildProcess): Promise<T | undefined> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as T),
      once(child, 'exit', { signal }).then(() => undefined),
    ]);
  } finally {
    settled.abort();
  }
}
