/**
 * Which tests come to the places of mutations: found by a run of the tests with a probe at each place, and kept below
 * `coverage/`, so that another run only asks the tests that have changed, or whose sources have.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mutationsOf, probed, type Mutation } from './mutations.js';
import { ProjectCopy, ROOT, type TestFile } from './project-copy.js';

/** A test file that comes to a place. */
export interface Reaching {
  readonly file: string;
  /** Its project: `quick` or `long`. */
  readonly project: string;
  /** How long it takes, in milliseconds. */
  readonly took: number;
}

/** The test files that come to a mutation's place, the shortest first. */
export type Reach = (mutation: Mutation) => readonly Reaching[];

/** Longest run of all tests, in milliseconds. */
const LONGEST = 3_600_000;
const KEPT = path.join(ROOT, 'coverage/reach.json');

/** What is known of a test file. */
interface Known {
  readonly project: string;
  readonly hash: string;
  readonly took: number;
  /** The mutations that it comes to, by their index among those of each source file. */
  readonly places: Readonly<Record<string, readonly number[]>>;
}

interface Kept {
  /** Of what draws the mutations. */
  readonly hash: string;
  readonly sources: Readonly<Record<string, string>>;
  readonly tests: Readonly<Record<string, Known>>;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const ownHash = hashOf(readFileSync(path.join(import.meta.dirname, 'mutations.ts'), 'utf8'));

/**
 * Loaded by each process and thread of the run: notes once that a place was come to, in a file of the test file.
 * Programs that a test starts have its name from their environment, whatever else the test gives them of it.
 */
const preloaded = (folder: string, places: number): string => `
const { openSync, writeSync } = require('node:fs');
let test = process.env.MUTATE_TEST;
let descriptor;
const seen = new Uint8Array(${places});
globalThis.__testIs = (name) => {
  process.env.MUTATE_TEST = test = name;
  descriptor = undefined;
  seen.fill(0);
};
globalThis.__reached = (place) => {
  if (test === undefined || seen[place] === 1) return;
  seen[place] = 1;
  descriptor ??= openSync('${folder}/' + test.replaceAll('/', '+'), 'a');
  writeSync(descriptor, place + '\\n');
};
const passed = () => ({ NODE_OPTIONS: process.env.NODE_OPTIONS, MUTATE_TEST: test });
const processes = require('node:child_process');
const { spawn } = processes.ChildProcess.prototype;
processes.ChildProcess.prototype.spawn = function (options) {
  if (test !== undefined) options.envPairs.push(...Object.entries(passed()).map(([name, value]) => name + '=' + value));
  return spawn.call(this, options);
};
for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
  const call = processes[name];
  processes[name] = (...given) => {
    const options = given.find((one) => one?.env !== undefined);
    if (options === undefined || test === undefined) return call(...given);
    const more = { ...options, env: { ...options.env, ...passed() } };
    return call(...given.map((one) => (one === options ? more : one)));
  };
}
require('node:module').syncBuiltinESMExports();`;
const namesItself = (folder: string): string => `
import { expect } from 'vitest';
globalThis.__testIs(expect.getState().testPath.slice(${folder.length + 1}));`;

/** What tests come to, with what is kept of earlier runs. `long` are the beginnings of long tests' names that are asked too. */
export async function reachOf(sources: ReadonlyMap<string, string>, long: readonly string[]): Promise<Reach> {
  const now = Object.fromEntries([...sources].map(([file, text]) => [file, hashOf(text)]));
  const kept = existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as Kept) : undefined;
  const changed = new Set(Object.keys(now).filter((file) => now[file] !== kept?.sources[file]));
  const isCurrent = (file: string, { hash, places }: Known): boolean =>
    existsSync(path.join(ROOT, file)) &&
    hash === hashOf(readFileSync(path.join(ROOT, file), 'utf8')) &&
    Object.keys(places).every((source) => !changed.has(source));
  const tests = Object.entries(kept?.hash === ownHash ? kept.tests : {}).filter(([file, known]) =>
    isCurrent(file, known),
  );
  const known = new Map(tests);
  const isWanted = ([file, project]: TestFile): boolean =>
    !known.has(file) && (project === 'quick' || long.some((start) => file.startsWith(start)));
  const fresh = await probedRun(sources, isWanted);
  for (const [file, one] of fresh) known.set(file, one);
  mkdirSync(path.dirname(KEPT), { recursive: true });
  writeFileSync(KEPT, JSON.stringify({ hash: ownHash, sources: now, tests: Object.fromEntries(known) } satisfies Kept));
  return lookedUp(sources, known);
}

/** Runs the tests that are wanted, with a probe at each place. */
async function probedRun(
  sources: ReadonlyMap<string, string>,
  isWanted: (file: TestFile) => boolean,
): Promise<ReadonlyMap<string, Known>> {
  const copy = new ProjectCopy({ workers: 2, isolate: false });
  try {
    const reached = path.join(copy.folder, 'reached');
    const places = probe(copy, sources);
    const loaded = path.join(copy.folder, 'preloaded.cjs');
    mkdirSync(reached);
    writeFileSync(loaded, preloaded(reached, places.length));
    appendFileSync(path.join(copy.folder, 'test/support/setup.ts'), namesItself(copy.folder));
    copy.env.NODE_OPTIONS = `--require ${loaded}`;
    const wanted = new Map((await copy.testFiles()).filter(isWanted));
    if (wanted.size === 0) return new Map();
    console.log(`what ${wanted.size} test files come to is found first, which takes minutes`);
    const { took } = await copy.run([...wanted.keys()], { longest: LONGEST, bail: false });
    if (took.length === 0) throw new Error('the run of all tests, which tells what they come to, gave no report');
    return new Map(
      took.map(([file, time]): [string, Known] => [
        file,
        {
          project: wanted.get(file)!,
          hash: hashOf(readFileSync(path.join(ROOT, file), 'utf8')),
          took: Math.round(time),
          places: placesOf(path.join(reached, file.replaceAll('/', '+')), places),
        },
      ]),
    );
  } finally {
    copy.remove();
  }
}

/** A mutation, by its index among those of its file. */
type Place = readonly [source: string, index: number];

/** Puts a probe at each place of a copy; what the numbers of the probes stand for. */
function probe(copy: ProjectCopy, sources: ReadonlyMap<string, string>): readonly Place[] {
  const places: Place[] = [];
  for (const [file, text] of sources) {
    const own = mutationsOf(file, text).map((mutation, index) => ({ mutation, place: places.push([file, index]) - 1 }));
    copy.write(file, probed(file, text, own));
  }
  return places;
}

/** What a test file has noted. */
function placesOf(noted: string, places: readonly Place[]): Known['places'] {
  const found: Record<string, number[]> = {};
  const lines = existsSync(noted) ? readFileSync(noted, 'utf8').split('\n').slice(0, -1) : [];
  for (const line of new Set(lines)) {
    const [source, index] = places[Number(line)]!;
    (found[source] ??= []).push(index);
  }
  return found;
}

function lookedUp(sources: ReadonlyMap<string, string>, known: ReadonlyMap<string, Known>): Reach {
  return (mutation) => {
    const index = mutationsOf(mutation.file, sources.get(mutation.file)!).findIndex(
      ({ start, end, to }) => start === mutation.start && end === mutation.end && to === mutation.to,
    );
    return [...known]
      .filter(([, { places }]) => places[mutation.file]?.includes(index))
      .map(([file, { project, took }]) => ({ file, project, took }))
      .sort((a, b) => a.took - b.took);
  };
}
