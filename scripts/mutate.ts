/**
 * Puts faults into copies of the project, one at a time, runs the tests that are to notice them, and says which test
 * did. Ends with code 1 when one was not noticed.
 *
 *   npm run mutate                         the faults of scripts/faults.json, and what scripts/security-faults.json
 *                                          takes out of what docs/SECURITY.md lists
 *   npm run mutate -- --only D12,S7        some of them; S7 is all that begin with `S7.`
 *   npm run mutate -- --seed 7 --count 100 --in src/wire    small faults that are drawn, below a folder
 *   npm run mutate -- --at src/wire/name.ts:12,...          all small faults of some lines
 *
 * What nobody could notice is not put in: faults of scripts/equivalent-faults.json, which gives the reason of each, and
 * some by their form. Of those that are drawn, another is taken in the place of each.
 *
 * For small faults all quick tests are run once first, which shows what tests come to their places, and is kept until
 * they or the sources change: only those are run with the fault in. `--long` runs long tests too where no quick one
 * notices it, one at a time: those that alone come to some files. What no test notices is shown to the type checker: what
 * that refuses nobody can commit, and is said to be `refused`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../src/lib/random.js';
import { SRC, sourceFiles } from './imports.js';
import { changeOf, whyEquivalent, type EquivalentFault } from './equivalents.js';
import { draw, locate, mutated, mutationsOf, type Fault, type Mutation } from './mutations.js';
import { ProjectCopy } from './project-copy.js';
import { ownFolder, reachOf, type Reach } from './reach.js';

/** Longest run of tests whose time without a fault is not known, in milliseconds. */
const LONGEST_RUN = 300_000;
/**
 * A run that takes so many times as long as without a fault, and at least so many milliseconds, is one of a fault that
 * was noticed: something waits for ever.
 */
const PATIENCE = { times: 6, least: 60_000 };
/** Faults that are in at once, each in a copy of its own. */
const JOBS = 2;
/** The lists of faults that are found by their text. */
const LISTS = ['faults.json', 'security-faults.json'];

/** Long tests that come to some files: by the beginning of a file's name. */
const LONG_TESTS: readonly (readonly [start: string, ...tests: string[]])[] = [
  ['src/page/', 'test/e2e/page'],
  ['src/kernel/', 'test/e2e/kernel.test.ts', 'test/e2e/kernel-changes.test.ts', 'test/e2e/kernel-contract.test.ts'],
  ['src/server/kernel', 'test/e2e/kernel.test.ts'],
  ['src/cli/kernel', 'test/e2e/kernel.test.ts'],
  ['src/cli/lab', 'test/e2e/lab-api'],
  ['src/lab/pods/', 'test/e2e/lab-api'],
  ['src/lab/kube-api/', 'test/e2e/lab-api'],
  ['src/cli/top', 'test/e2e/top.test.ts'],
  ['src/insight/top/', 'test/e2e/top.test.ts'],
  ['src/server/top', 'test/e2e/top.test.ts'],
  ['src/cli/compare', 'test/e2e/compare.test.ts'],
  ['src/insight/compare/', 'test/e2e/compare.test.ts', 'test/e2e/shadow.test.ts'],
  ['src/cli/doctor', 'test/e2e/doctor.test.ts'],
  ['src/insight/doctor/', 'test/e2e/doctor.test.ts'],
  ['src/cli/explain', 'test/e2e/explain.test.ts'],
  ['src/insight/explain/', 'test/e2e/explain.test.ts'],
  ['src/cli/record', 'test/e2e/record.test.ts'],
  ['src/record/', 'test/e2e/record.test.ts'],
  ['src/cli/', 'test/e2e/restart.test.ts', 'test/e2e/tools.test.ts'],
  ['src/fastpath/', 'test/e2e/fastpath.test.ts'],
  ['src/nodelocal/', 'test/e2e/node-local/node-local.test.ts'],
  ['src/exchange/http', 'test/e2e/encrypted-peers.test.ts'],
  ['src/quic/', 'test/e2e/quic.test.ts'],
  ['src/plugins/dnstap/', 'test/e2e/dnstap.test.ts'],
  ['src/plugins/tls/acme', 'test/e2e/acme.test.ts'],
];

