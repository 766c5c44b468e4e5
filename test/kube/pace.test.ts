import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/kube/pace.js';
import { ManualClock } from '../../src/lib/clock.js';
import { FakeApi } from '../support/fake-api.js';
import { followApi } from '../support/followed-api.js';
import { service } from '../support/kube.js';

/** Works a piece of a millisecond at a time, and notes whose turn it was. */
async function work(name: string, pieces: number, pace: Pace, clock: ManualClock, turns: string[]): Promise<void> {
  for (let i = 0; i < pieces; i++) {
    while (pace.isDue) await pace.rest();
    clock.advance(1);
    turns.push(name);
  }
}

/** Notes each turn of the event loop until the promise is settled. */
async function between(promise: Promise<unknown>, turns: string[]): Promise<void> {
  let on = true;
  const tick = (): void => {
    turns.push('|');
    if (on) setImmediate(tick);
  };
  setImmediate(tick);
  await promise.finally(() => (on = false));
}

describe('Pace', () => {
  it('lets work go on for 4 ms', async () => {
    const clock = new ManualClock();
    const pace = new Pace(clock);
    clock.advance(4);
    expect(pace.isDue).toBe(false);
    clock.advance(1);
    expect(pace.isDue).toBe(true);
    await pace.rest();
    expect(pace.isDue).toBe(false);
  });

  it.each([
    { name: 'one worker', workers: ['a'] },
    { name: 'three workers together', workers: ['a', 'b', 'c'] },
  ])('gives others their turn: $name', async ({ workers }) => {
    const clock = new ManualClock();
    const pace = new Pace(clock);
    const turns: string[] = [];
    await between(Promise.all(workers.map((worker) => work(worker, 20, pace, clock, turns))), turns);
    const slices = turns.join('').split('|');
    // The last slice and the one before may fall into one turn.
    expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThanOrEqual(10);
    expect(turns.filter((turn) => turn !== '|')).toHaveLength(20 * workers.length);
  });

  it.each(['sent', 'refused'] as const)(
    'is kept while an API sends all there is at once: streams are %s',
    async (streams) => {
      const fake = new FakeApi(Array.from({ length: 300 }, (_, i) => service(`s${i}`)));
      Object.assign(fake, { protobuf: true, streams });
      await fake.start();
      let now = 0;
      // Each look at the clock takes a millisecond: few objects fit into a slice.
      const clock = { now: () => 0, monotonic: () => now++, setTimeout: () => ({ cancel: () => undefined }) };
      const { source, stop, store } = followApi(fake, { kinds: ['Service'], clock });
      try {
        const turns: string[] = [];
        store.changes.subscribe(() => turns.push('o'));
        await between(source.synced, turns);
        const slices = turns.join('').split('|');
        expect(turns.filter((turn) => turn === 'o')).toHaveLength(300);
        expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThanOrEqual(10);
      } finally {
        stop.abort();
        await fake.stop();
      }
    },
  );
});
