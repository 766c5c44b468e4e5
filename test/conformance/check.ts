import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROGRAM } from '../support/program.js';
import { differences } from './compare.mjs';
import { measured, runSet, type ConformanceSet, type Result, type Step } from './run-set.mjs';

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(import.meta.dirname, file), 'utf8'));

/**
 * What is known to differ, by set: the names of its rows, or that the server refuses its Corefile. The list may only
 * become shorter: a row on it that is as recorded fails its test.
 */
const KNOWN = read('known-differences.json') as Record<string, string[] | 'refused'>;

const named = ({ name, type, http, log, counts }: Step, i: number): string =>
  [`#${i}`, name ?? http ?? log ?? (counts === undefined ? 'raw' : 'counts'), type].filter(Boolean).join(' ');

async function check(set: ConformanceSet, recorded: readonly Result[]): Promise<void> {
  const { results, out } = await runSet(set, PROGRAM);
  const known = KNOWN[set.name] ?? [];
  if (known === 'refused') {
    expect(results, 'started: take it off known-differences.json, or list the rows that differ').toEqual([]);
    return;
  }
  expect(results.length, out).toBe(recorded.length);
  const steps = measured(set);
  const differing = recorded.flatMap((want, i) => {
    const bad = differences(want, results[i], steps[i]!);
    return bad.length > 0 ? [{ row: named(steps[i]!, i), bad }] : [];
  });
  expect(differing.filter(({ row }) => !known.includes(row))).toEqual([]);
  const passing = known.filter((row) => !differing.some((difference) => difference.row === row));
  expect(passing, 'as recorded: take them off known-differences.json').toEqual([]);
}

/** One test for each set: a server started from its Corefile answers as it is recorded in `answers`. */
export function checkSets(sets: readonly ConformanceSet[], answers: string): void {
  const recorded = read(answers) as Record<string, Result[]>;
  test('every set has its recorded answers', () => {
    expect(sets.map(({ name }) => name).sort()).toEqual(Object.keys(recorded).sort());
  });
  test.concurrent.each(sets)('$name', async (set) => check(set, recorded[set.name]!), 60_000);
}