interface Task {
  readonly title: string;
  readonly mutation: Mutation | string;
  /** Test files and folders that are to notice it; undefined for those that come to its place. */
  readonly tests?: readonly string[];
  /** Why nobody can notice it. */
  readonly equivalent?: string | undefined;
}

type Result =
  | 'noticed'
  | 'refused'
  | 'equivalent'
  | 'NOT NOTICED'
  | 'NOT FOUND'
  | 'NOT REACHED'
  | 'TESTS FAIL WITHOUT IT'
  | 'TYPES FAIL WITHOUT IT';

/** A group of tests, with the time that it takes without a fault in milliseconds where that is known. */
interface Group {
  readonly tests: readonly string[];
  readonly took?: number;
  readonly isLong?: boolean;
}

/** The quick tests of its own folder that come to a mutation, all other quick ones that do, and then the long ones. */
function groupsOf(mutation: Mutation, reach: Reach): readonly Group[] {
  const reaching = reach(mutation);
  const own = ownFolder(mutation.file);
  const quick = [true, false]
    .map((isOwn) => reaching.filter(({ file }) => file.startsWith(own) === isOwn))
    .filter((files) => files.length > 0)
    .map((files) => ({ tests: files.map(({ file }) => file), took: files.reduce((sum, { took }) => sum + took, 0) }));
  const long = values.long ? LONG_TESTS.filter(([start]) => mutation.file.startsWith(start)) : [];
  return [...quick, ...long.map(([, ...tests]) => ({ tests, isLong: true }))];
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string' },
    count: { type: 'string', default: '100' },
    in: { type: 'string', default: 'src' },
    at: { type: 'string' },
    long: { type: 'boolean', default: false },
  },
});
const sources = new Map(
  sourceFiles().map((file): [string, string] => [`src/${file}`, readFileSync(path.join(SRC, file), 'utf8')]),
);

function tasks(): readonly Task[] {
  const equivalents = JSON.parse(listed('equivalent-faults.json')) as EquivalentFault[];
  const small = (mutation: Mutation): Task => {
    const text = sources.get(mutation.file)!;
    return { title: titleOf(mutation, text), mutation, equivalent: whyEquivalent(text, mutation, equivalents) };
  };
  if (values.at !== undefined) return values.at.split(',').flatMap((place) => mutationsAt(place).map(small));
  if (values.seed !== undefined) {
    const chosen = new Map([...sources].filter(([file]) => file.startsWith(values.in)));
    const count = Number(values.count);
    // Where one is drawn that nobody could notice, the next is taken in its place.
    const drawn = draw(chosen, 2 * count, seededRandom(Number(values.seed))).map(small);
    const last = drawn.filter(({ equivalent }) => equivalent === undefined)[count - 1];
    return last === undefined ? drawn : drawn.slice(0, drawn.indexOf(last) + 1);
  }
  const faults = LISTS.flatMap((list) => JSON.parse(listed(list)) as Fault[]);
  const only = values.only?.split(',');
  return faults
    .filter(({ id }) => only === undefined || only.includes(id) || only.includes(id.split('.')[0]!))
    .map((fault) => {
      const mutation = locate(fault, sources);
      const file = typeof mutation === 'string' ? fault.file : mutation.file;
      const { tests, equivalent } = fault;
      return { title: `${fault.id} ${file}: ${fault.harm}`, mutation, tests, equivalent };
    });
}

const listed = (list: string): string => readFileSync(path.join(import.meta.dirname, list), 'utf8');

