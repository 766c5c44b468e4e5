/** Copies of the project whose files may be changed, and runs of their tests. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
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
  /** The tests of the first file that failed, by their names; undefined where nothing was reported. */
  readonly failed?: { readonly file: string; readonly test: string };
  /** How long each file took, in milliseconds. */
  readonly took: ReadonlyMap<string, number>;
}

interface RunOptions {
  /** Processes at once. */
  readonly workers: number;
  /** In milliseconds: what takes longer is ended, and did not pass. */
  readonly longest: number;
  /** Ends with the first failure, and lets files share a process. */
  readonly hasty: boolean;
  readonly except?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The groups of processes that run tests at the moment. */
const running = new Set<number>();
export function endRuns(): void {
  for (const group of running) process.kill(-group, 'SIGKILL');
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A copy of the project; what is large is shared. */
export class ProjectCopy {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'nodens-mutate-'));

  constructor() {
    cpSync(ROOT, this.folder, {
      recursive: true,
      filter: (source) => !LEFT_OUT.includes(path.relative(ROOT, source).split(path.sep)[0]!),
    });
    for (const shared of ['node_modules', 'dist'])
      if (existsSync(path.join(ROOT, shared))) symlinkSync(path.join(ROOT, shared), path.join(this.folder, shared));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs test files and folders; all quick ones where none is named. */
  async run(tests: readonly string[], { workers, longest, hasty, except = [], env = {} }: RunOptions): Promise<Run> {
    const report = path.join(this.folder, 'report.json');
    rmSync(report, { force: true });
    const haste = hasty ? ['--bail=1', '--no-isolate'] : [];
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
    const child = spawn(
      process.execPath,
      [vitest, 'run', ...(tests.length === 0 ? ['--project', 'quick'] : tests)].concat(
        ['--retry=1', '--reporter=json', `--outputFile=${report}`, `--maxWorkers=${workers}`, ...haste],
        except.map((file) => `--exclude=${file}`),
      ),
      // A group of its own: what runs in a circle minds no signal of its parent, and would go on after it.
      { cwd: this.folder, stdio: 'ignore', detached: true, env: { ...process.env, ...env } },
    );
    const group = child.pid!;
    running.add(group);
    const timer = setTimeout(() => process.kill(-group, 'SIGKILL'), longest);
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    running.delete(group);
    return { passed: code === 0, ...this.read(report) };
  }

  private read(report: string): Omit<Run, 'passed'> {
    if (!existsSync(report)) return { took: new Map() };
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const nameOf = (file: string): string => path.relative(this.folder, file);
    const took = new Map(testResults.map((file) => [nameOf(file.name), file.endTime - file.startTime]));
    const failed = testResults.find(({ status }) => status === 'failed');
    if (failed === undefined) return { took };
    const test = failed.assertionResults.find(({ status }) => status === 'failed')?.fullName ?? '(the file)';
    return { took, failed: { file: nameOf(failed.name), test } };
  }
}
