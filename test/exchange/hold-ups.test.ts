import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { HoldUps } from '../../src/exchange/hold-ups.js';
import { Pipelining } from '../../src/exchange/pipelining.js';
import { ManualClock } from '../../src/lib/clock.js';
import { serve, type ServerManner } from './one-at-a-time.js';
import { World } from './world.js';

const SLOW = 300;
/** There and back. */
const ROUND_TRIP = 2;

interface Asked {
  readonly name: string;
  readonly events: string[];
  readonly took: () => number;
}

/** Asks `each` queries every `pause` for `time`; the name says which are slow, as `slow` has it. */
async function ask(
  world: World,
  time: number,
  { each = 1, pause = 5, slow = () => false }: { each?: number; pause?: number; slow?: (i: number) => boolean } = {},
): Promise<Asked[]> {
  const all: Asked[] = [];
  for (let left = time; left > 0; left -= pause) {
    for (let i = 0; i < each; i++) {
      const name = `${slow(all.length) ? 'slow' : 'quick'}${all.length}-${world.clock.monotonic()}.example.`;
      all.push({ name, ...world.ask('tcp', name) });
    }
    await world.elapse(pause);
  }
  return all;
}

const isSlow = ({ name }: Asked): boolean => name.startsWith('slow');
const quickest = (all: Asked[]): number[] =>
  all
    .filter((asked) => !isSlow(asked))
    .map(({ took }) => took())
    .sort((a, b) => a - b);
/** The share of quick queries that took longer than without slow ones by more than 5 ms. */
const late = (all: Asked[]): number => {
  const times = quickest(all);
  return times.filter((took) => !(took <= ROUND_TRIP + 5)).length / times.length;
};
const opened = (world: World): number => world.network.opened.filter(({ protocol }) => protocol === 'tcp').length;
const tenth = (i: number): boolean => i % 10 === 3;
const time = (name: string): number => (name.startsWith('slow') ? SLOW : 0);

describe('a server that works on one query of a connection at a time', () => {
  const manner = (): ServerManner => ({ time, anyOrder: false });

  it('gets a tenth of slow queries: the others wait for none of them, and none fails', async () => {
    const world = await new World().start();
    serve(world, manner());
    const all = await ask(world, 10_000, { slow: tenth });
    await world.elapse(500);
    expect(all.flatMap(({ events }) => events)).toEqual(new Array(all.length).fill('NOERROR'));
    expect(late(all)).toBeLessThan(0.005);
    expect(world.upstream.pipelining.anyOrder).toBe(false);
    expect(opened(world)).toBeLessThan(20);
  });

  it('gets one query a connection before it has shown anything', async () => {
    const world = await new World().start();
    const load = serve(world, manner());
    await ask(world, 5, { each: 40 });
    await world.elapse(100);
    expect(load.deepest).toBe(1);
  });

  it('gets many on few connections while all its answers are prompt', async () => {
    const world = await new World().start();
    const load = serve(world, manner());
    await ask(world, 1000, { each: 40 });
    expect(load.deepest).toBeGreaterThan(20);
    const before = opened(world);
    const all = await ask(world, 500, { each: 40 });
    expect(late(all)).toBe(0);
    expect(opened(world)).toBe(before);
  });

  it('holds up queries for a moment only when one is slow after all, and gets one at a time again', async () => {
    const world = await new World().start();
    const load = serve(world, manner());
    await ask(world, 1000, { each: 40 });
    expect(world.upstream.pipelining.depth).toBeGreaterThan(20);
    const all = await ask(world, 20, { each: 40, slow: (i) => i === 45 });
    await world.elapse(400);
    const times = quickest(all);
    // Noticed after a bit more than three usual answers, then asked elsewhere.
    expect(times.at(-1)).toBeLessThanOrEqual(20);
    expect(world.upstream.pipelining.depth).toBe(1);
    expect(Math.max(...load.count.values())).toBe(2);
    expect([...load.count.values()].filter((count) => count > 1).length).toBeLessThan(41);
  });

  it.each([
    { name: 'all of them slow', slow: () => true },
    { name: 'half of them slow', slow: (i: number) => i % 2 === 0 },
  ])('gets no query more than twice: $name', async ({ slow }) => {
    const world = await new World().start();
    const load = serve(world, manner());
    await ask(world, 3000, { slow });
    await world.elapse(2000);
    expect(Math.max(...load.count.values())).toBeLessThanOrEqual(2);
    // Copies are for those that are held up, or were the first on their connection; and one now and then is a trial.
    expect([...load.count.values()].filter((count) => count > 1).length).toBeLessThan(30);
  });

  it('does not count as one that answers in any order because it drops a query', async () => {
    const world = await new World().start();
    serve(world, { anyOrder: false, time: (name) => (name.startsWith('slow') ? undefined : 0) });
    const all = await ask(world, 3000, { each: 4, slow: (i) => i % 100 === 99 });
    expect(late(all)).toBeLessThan(0.01);
    expect(world.upstream.pipelining.anyOrder).toBe(false);
  });

  it('gets no more than 128 connections', async () => {
    const world = await new World().start();
    serve(world, { anyOrder: false, time: () => 100_000 });
    await ask(world, 2000, { each: 20 });
    expect(opened(world)).toBe(128);
  });

  it('serves some connections only: what went down another one is asked again where there are answers', async () => {
    const world = await new World().start();
    serve(world, { ...manner(), time: () => 1, served: 3 });
    const all = await ask(world, 2000, { each: 3 });
    await world.elapse(100);
    expect(all.flatMap(({ events }) => events)).toEqual(new Array(all.length).fill('NOERROR'));
    const times = quickest(all.slice(100));
    expect(times[Math.floor(times.length * 0.99)]).toBeLessThanOrEqual(10);
  });

  it('gets more connections soon after the packets of one were lost', async () => {
    const world = await new World().start();
    serve(world, { ...manner(), time: () => 20, lossy: [2] });
    await ask(world, 1000, { pause: 10 });
    const all = await ask(world, 4000, { each: 2 });
    await world.elapse(1000);
    const times = quickest(all.slice(300));
    expect(times[Math.floor(times.length * 0.99)]).toBeLessThanOrEqual(50);
  });
});