/** The small mutations of `FILE:LINE`. */
function mutationsAt(place: string): readonly Mutation[] {
  const [, file = '', line] = /^(.+):(\d+)$/.exec(place) ?? [];
  const text = sources.get(file);
  if (text === undefined) throw new Error(`--at: expected FILE:LINE of a source file, got '${place}'`);
  return mutationsOf(file, text).filter(({ start }) => lineOf(text, start) === Number(line));
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

function titleOf(mutation: Mutation, text: string): string {
  return `${mutation.file}:${lineOf(text, mutation.start)} ${changeOf(mutation, text)}`;
}

/** Whether test files pass without any fault, by name: a fault is only noticed by those that do. */
const sound = new Map<string, Promise<boolean>>();
const isSound = (copy: ProjectCopy, file: string): Promise<boolean> => {
  const known = sound.get(file) ?? copy.run([file], options(undefined)).then(({ passed }) => passed);
  sound.set(file, known);
  return known;
};
const options = (took: number | undefined) => ({
  longest: took === undefined ? LONGEST_RUN : Math.max(PATIENCE.least, PATIENCE.times * took),
  bail: true,
});

/** The long tests that run: they share ports. */
let longRun: Promise<unknown> = Promise.resolve();
async function alone<T>(isLong: boolean, work: () => Promise<T>): Promise<T> {
  if (!isLong) return work();
  const run = longRun.then(work);
  longRun = run.catch(() => undefined);
  return run;
}

/** What came of a fault, and the test that noticed it. */
async function put(copy: ProjectCopy, { mutation, equivalent }: Task, groups: readonly Group[]): Promise<string[]> {
  const say = (result: Result, test = ''): string[] => [result, test];
  if (typeof mutation === 'string') return say('NOT FOUND', mutation);
  if (equivalent !== undefined) return say('equivalent', equivalent);
  const unsound: string[] = [];
  for (const { tests, took, isLong = false } of groups) {
    for (;;) {
      const { passed, failed } = await withFault(copy, mutation, () =>
        alone(isLong, () => copy.run(tests, { ...options(took), except: unsound })),
      );
      if (passed) break;
      if (failed === undefined) return say('noticed', 'the tests do not end');
      if (await alone(isLong, () => isSound(copy, failed.file)))
        return say('noticed', `${failed.file}: ${failed.test}`);
      unsound.push(failed.file);
      if (tests.every((test) => unsound.includes(test))) break;
    }
  }
  const refused = await withFault(copy, mutation, () => copy.typeError(mutation.file));
  if (refused !== undefined) {
    // What the types refuse without it tells nothing.
    const without = await copy.typeError(mutation.file);
    return without === undefined ? say('refused', refused) : say('TYPES FAIL WITHOUT IT', without);
  }
  if (unsound.length > 0) return say('TESTS FAIL WITHOUT IT', unsound.join(' '));
  return say(groups.length > 0 ? 'NOT NOTICED' : 'NOT REACHED');
}

async function withFault<T>(copy: ProjectCopy, mutation: Mutation, work: () => Promise<T>): Promise<T> {
  const text = sources.get(mutation.file)!;
  copy.write(mutation.file, mutated(text, mutation));
  try {
    return await work();
  } finally {
    copy.write(mutation.file, text);
  }
}

const all = tasks();
const copies = Array.from({ length: JOBS }, () => new ProjectCopy({ workers: 1, isolate: false }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const isDrawn = all.some(({ tests }) => tests === undefined);
const reach: Reach = isDrawn ? await reachOf(sources) : () => [];
const counts = new Map<string, number>();
const left = [...all];
const job = async (copy: ProjectCopy): Promise<void> => {
  for (let task = left.shift(); task !== undefined; task = left.shift()) {
    const groups = task.tests === undefined ? groupsOf(task.mutation as Mutation, reach) : [{ tests: task.tests }];
    const [result = '', why = ''] = await put(copy, task, groups);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    console.log(`${result.padEnd(11)} ${task.title}${why === '' ? '' : ` (${why})`}`);
  }
};
await Promise.all(copies.map(job));
const equivalent = counts.get('equivalent') ?? 0;
console.log(`${all.length - equivalent} faults, and ${equivalent} that nobody could notice`);
console.log(`${all.length} in all: ${[...counts].map(([result, count]) => `${count} ${result}`).join(', ')}`);
const GOOD: readonly Result[] = ['noticed', 'refused', 'equivalent'];
process.exit(GOOD.reduce((sum, result) => sum + (counts.get(result) ?? 0), 0) === all.length ? 0 : 1);
