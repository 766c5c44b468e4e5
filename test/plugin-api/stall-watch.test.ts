import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { StallWatch } from '../../src/plugin-api/stall-watch.js';
import { RecordedLog } from '../support/kube.js';

function watched() {
  const [clock, log] = [new ManualClock(), new RecordedLog()];
  const watch = new StallWatch(clock, log);
  return { clock, watch, lines: () => log.at('warning').splice(0), log };
}

const line = (what: string, time: string, often = ''): string =>
  `${what} kept the thread for ${time} ms${often}; no query is answered meanwhile, allowed: 5 ms`;

describe('a plugin that keeps the thread', () => {
  it.each([
    { time: 5, want: [] },
    { time: 5.1, want: [line('plugin/x', '5.1')] },
  ])('is named after more than 5 ms: $time', ({ time, want }) => {
    const { watch, lines } = watched();
    watch.took('plugin/x', time);
    expect(lines()).toEqual(want);
  });

  it('is named once a minute, with the longest time and how many there were', () => {
    const { clock, watch, log } = watched();
    watch.took('a', 6);
    for (const time of [9, 7, 3]) watch.took('b', time);
    clock.advance(59_999);
    watch.took('c', 8);
    expect(log.lines).toHaveLength(1);
    clock.advance(1);
    watch.took('d', 6);
    expect(log.at('warning').slice(1)).toEqual([line('d', '9.0', ', the longest of 4 such times')]);
    clock.advance(60_000);
    watch.took('e', 6);
    expect(log.at('warning').slice(2)).toEqual([line('e', '6.0')]);
  });

  it('is measured, whether it ends well or not', () => {
    const { clock, watch, lines } = watched();
    const slow = (): number => {
      clock.advance(10);
      return 7;
    };
    expect(watch.measure('x', slow)).toBe(7);
    expect(lines()).toEqual([line('x', '10.0')]);
    const failing = watched();
    const fail = (): never => {
      failing.clock.advance(20);
      throw new Error('no');
    };
    expect(() => failing.watch.measure('y', fail)).toThrow('no');
    expect(failing.lines()).toEqual([line('y', '20.0')]);
  });
});
