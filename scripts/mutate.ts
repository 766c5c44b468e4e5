/**
 * Puts faults into a copy of the project, one at a time, runs the tests that are to notice them, and says which were
 * not noticed. Ends with code 1 when one was not.
 *
 *   npm run mutate                         the faults of scripts/faults.json
 *   npm run mutate -- --only D12,F03       some of them
 *   npm run mutate -- --seed 7 --count 100 --in src/wire    small faults that are drawn, below a folder
 *   npm run mutate -- --at src/wire/name.ts:12,...          all small faults of some lines
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/lib/random.js';
import { SRC, importGraph, sourceFiles } from './imports.js';
import { draw, locate, mutated, mutationsOf, type Fault, type Mutation } from './mutations.js';

const ROOT = path.resolve(SRC, '..');
/** Longest run of tests without a fault, in milliseconds. */
const LONGEST_RUN = 300_000;
/**
 * A run that takes so many times as long as without a fault, and at least so many milliseconds, is one of a fault that
 * was noticed: something waits for ever.
 */
const PATIENCE = { times: 4, least: 60_000 };
/** Left out of the copy: what is large, and what no test of a folder reads. */
const LEFT_OUT = ['.git', 'node_modules', 'dist', 'coverage'];

interface Task {
  readonly title: string;
  readonly mutation: Mutation | string;
  /** Test files and folders, in groups: the next one is run where those before did not notice it. */
  readonly tests: readonly (readonly string[])[];
  /** Why nobody can notice it. */
  readonly equivalent?: string | undefined;
}

type Result = 'noticed' | 'equivalent' | 'NOT NOTICED' | 'NOT FOUND' | 'NO TESTS' | 'TESTS FAIL WITHOUT IT';

/** Folders whose code is tested by recordings too. */
const RECORDED = ['datapath', 'observe', 'lrp'];

/** Tests of the folder that a source file lies in, or of its plugin. */
function ownTests(file: string): readonly string[] {
  const [, first = '', second = ''] = file.split('/');
  const own = first === 'plugins' ? `test/plugins/${second}` : `test/${first}`;
  if (!existsSync(path.join(ROOT, own))) return [];
  return RECORDED.includes(first) ? [own, 'test/transcripts'] : [own];
}

/** Its own tests, and then those of the files that import it. */
function testsOf(file: string): readonly (readonly string[])[] {
  const own = ownTests(file);
  const more = new Set(importersOf(file).flatMap(ownTests));
  return [own, [...more].filter((test) => !own.includes(test))].filter((tests) => tests.length > 0);
}

/** Who imports a file, also by way of its folder's index. */
function importersOf(file: string): readonly string[] {
  const importing = (target: string): string[] =>
    [...imports].filter(([, targets]) => targets.includes(target)).map(([from]) => from);
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const exported = [...text.matchAll(/^export (?:async )?(?:abstract )?(?:function\*?|class|const) (\w+)/gm)];
  const mentions = new RegExp(`\\b(?:${exported.map(([, name]) => name).join('|')})\\b`);
  const direct = importing(file.replace(/^src\//, ''));
  const indirect = direct
    .filter((from) => from.endsWith('index.ts'))
    .flatMap(importing)
    .filter((from) => exported.length > 0 && mentions.test(readFileSync(path.join(SRC, from), 'utf8')));
  return [...direct, ...indirect].map((from) => `src/${from}`);
}

const imports = importGraph();

function tasks(): readonly Task[] {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seed: { type: 'string' },
      count: { type: 'string', default: '100' },
      in: { type: 'string', default: 'src' },
      at: { type: 'string' },
    },
  });
  const sources = new Map(
    sourceFiles().map((file): [string, string] => [`src/${file}`, readFileSync(path.join(SRC, file), 'utf8')]),
  );
  const small = (mutation: Mutation): Task => ({
    title: titleOf(mutation, sources.get(mutation.file)!),
    mutation,
    tests: testsOf(mutation.file),
  });
  if (values.at !== undefined) return values.at.split(',').flatMap((place) => mutationsAt(place, sources).map(small));
  if (values.seed !== undefined) {
    const chosen = new Map([...sources].filter(([file]) => file.startsWith(values.in) && testsOf(file).length > 0));
    return draw(chosen, Number(values.count), seededRandom(Number(values.seed))).map(small);
  }
  const faults = JSON.parse(readFileSync(path.join(import.meta.dirname, 'faults.json'), 'utf8')) as Fault[];
  const only = values.only?.split(',');
  return faults
    .filter(({ id }) => only === undefined || only.includes(id))
    .map((fault) => {
      const mutation = locate(fault, sources);
      const file = typeof mutation === 'string' ? fault.file : mutation.file;
      return {
        title: `${fault.id} ${file}: ${fault.harm}`,
        mutation,
        tests: [fault.tests],
        equivalent: fault.equivalent,
      };
    });
}

