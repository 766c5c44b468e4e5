import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { changeOf, listedReason, whyEquivalent, type EquivalentFault } from '../../scripts/equivalents.js';
import { mutationsOf } from '../../scripts/mutations.js';

const LIST = JSON.parse(
  readFileSync(new URL('../../scripts/equivalent-faults.json', import.meta.url), 'utf8'),
) as readonly EquivalentFault[];

describe('a fault that nobody could notice', () => {
  it.each(LIST)('is in the source: $file: $change', (one) => {
    const text = readFileSync(new URL(`../../${one.file}`, import.meta.url), 'utf8');
    expect(mutationsOf(one.file, text).some((mutation) => listedReason(text, mutation, [one]) === one.why)).toBe(true);
    expect(one.why.length).toBeGreaterThan(20);
  });

  const text = 'const A = 1;\nif (a < 1) b = 1;\n';
  const of = (change: string, line = 'if (a < 1) b = 1;'): string[] =>
    mutationsOf('src/a.ts', text)
      .filter((mutation) => whyEquivalent(text, mutation, [{ file: 'src/a.ts', line, change, why: 'so' }]) === 'so')
      .map((mutation) => changeOf(mutation, text));

  it.each([
    { name: 'one change of a line', change: '< -> <=', want: ['< -> <='] },
    {
      name: 'all changes of a line',
      change: '*',
      want: ['a < 1 -> !(a < 1)', '< -> <=', '1 -> 2', 'b = 1; -> ;', '1 -> 2'],
    },
    { name: 'no change of another line', change: '2 -> 3', want: [] },
  ])('is found by its text: $name', ({ change, want }) => expect(of(change)).toEqual(want));
});
