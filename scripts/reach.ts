/**
 * Which tests come to the places of mutations: found by a run of the tests with a probe at each place, and kept below
 * `coverage/`, so that another run only asks the tests that have changed. Of a source that has changed since, a test
 * that came to it is taken to come to all its places.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isTopLevel, mutationsOf, probed, type Mutation } from './mutations.js';
import { ProjectCopy, ROOT, type TestFile } from './project-copy.js';

/** A test file that comes to a place. */
export interface Reaching {
  readonly file: string;
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
  readonly hash: string;
  readonly took: number;
  /** By source file: its hash, and the mutations that the test comes to, by their index among those of the file. */
  readonly places: Readonly<Record<string, { readonly hash: string; readonly reached: readonly number[] }>>;
}

interface Kept {
  /** Of what draws the mutations. */
  readonly hash: string;
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

/** What the quick tests come to, with what is kept of earlier runs. */
export async function reachOf(sources: ReadonlyMap<string, string>): Promise<Reach> {
  const kept = existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as Kept) : undefined;
  const isCurrent = ([file, { hash }]: [string, Known]): boolean =>
    existsSync(path.join(ROOT, file)) && hash === hashOf(readFileSync(path.join(ROOT, file), 'utf8'));
  const known = new Map(Object.entries(kept?.hash === ownHash ? kept.tests : {}).filter(isCurrent));
  const fresh = await probedRun(sources, ([file, project]) => project === 'quick' && !known.has(file));
  for (const [file, one] of fresh) known.set(file, one);
  mkdirSync(path.dirname(KEPT), { recursive: true });
  writeFileSync(KEPT, JSON.stringify({ hash: ownHash, tests: Object.fromEntries(known) } satisfies Kept));
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
    const wanted = (await copy.testFiles()).filter(isWanted).map(([file]) => file);
    if (wanted.length === 0) return new Map();
    console.log(`what ${wanted.length} test files come to is found first, which takes minutes`);
    const { took } = await copy.run(wanted, { longest: LONGEST, bail: false });
    if (took.length === 0) throw new Error('the run of all tests, which tells what they come to, gave no report');
    return new Map(
      took.map(([file, time]): [string, Known] => [
        file,
        {
          hash: hashOf(readFileSync(path.join(ROOT, file), 'utf8')),
          took: Math.round(time),
          places: placesOf(path.join(reached, file.replaceAll('/', '+')), places, sources),
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
function placesOf(noted: string, places: readonly Place[], sources: ReadonlyMap<string, string>): Known['places'] {
  const found: Record<string, { hash: string; reached: number[] }> = {};
  const lines = existsSync(noted) ? readFileSync(noted, 'utf8').split('\n').slice(0, -1) : [];
  for (const line of new Set(lines)) {
    const [source, index] = places[Number(line)]!;
    (found[source] ??= { hash: hashOf(sources.get(source)!), reached: [] }).reached.push(index);
  }
  return found;
}

function lookedUp(sources: ReadonlyMap<string, string>, known: ReadonlyMap<string, Known>): Reach {
  return (mutation) => {
    const { file: source, start, end, to } = mutation;
    const text = sources.get(source)!;
    const hash = hashOf(text);
    const index = mutationsOf(source, text).findIndex(
      (other) => start === other.start && end === other.end && to === other.to,
    );
    // Test files share processes, in which a file is loaded once: by whichever test came first.
    const isLoaded = isTopLevel(text, mutation);
    const own = ownFolder(source);
    const comes = ([test, { places }]: [string, Known]): boolean => {
      const there = places[source];
      if (there === undefined) return isLoaded && test.startsWith(own);
      return isLoaded || there.hash !== hash || there.reached.includes(index);
    };
    return [...known]
      .filter(comes)
      .map(([file, { took }]) => ({ file, took }))
      .sort((a, b) => a.took - b.took);
  };
}

/** Where the tests of a source file's folder are, or of its plugin. */
export function ownFolder(file: string): string {
  const [, first = '', second = ''] = file.split('/');
  return first === 'plugins' ? `test/plugins/${second}/` : `test/${first}/`;
}
