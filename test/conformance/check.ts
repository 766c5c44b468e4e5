import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROGRAM } from '../support/program.js';
import { differences } from './compare.mjs';
import { measured, runSet, type ConformanceSet, type Place, type Result, type Step } from './run-set.mjs';

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(import.meta.dirname, file), 'utf8'));

/**
 * What is known to differ, by set: the names of its rows, or that the server refuses its Corefile. The list may only
 * become shorter: a row on it that is as recorded fails its test.
 */
const KNOWN = read('known-differences.json') as Record<string, string[] | 'refused'>;

const named = ({ name, type, http, log, counts }: Step, i: number): string =>
  [`#${i}`, name ?? http ?? log ?? (counts === undefined ? 'raw' : 'counts'), type].filter(Boolean).join(' ');

/** A server somewhere else than where the sets have it. */
export interface Elsewhere {
  readonly command: readonly string[];
  readonly place: Place;
  /** Rows that differ there, by set. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

export const readRecorded = (answers: string): Record<string, Result[]> => read(answers) as Record<string, Result[]>;

/** Plays a set and compares with what is recorded. */
export async function checkSet(
  set: ConformanceSet,
  recorded: readonly Result[],
  { command, place, known: knownThere = {} }: Partial<Elsewhere> = {},
): Promise<void> {
  const { results, out } = await runSet(set, command ?? PROGRAM, place);
  const known = knownThere[set.name] ?? KNOWN[set.name] ?? [];
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

/** How long a set waits by what it says, in milliseconds. */
const waits = ({ steps = [] }: ConformanceSet): number => steps.reduce((sum, { sleep = 0 }) => sum + sleep, 0);

/**
 * One test for each set: a server started from its Corefile answers as it is recorded in `answers`. Those that wait for
 * longest begin first, so that the others use the time.
 */
export function checkSets(sets: readonly ConformanceSet[], answers: string): void {
  const recorded = readRecorded(answers);
  test('every set has its recorded answers', () => {
    expect(sets.map(({ name }) => name).sort()).toEqual(Object.keys(recorded).sort());
  });
  const byWait = [...sets].sort((one, other) => waits(other) - waits(one));
  test.concurrent.each(byWait)('$name', async (set) => checkSet(set, recorded[set.name]!), 60_000);
}
