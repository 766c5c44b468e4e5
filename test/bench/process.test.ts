import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Program } from '../support/program.js';
import { installed } from './process.js';

const MODULE = path.join(import.meta.dirname, 'process.ts');
const starts = (then: string): string =>
  `import { startPinned } from ${JSON.stringify(MODULE)};
   process.stdout.write('started ' + startPinned('0', 'sleep', ['1000']).pid + '\\n');
   ${then}`;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(!installed('taskset'))('a program that the bench has started', () => {
  it.each([
    { name: 'something fails that nobody waits for', then: `setTimeout(() => Promise.reject(new Error('lost')), 50);` },
    { name: 'the bench is told to end', then: '', signal: 'SIGTERM' as const },
  ])('ends when $name', async ({ then, signal }) => {
    const eternal = 'setInterval(() => undefined, 1000);';
    const text = starts(`${eternal}${then}`);
    const bench = new Program([process.execPath, '--import', 'tsx', '--input-type=module', '-e', text]);
    const pid = Number((await bench.said(/started (\d+)/))[1]);
    if (signal) bench.child.kill(signal);
    expect(await bench.ended()).toBe(1);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  });
});
