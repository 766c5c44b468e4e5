import { beforeAll, expect, it } from 'vitest';
import { collectAfterStart, collectGarbage, tuneThreads } from '../../src/cli/engine.js';

/** Something that nothing refers to any more. */
const lost = (): WeakRef<object> => new WeakRef({});
/** What is made in one turn is kept until its end. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeAll(() => tuneThreads());

it.each([
  { name: 'collecting', collect: collectGarbage, used: 0 },
  { name: 'collecting after a start that has much in memory', collect: collectAfterStart, used: 5_000_000 },
])('$name frees at once what nothing refers to', async ({ collect, used }) => {
  const kept = new Array<number>(used).fill(0.5);
  const [gone, stays] = [lost(), new WeakRef(kept)];
  await turn();
  collect();
  expect([gone.deref(), stays.deref() === kept]).toEqual([undefined, true]);
});