describe('a server that works on all queries of a connection at once', () => {
  it('is found out by a copy behind a slow query, and then gets all queries over few connections', async () => {
    const world = await new World().start();
    serve(world, { time, anyOrder: true });
    await ask(world, 2000, { slow: tenth });
    expect(world.upstream.pipelining.anyOrder).toBe(true);
    const before = opened(world);
    const all = await ask(world, 5000, { each: 20, slow: tenth });
    await world.elapse(500);
    expect(late(all)).toBe(0);
    expect(all.flatMap(({ events }) => events)).toEqual(new Array(all.length).fill('NOERROR'));
    expect(opened(world) - before).toBeLessThanOrEqual(8);
  });

  it('gets one at a time again when it stops to do so', async () => {
    const world = await new World().start();
    const manner = { time, anyOrder: true };
    const load = serve(world, manner);
    await ask(world, 2000, { slow: tenth });
    expect(world.upstream.pipelining.anyOrder).toBe(true);
    manner.anyOrder = false;
    await ask(world, 5000, { each: 4, slow: tenth });
    expect(world.upstream.pipelining.anyOrder).toBe(false);
    const all = await ask(world, 5000, { slow: tenth });
    await world.elapse(500);
    expect(late(all)).toBeLessThan(0.005);
    expect(Math.max(...load.count.values())).toBeLessThanOrEqual(2);
  });
});

it.each([
  { name: '2 ms later', later: 2, proof: true },
  { name: '1 ms later, as one turn may be', later: 1, proof: false },
])('that a query is held up is shown by an answer to what was sent $name: $proof', ({ later, proof }) => {
  const [clock, pipelining] = [new ManualClock(), new Pipelining()];
  const holdUps = new HoldUps({ clock, pipelining, links: () => [], patience: () => 0, rescue: () => undefined });
  const answered = new Attempt(Buffer.alloc(12), 12, undefined);
  answered.takenAt = 100 + later;
  holdUps.answered(answered);
  expect(holdUps.hasAnsweredSince(100)).toBe(proof);
});
