import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import { Query, QueryContext, type Next, type Outcome, type TrailNote } from '../../../src/chain/index.js';
import { reply, summary, type QuestionOptions } from '../../support/dns.js';
import { SOA, World, counting, fixed } from './world.js';

const NAME = 'www.example.org.';
const DENIAL = fixed({ rcode: 3, authority: [SOA] });

/** What somebody gets who only wants to know, and what he is told. */
async function inspect(
  world: World,
  type = 'A',
  options: QuestionOptions = {},
): Promise<{ outcome: ReturnType<typeof summary>; notes: readonly TrailNote[] }> {
  const { bytes, context } = world.question(NAME, type, options);
  const asked = new Query(bytes, new QueryContext(context.client, context.received, {}, 0, undefined, true));
  const outcome = summary(await world.ask(asked));
  return { outcome, notes: asked.context.trail!.notes };
}
const note = (told: object): object => ({ kind: 'cache', plugin: 'cache', ...told });
/** Of the first answer of `counting`, and of others. */
const address = (number: number, ttl: number): object => ({
  outcome: expect.objectContaining({ rcode: 'NOERROR', answer: [`${NAME} ${ttl} IN A 192.0.2.${number}`] }) as object,
});

/** A world that has kept an answer for NAME, with so much of its 10 s behind it. */
async function kept(option: string, age: number): Promise<World> {
  const world = new World(`cache 10 {\n${option}\n}`, counting(300));
  await world.reply(NAME);
  world.seconds(age);
  return world;
}

describe('who asks for no client', () => {
  it.each<{ name: string; corefile?: string; answer?: Next; type?: string; want: object }>([
    { name: 'nothing is kept', want: { state: 'miss' } },
    { name: 'the answer comes later', answer: () => Promise.resolve(reply()), want: { state: 'miss' } },
    { name: 'of a zone transfer', type: 'AXFR', want: { state: 'bypassed' } },
    { name: 'of another zone', corefile: 'cache example.com', want: { state: 'bypassed' } },
    {
      name: 'such are not kept',
      corefile: 'cache {\ndisable success\n}',
      want: { state: 'disabled', what: 'success' },
    },
    {
      name: 'such denials are not kept',
      corefile: 'cache {\ndisable denial\n}',
      answer: DENIAL,
      want: { state: 'disabled', what: 'denial' },
    },
    { name: 'denials are not, this is none', corefile: 'cache {\ndisable denial\n}', want: { state: 'miss' } },
    {
      name: 'others are not kept',
      corefile: 'cache {\ndisable success example.com\n}',
      want: { state: 'miss' },
    },
  ])('is told so where $name, and leaves nothing', async ({ corefile, answer, type, want }) => {
    const world = new World(corefile ?? 'cache', answer ?? counting(300));
    for (const times of [1, 2]) {
      expect((await inspect(world, type)).notes).toEqual([note(want)]);
      expect(world.asked).toHaveLength(times);
    }
    expect([await world.metric('requests_total'), await world.metric('entries')]).toEqual([undefined, undefined]);
  });

  it.each([
    { name: 'its time runs', option: '', age: 3, number: 1, ttl: 7, told: { state: 'hit', age: 3, left: 7 } },
    { name: 'its last second', option: '', age: 9, number: 1, ttl: 1, told: { state: 'hit', age: 9, left: 1 } },
    { name: 'the TTL is kept', option: 'keepttl', age: 3, number: 1, ttl: 10, told: { state: 'hit', age: 3, left: 7 } },
    { name: 'its time is over', option: '', age: 10, number: 2, ttl: 10, told: { state: 'miss' } },
    {
      name: 'it may be given still',
      option: 'serve_stale 1h',
      age: 10,
      number: 1,
      ttl: 0,
      told: { state: 'stale', age: 10, left: 0 },
    },
    { name: 'it may not any more', option: 'serve_stale 1h', age: 3610, number: 2, ttl: 10, told: { state: 'miss' } },
  ])('gets what is kept where $name', async ({ option, age, number, ttl, told }) => {
    const world = await kept(option, age);
    const got = await inspect(world);
    expect(got).toMatchObject({ ...address(number, ttl), notes: [note(told)] });
    await world.settle();
    expect(world.asked).toHaveLength(number);
    expect(await world.metric('hits_total')).toBeUndefined();
  });

  const later =
    (outcome: Outcome): Next =>
    () =>
      Promise.resolve(outcome);
  it.each<{ name: string; option?: string; answer: Next; told: readonly object[]; want: object }>([
    { name: 'that is the answer', answer: counting(300), told: [], want: address(1, 10) },
    { name: 'that is the answer, in time', option: ' 1s', answer: counting(300), told: [], want: address(1, 10) },
    { name: 'it has failed', answer: later(reply({ rcode: 2 })), told: [{ state: 'stale' }], want: address(1, 0) },
    {
      name: 'nothing comes in time',
      option: ' 1s',
      answer: () => new Promise(() => undefined),
      told: [{ state: 'stale' }],
      want: address(1, 0),
    },
  ])('waits for what is asked first with verify: $name', async ({ option = '', answer, told, want }) => {
    const world = await kept(`serve_stale 1h verify${option}`, 12);
    world.answer = answer;
    const getting = inspect(world);
    await world.block.clock.advanceAsync(1000);
    expect(await getting).toMatchObject(want);
    expect((await getting).notes).toEqual(told.map((one) => note({ ...one, age: 12, left: -2 })));
    expect(world.asked).toHaveLength(2);
  });

  it('gets an answer past its time before a denial where that is wanted', async () => {
    const world = await kept('serve_stale 1h\nserve_stale_policy prefer_positive', 12);
    world.answer = DENIAL;
    await world.reply(NAME);
    expect(await inspect(world)).toMatchObject(address(1, 0));
    expect(((await inspect(world)).notes[0] as { state: string }).state).toBe('stale');
  });
});

