/** Which tests come to the places of mutations: found by one run of all quick tests, with a probe at each place. */
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { probed, type Mutation } from './mutations.js';
import type { ProjectCopy } from './project-copy.js';

/** Test files that come to a mutation's place, with what each takes in milliseconds, the shortest first. */
export type Reach = ReadonlyMap<Mutation, readonly { readonly file: string; readonly took: number }[]>;

/** Longest run of all quick tests, in milliseconds. */
const LONGEST = 1_800_000;

/**
 * Loaded by each process and thread of the run: notes once that a place was come to, and by which test file. Programs
 * that a test starts have its name from their environment.
 */
const PRELOADED = `
const { appendFileSync } = require('node:fs');
const seen = new Set();
globalThis.__reached = (place) => {
  const test = process.env.MUTATE_TEST;
  if (test === undefined || seen.has(test + place)) return;
  seen.add(test + place);
  appendFileSync(process.env.MUTATE_REACHED + '/' + place, test + '\\n');
};`;
const NAMES_ITSELF = `
import { expect } from 'vitest';
process.env.MUTATE_TEST = expect.getState().testPath;`;

/** Runs all quick tests in a copy, which cannot be used for anything else afterwards. */
export async function reachOf(copy: ProjectCopy, mutations: readonly Mutation[]): Promise<Reach> {
  for (const file of new Set(mutations.map((mutation) => mutation.file))) {
    const at = path.join(copy.folder, file);
    const own = mutations.flatMap((mutation, place) => (mutation.file === file ? [{ mutation, place }] : []));
    writeFileSync(at, probed(file, readFileSync(at, 'utf8'), own));
  }
  const reached = path.join(copy.folder, 'reached');
  const preloaded = path.join(copy.folder, 'preloaded.cjs');
  mkdirSync(reached);
  writeFileSync(preloaded, PRELOADED);
  appendFileSync(path.join(copy.folder, 'test/support/setup.ts'), NAMES_ITSELF);
  const { took } = await copy.run([], {
    workers: 2,
    longest: LONGEST,
    hasty: false,
    env: { NODE_OPTIONS: `--require ${preloaded}`, MUTATE_REACHED: reached },
  });
  if (took.size === 0) throw new Error('the run of all tests, which tells what they come to, gave no report');
  const there = new Set(readdirSync(reached));
  return new Map(
    mutations.map((mutation, place) => {
      const tests = there.has(String(place)) ? readFileSync(path.join(reached, String(place)), 'utf8').split('\n') : [];
      const files = [...new Set(tests)].filter((test) => test !== '').map((test) => path.relative(copy.folder, test));
      const timed = files.map((file) => ({ file, took: took.get(file) ?? 0 }));
      return [mutation, timed.sort((a, b) => a.took - b.took)];
    }),
  );
}
