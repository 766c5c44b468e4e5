import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { reply, summary } from '../../support/dns.js';
import { RecentChanges } from '../../../src/plugins/cache/recent-changes.js';
import { SOA, World, counting } from './world.js';

const ZONE = 'example.org.';

/** A cache that is told of changes, with an answer for each name. */
const begin = (names: readonly string[], options = 'cache'): Promise<World> => {
  const world = new World(options, counting(60));
  world.handler.expectChanges(ZONE);
  return names.reduce(async (before, name) => {
    await before;
    await world.reply(name);
    world.block.clock.advance(1);
    return world;
  }, Promise.resolve(world));
};
const kept = async (world: World, names: readonly string[]): Promise<string[]> => {
  const before = world.asked.length;
  for (const name of names) await world.reply(name);
  const asked = world.asked.slice(before).map(({ name }) => name);
  return names.filter((name) => !asked.includes(name));
};

describe('a change that the cache is told of', () => {
  const all = [
    'org.',
    'example.org.',
    'a.example.org.',
    'c.b.a.example.org.',
    'e.d.c.b.a.example.org.',
    'xa.example.org.',
  ];
  it.each([
    { name: 'the zone', changed: ['example.org.'], left: ['org.'] },
    { name: 'a name above it', changed: ['org.'], left: ['org.'] },
    { name: 'everything', changed: ['.'], left: ['org.'] },
    {
      name: 'a name with others below',
      changed: ['a.example.org.'],
      left: ['org.', 'example.org.', 'xa.example.org.'],
    },
    {
      name: 'a name of a service',
      changed: ['c.b.a.example.org.'],
      left: ['org.', 'example.org.', 'a.example.org.', 'xa.example.org.'],
    },
    {
      name: 'a name below one',
      changed: ['d.c.b.a.example.org.'],
      left: all.filter((name) => !name.startsWith('e.d')),
    },
    { name: 'a name that is not there', changed: ['b.example.org.'], left: all },
    {
      name: 'two',
      changed: ['xa.example.org.', 'c.b.a.example.org.'],
      left: ['org.', 'example.org.', 'a.example.org.'],
    },
  ])('$name: nothing of it stays that lies in the zone', async ({ changed, left }) => {
    const world = await begin(all);
    world.handler.namesChanged(changed);
    world.block.clock.advance(1);
    expect(await kept(world, all)).toEqual(left);
  });

  it('concerns what an alias leads to', async () => {
    const world = await begin([]);
    world.answer = () =>
      reply({ answer: ['www.example.org. 60 IN CNAME a.b.example.org.', 'a.b.example.org. 60 IN A 192.0.2.1'] });
    await world.reply('www.example.org.');
    world.block.clock.advance(1);
    world.handler.namesChanged(['b.example.org.']);
    world.block.clock.advance(1);
    expect(await kept(world, ['www.example.org.'])).toEqual([]);
  });

  it('concerns denials, and stale answers', async () => {
    const world = await begin([], 'cache {\n serve_stale\n}');
    world.answer = () => reply({ rcode: 3, authority: [SOA] });
    await world.reply('new.example.org.');
    world.block.clock.advance(3000);
    world.handler.namesChanged(['new.example.org.']);
    world.answer = () => reply({ rcode: 2 });
    expect(summary(await world.reply('new.example.org.'))).toMatchObject({ rcode: 'SERVFAIL' });
  });

  it.each([
    { name: 'before', changed: ['a.example.org.'], asked: 2 },
    { name: 'before, below it', changed: ['example.org.'], asked: 2 },
    { name: 'of another name', changed: ['b.example.org.'], asked: 1 },
  ])('an answer that was asked for $name is given, not kept', async ({ changed, asked }) => {
    const world = await begin([]);
    let answer: (outcome: Outcome) => void = () => undefined;
    world.answer = () => new Promise((resolve) => (answer = resolve));
    const first = world.ask(world.question('a.example.org.'));
    world.block.clock.advance(1);
    world.handler.namesChanged(changed);
    answer(reply({ answer: ['a.example.org. 60 IN A 192.0.2.1'] }));
    expect(summary(await first)).toMatchObject({ answer: ['a.example.org. 60 IN A 192.0.2.1'] });
    world.answer = counting(60);
    world.block.clock.advance(1);
    await world.reply('a.example.org.');
    expect(world.asked).toHaveLength(asked);
  });

  it('with more names than are told apart concerns all that is on its way', async () => {
    const world = await begin([]);
    let answer: (outcome: Outcome) => void = () => undefined;
    world.answer = () => new Promise((resolve) => (answer = resolve));
    const first = world.ask(world.question('a.example.org.'));
    world.block.clock.advance(1);
    world.handler.namesChanged(Array.from({ length: 10_001 }, (_, i) => `n${i}.example.org.`));
    answer(reply({ answer: ['a.example.org. 60 IN A 192.0.2.1'] }));
    await first;
    world.answer = counting(60);
    await world.reply('a.example.org.');
    expect(world.asked).toHaveLength(2);
  });
});

describe('a change', () => {
  const SPAN = 20_000;
  it.each([
    { name: 'that came later', at: [100], asked: 99, want: true },
    { name: 'at that very time', at: [100], asked: 100, want: true },
    { name: 'that came before', at: [100], asked: 101, want: false },
    { name: 'that another followed long after', at: [0, SPAN + 1], asked: 0, want: true },
    { name: 'that another followed twice as long after', at: [0, 2 * SPAN], asked: 0, want: true },
    { name: 'that another followed longer after', at: [0, 2 * SPAN + 1], asked: 0, want: false },
    { name: 'that others followed long after', at: [0, SPAN + 1, 2 * SPAN + 3], asked: 0, want: false },
  ])('concerns what was asked for before: $name', ({ at, asked, want }) => {
    const changes = new RecentChanges();
    at.forEach((time, i) => changes.add(i === 0 ? 'a.test.' : 'b.test.', time));
    expect(changes.concern(['www.a.test.'], asked)).toBe(want);
  });

  it.each([
    { changed: 'a.test.', names: ['a.test.'], want: true },
    { changed: 'a.test.', names: ['c.test.', 'www.a.test.'], want: true },
    { changed: '.', names: ['a.test.'], want: true },
    { changed: 'www.a.test.', names: ['a.test.'], want: false },
    { changed: 'a.test.', names: ['aa.test.'], want: false },
  ])('of $changed concerns $names: $want', ({ changed, names, want }) => {
    const changes = new RecentChanges();
    changes.add(changed, 100);
    expect(changes.concern(names, 50)).toBe(want);
  });

  it('of 10,000 names is told apart, and of one more concerns all', () => {
    const changes = new RecentChanges();
    for (let i = 0; i < 10_000; i++) changes.add(`n${i}.test.`, 100);
    expect([changes.concern(['else.test.'], 100), changes.concern(['n9999.test.'], 100)]).toEqual([false, true]);
    changes.add('more.test.', 100);
    expect([changes.concern(['else.test.'], 100), changes.concern(['else.test.'], 101)]).toEqual([true, false]);
  });
});