describe('hits that were answered elsewhere', () => {
  it.each([
    { name: 'none', counts: [0, 0], asked: 1 },
    { name: 'too few', counts: [1, 0], asked: 1 },
    { name: 'enough', counts: [1, 1], asked: 2 },
  ] as const)('count for what is fetched anew: $name', async ({ counts: [plain, edns], asked }) => {
    const world = await kept('prefetch 4 1m 50%', 4);
    const question = world.question(NAME);
    const { lease } = (await world.ask(question)) as Reply;
    world.handler.hitCounter(question)(plain, edns, lease);
    world.seconds(4);
    await world.reply(NAME);
    expect(world.asked).toHaveLength(asked);
    expect(await world.metric('requests_total')).toBe(3 + plain + edns);
  });

  it('count for nothing where they came too long ago', async () => {
    const world = await kept('prefetch 3 3s 50%', 1);
    const question = world.question(NAME);
    const { lease } = (await world.ask(question)) as Reply;
    world.seconds(2);
    world.handler.hitCounter(question)(2, 0, lease);
    world.seconds(3);
    await world.reply(NAME);
    expect(world.asked).toHaveLength(2);
    const late = await kept('prefetch 3 3s 50%', 1);
    late.handler.hitCounter(late.question(NAME))(2, 0, ((await late.reply(NAME)) as Reply).lease);
    late.seconds(4);
    await late.reply(NAME);
    expect(late.asked).toHaveLength(1);
  });

  it('of another cache or of none are asked for in vain', async () => {
    const world = await kept('', 1);
    world.handler.hitCounter(world.question(NAME))(2, 1, undefined);
    expect([await world.metric('misses_total'), await world.metric('requests_total')]).toEqual([4, 4]);
    world.handler.hitCounter(world.question(NAME, 'AXFR'))(5, 5, undefined);
    expect(await world.metric('requests_total')).toBe(4);
  });
});

describe('a cache that is told of changes late', () => {
  it('knows what it has kept before', async () => {
    const world = await kept('', 1);
    world.handler.expectChanges('example.org.');
    world.handler.namesChanged([NAME]);
    world.seconds(1);
    await world.reply(NAME);
    expect(world.asked).toHaveLength(2);
  });
});