/** The small mutations of `FILE:LINE`. */
function mutationsAt(place: string, sources: ReadonlyMap<string, string>): readonly Mutation[] {
  const [, file = '', line] = /^(.+):(\d+)$/.exec(place) ?? [];
  const text = sources.get(file);
  if (text === undefined) throw new Error(`--at: expected FILE:LINE of a source file, got '${place}'`);
  return mutationsOf(file, text).filter(({ start }) => lineOf(text, start) === Number(line));
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

function titleOf({ file, start, end, to }: Mutation, text: string): string {
  const line = lineOf(text, start);
  const before = text.slice(start, end).replace(/\s+/g, ' ');
  return `${file}:${line} ${before.slice(0, 60)} -> ${to.slice(0, 60)}`;
}

/** A copy of the project whose files may be changed; what is large is shared. */
function copyOfProject(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodens-mutate-'));
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (source) => !LEFT_OUT.includes(path.relative(ROOT, source).split(path.sep)[0]!),
  });
  for (const shared of ['node_modules', 'dist'])
    if (existsSync(path.join(ROOT, shared))) symlinkSync(path.join(ROOT, shared), path.join(folder, shared));
  return folder;
}

/** Whether the tests pass within `longest` milliseconds, and how long they took. */
function passes(folder: string, tests: readonly string[], longest: number): Promise<{ passed: boolean; took: number }> {
  return new Promise((resolve) => {
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
    const began = performance.now();
    const child = spawn(process.execPath, [vitest, 'run', '--bail=1', '--no-isolate', '--reporter=dot', ...tests], {
      cwd: folder,
      stdio: 'ignore',
      // A group of its own: what runs in a circle minds no signal of its parent, and would go on after it.
      detached: true,
    });
    running = child.pid;
    const timer = setTimeout(endRun, longest);
    child.on('close', (code) => {
      clearTimeout(timer);
      running = undefined;
      resolve({ passed: code === 0, took: performance.now() - began });
    });
  });
}

/** The group of processes that runs tests at the moment. */
let running: number | undefined;
function endRun(): void {
  if (running !== undefined) process.kill(-running, 'SIGKILL');
}

/** What tests do without any fault, by their names: a fault is only noticed by tests that pass without it. */
const sound = new Map<string, ReturnType<typeof passes>>();

async function run(folder: string, { mutation, tests, equivalent }: Task): Promise<Result> {
  if (typeof mutation === 'string') return 'NOT FOUND';
  if (equivalent !== undefined) return 'equivalent';
  let result: Result = 'NO TESTS';
  for (const group of tests) {
    const there = group.filter((test) => existsSync(path.join(folder, test)));
    if (there.length === 0) continue;
    const found = await notices(folder, mutation, there);
    if (found === 'noticed') return found;
    // What is unsound says nothing; others may have said that they do not notice it.
    if (result !== 'NOT NOTICED') result = found;
  }
  return result;
}

async function notices(folder: string, mutation: Mutation, tests: readonly string[]): Promise<Result> {
  const key = tests.join(' ');
  if (!sound.has(key)) sound.set(key, passes(folder, tests, LONGEST_RUN));
  const { passed, took } = await sound.get(key)!;
  if (!passed) return 'TESTS FAIL WITHOUT IT';
  const file = path.join(folder, mutation.file);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, mutated(text, mutation));
  try {
    const longest = Math.max(PATIENCE.least, PATIENCE.times * took);
    return (await passes(folder, tests, longest)).passed ? 'NOT NOTICED' : 'noticed';
  } finally {
    writeFileSync(file, text);
  }
}

const all = tasks();
const folder = copyOfProject();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endRun();
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
const counts = new Map<Result, number>();
try {
  for (const task of all) {
    const result = await run(folder, task);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    const why =
      typeof task.mutation === 'string' ? ` (${task.mutation})` : task.equivalent ? ` (${task.equivalent})` : '';
    console.log(`${result.padEnd(11)} ${task.title}${why}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${all.length} faults: ${[...counts].map(([result, count]) => `${count} ${result}`).join(', ')}`);
process.exitCode = (counts.get('noticed') ?? 0) + (counts.get('equivalent') ?? 0) === all.length ? 0 : 1;
