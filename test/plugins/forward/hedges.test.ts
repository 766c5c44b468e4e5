import { expect, it } from 'vitest';
import { HedgeBudget } from '../../../src/plugins/forward/hedges.js';

/** How many are given out of so many that are wanted. */
const taken = (budget: HedgeBudget, wanted: number): number =>
  Array.from({ length: wanted }, () => budget.take()).filter(Boolean).length;
const earned = (budget: HedgeBudget, times: number): void => {
  for (let i = 0; i < times; i++) budget.earn();
};

it.each([
  { name: 'at first there are 20', before: 0, first: 21, between: 0, want: [20, 0] },
  { name: 'one in ten look-ups earns another', before: 0, first: 20, between: 101, want: [20, 10] },
  { name: 'nine earn none', before: 0, first: 20, between: 9, want: [20, 0] },
  { name: 'a look-up while there are 20 saves nothing', before: 1, first: 20, between: 9, want: [20, 0] },
  { name: 'more than 20 are never saved', before: 1000, first: 99, between: 1000, want: [20, 20] },
])('$name', ({ before, first, between, want }) => {
  const budget = new HedgeBudget();
  earned(budget, before);
  const got = [taken(budget, first)];
  earned(budget, between);
  expect([...got, taken(budget, 99)]).toEqual(want);
});
