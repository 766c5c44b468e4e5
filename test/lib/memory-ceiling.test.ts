import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { MemoryCeiling, defaultCeiling, parseMemory } from '../../src/lib/memory-ceiling.js';
import { TestLog } from '../support/block.js';

const MIB = 2 ** 20;

describe('the ceiling', () => {
  it('is left to the steps in order, and left again with some slack', async () => {
    const clock = new ManualClock();
    const log = new TestLog();
    let resident = 50;
    let shrunk = 0;
    let collected = 0;
    const memory = new MemoryCeiling({
      ceiling: 100 * MIB,
      clock,
      log,
      resident: () => resident * MIB,
      collect: () => collected++,
    });
    memory.shrinking.subscribe(() => shrunk++);
    const steps: string[] = [];
    const told = new Set<string>();
    for (resident of [50, 84, 85, 91, 92, 96, 97, 96, 94, 91, 89, 84, 82]) {
      await clock.advanceAsync(100);
      steps.push(memory.step);
      told.add(`${memory.step} ${memory.delays} ${memory.refuses}`);
    }
    expect(steps).toEqual([
      ...['ample', 'ample', 'shrink', 'shrink', 'wait', 'wait', 'refuse'],
      ...['refuse', 'wait', 'wait', 'shrink', 'shrink', 'ample'],
    ]);
    expect([...told].sort()).toEqual([
      'ample false false',
      'refuse true true',
      'shrink false false',
      'wait true false',
    ]);
    expect(memory.ceiling).toBe(100 * MIB);
    expect(shrunk).toBe(10);
    expect(collected).toBe(1);
    expect(log.lines[0]).toBe('[WARNING] memory: 85 % of 100 MiB: caches shrink');
    expect(log.lines.at(-1)).toBe('[WARNING] memory: 82 % of 100 MiB: all is well again');
  });

  it.each([
    { name: 'a container of 170 MiB', limit: 170 * MIB, want: Math.floor(153 * MIB) },
    { name: 'no limit', limit: 2 ** 63, want: undefined },
    { name: 'a limit that is all there is', limit: 1000 * MIB, want: undefined },
    { name: 'a system that does not say', limit: 0, want: undefined },
  ])('is by default that of $name less a tenth', ({ limit, want }) =>
    expect(defaultCeiling(limit, 1000 * MIB)).toBe(want),
  );

  it.each([
    { text: '170Mi', want: 170 * MIB },
    { text: '1Gi', want: 1024 * MIB },
    { text: '500M', want: 5e8 },
    { text: '1048576', want: MIB },
    { text: '0', want: 0 },
    { text: '1.5Gi', want: undefined },
    { text: '-1', want: undefined },
    { text: '10 MB', want: undefined },
  ])("'$text' is $want bytes", ({ text, want }) => expect(parseMemory(text)).toBe(want));
});
