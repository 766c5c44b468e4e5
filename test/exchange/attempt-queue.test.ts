import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { AttemptQueue } from '../../src/exchange/attempt-queue.js';
import type { StreamConnection } from '../../src/exchange/stream-connection.js';
import { WaitingQueries } from '../../src/exchange/waiting-queries.js';
import { query } from '../support/dns.js';
import { goodReply } from '../support/fake-upstream.js';
import { World } from './world.js';

const { bytes, questionEnd } = query('www.example.org.');
const attempts = (count: number): Attempt[] =>
  Array.from({ length: count }, () => new Attempt(bytes, questionEnd, undefined));

/** The numbers of those that are taken, until there is none. */
const taken = (queue: AttemptQueue, of: readonly Attempt[]): number[] => {
  const numbers = new Map(of.map((attempt, i) => [attempt, i]));
  const found: number[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) found.push(numbers.get(next)!);
  return found;
};

describe('attempts that wait', () => {
  it('are taken in their order, without those that were taken out, of many', () => {
    const [queue, all] = [new AttemptQueue(), attempts(10_000)];
    for (const attempt of all) queue.add(attempt);
    all.forEach((attempt, i) => (i % 3 === 0 ? undefined : queue.delete(attempt)));
    const left = all.flatMap((_, i) => (i % 3 === 0 ? [i] : []));
    expect(queue.size).toBe(left.length);
    expect(taken(queue, all)).toEqual(left);
    expect(queue.size).toBe(0);
  });

  it('come behind those before them, also where all were taken meanwhile', () => {
    const [queue, all] = [new AttemptQueue(), attempts(5)];
    for (const attempt of all.slice(0, 2)) queue.add(attempt);
    expect(queue.take()).toBe(all[0]);
    queue.add(all[2]!);
    expect(taken(queue, all)).toEqual([1, 2]);
    for (const attempt of all.slice(3)) queue.add(attempt);
    expect(taken(queue, all)).toEqual([3, 4]);
  });

  it('are taken all at once', () => {
    const [queue, all] = [new AttemptQueue(), attempts(3)];
    for (const attempt of all) queue.add(attempt);
    queue.delete(all[1]!);
    expect(queue.takeAll()).toEqual([all[0], all[2]]);
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
    queue.add(all[1]!);
    expect(queue.take()).toBe(all[1]);
  });
});

describe('2,000 questions that wait for a port, of which every other one is taken back', () => {
  it.each([
    { name: 'the first one', guarded: false },
    { name: 'one of their own, as replies were forged', guarded: true },
  ])('of $name: the others are asked', async ({ guarded }) => {
    const world = await new World({ limits: { maxPorts: 64 } }).start();
    const { server } = world;
    if (guarded) {
      server.answer = ({ message, from }) =>
        world.network.forge({ from: server.at, to: from, bytes: goodReply({ ...message, id: message.id ^ 1 }) });
      world.ask('udp');
      await world.elapse(2);
    }
    server.answer = (asked) => asked.reply(goodReply(asked.message));
    const before = server.seen.length;
    const asked = Array.from({ length: 2000 }, (_, i) => world.ask('udp', `n${i}.example.`));
    asked.forEach(({ attempt }, i) => (i % 2 === 0 ? undefined : attempt.cancel()));
    await world.elapse(500);
    const wanted = asked.flatMap((_, i) => (i % 2 === 0 ? [`n${i}.example.`] : []));
    const names = server.seen.slice(before).map(({ message }) => message.question[0]!.name);
    expect(names.filter((name) => name.startsWith('n'))).toEqual(wanted);
    expect(asked.map(({ events }) => events.join())).toEqual(asked.map((_, i) => (i % 2 === 0 ? 'NOERROR' : '')));
  });
});

describe('queries that wait for a connection', () => {
  const link = (parts: { replies?: number; inFlight?: number; openedAt?: number }): StreamConnection =>
    ({ replies: 0, openedAt: 0, ...parts, inFlight: { size: parts.inFlight ?? 0 } }) as StreamConnection;
  const served = link({ replies: 1, inFlight: 1, openedAt: 50 });
  const unproven = link({ openedAt: 49 });

  it.each([
    { name: 'new ones: any', list: 'fresh', taken: [served, unproven] },
    { name: 'those of one that was closed: what was opened since', list: 'resends', taken: [served] },
    { name: 'those behind a slow one: one that has nothing to do', list: 'rescues', taken: [unproven] },
    { name: 'those of one that never answered: one that has', list: 'stranded', taken: [served] },
  ] as const)('$name', ({ list, taken: want }) => {
    const waiting = new WaitingQueries();
    const [attempt] = attempts(1);
    waiting.resend(attempt!, 50);
    expect([served, unproven].filter(waiting[list].accepts)).toEqual(want);
    expect([waiting.size, waiting.clear(), waiting.size]).toEqual([1, [attempt], 0]);
  });

  it('are counted whatever they wait for', () => {
    const waiting = new WaitingQueries();
    const all = attempts(10);
    const parts = {
      stranded: all.slice(0, 1),
      rescues: all.slice(1, 3),
      resends: all.slice(3, 6),
      fresh: all.slice(6),
    };
    for (const name of ['fresh', 'resends', 'rescues', 'stranded'] as const)
      waiting[name].attempts.push(...parts[name]);
    expect(waiting.size).toBe(10);
    expect(waiting.clear()).toEqual(all);
    expect(waiting.size).toBe(0);
  });
});
