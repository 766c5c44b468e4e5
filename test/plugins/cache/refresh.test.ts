import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Next, type Outcome } from '../../../src/chain/index.js';
import { reply } from '../../support/dns.js';
import { SOA, World, counting, fixed } from './world.js';

const NAME = 'www.example.org.';
/**
 * What a row sees of the world at one moment: the TTL it gets, the answer's number, and how often the chain was asked
 * when all has settled.
 */
interface Moment {
  at: number;
  ttl: number;
  answer: number;
  asked: number;
}

async function watch(world: World, moments: readonly Moment[], options: object = {}): Promise<Moment[]> {
  const seen: Moment[] = [];
  const start = world.block.clock.now();
  for (const { at } of moments) {
    world.seconds(at - (world.block.clock.now() - start) / 1000);
    const got = (await world.reply(NAME, 'A', options)) as Reply;
    seen.push({ at, ttl: got.answer[0]!.ttl, answer: got.answer[0]!.rdata[3]!, asked: world.asked.length });
  }
  return seen;
}

describe('prefetch', () => {
  it.each<{ name: string; ttl: number; option: string; moments: Moment[] }>([
    {
      name: 'fetches anew in the last tenth, once',
      ttl: 80,
      option: 'prefetch 1',
      moments: [
        { at: 0, ttl: 80, answer: 1, asked: 1 },
        { at: 71, ttl: 9, answer: 1, asked: 1 },
        { at: 73, ttl: 7, answer: 1, asked: 2 },
        { at: 80, ttl: 73, answer: 2, asked: 2 },
      ],
    },
    {
      name: 'fetches a short one anew in its last second',
      ttl: 5,
      option: 'prefetch 1',
      moments: [
        { at: 0, ttl: 5, answer: 1, asked: 1 },
        { at: 1, ttl: 4, answer: 1, asked: 1 },
        { at: 4, ttl: 1, answer: 1, asked: 2 },
        { at: 5, ttl: 4, answer: 2, asked: 2 },
      ],
    },
    {
      name: 'does nothing when off',
      ttl: 30,
      option: 'prefetch 0',
      moments: [
        { at: 0, ttl: 30, answer: 1, asked: 1 },
        { at: 29, ttl: 1, answer: 1, asked: 1 },
        { at: 30, ttl: 30, answer: 2, asked: 2 },
      ],
    },
    {
      name: 'rounds its share up to whole seconds',
      ttl: 31,
      option: 'prefetch 1 1m 50%',
      moments: [
        { at: 0, ttl: 31, answer: 1, asked: 1 },
        { at: 14, ttl: 17, answer: 1, asked: 1 },
        { at: 15, ttl: 16, answer: 1, asked: 2 },
      ],
    },
    {
      name: 'waits for enough hits; what filled the cache is none',
      ttl: 100,
      option: 'prefetch 3 1m 90%',
      moments: [
        { at: 0, ttl: 100, answer: 1, asked: 1 },
        { at: 20, ttl: 80, answer: 1, asked: 1 },
        { at: 21, ttl: 79, answer: 1, asked: 1 },
        { at: 22, ttl: 78, answer: 1, asked: 2 },
      ],
    },
    {
      name: 'starts to count again after a gap',
      ttl: 100,
      option: 'prefetch 2 10s 90%',
      moments: [
        { at: 0, ttl: 100, answer: 1, asked: 1 },
        { at: 20, ttl: 80, answer: 1, asked: 1 },
        { at: 30.001, ttl: 70, answer: 1, asked: 1 },
        { at: 40.001, ttl: 60, answer: 1, asked: 2 },
      ],
    },
    {
      name: 'a new entry is as popular as the one before it',
      ttl: 10,
      option: 'prefetch 3 1m 50%',
      moments: [
        { at: 0, ttl: 10, answer: 1, asked: 1 },
        { at: 1, ttl: 9, answer: 1, asked: 1 },
        { at: 2, ttl: 8, answer: 1, asked: 1 },
        { at: 5, ttl: 5, answer: 1, asked: 2 },
        { at: 10, ttl: 5, answer: 2, asked: 3 },
      ],
    },
  ])('$name', async ({ ttl, option, moments }) => {
    expect(await watch(new World(`cache {\n${option}\n}`, counting(ttl)), moments)).toEqual(moments);
  });

  it.each([
    { name: 'DO', options: { edns: 1232, do: true } },
    { name: 'CD', options: { cd: true } },
  ])('asks with the same $name, over TCP, from the same client', async ({ options }) => {
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME, 'A', options);
    world.seconds(9);
    await world.reply(NAME, 'A', options);
    const [first, again] = world.asked;
    expect(again!.bytes).toEqual(first!.bytes);
    expect(again!.client).toEqual({ ...first!.client, transport: 'tcp' });
    expect(again!.received).toBe(world.block.clock.monotonic());
    await world.reply(NAME);
    expect(world.asked).toHaveLength(3);
  });

  it('answers first and asks then, of bytes of its own', async () => {
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME);
    world.seconds(9);
    const question = world.question(NAME);
    expect((world.ask(question) as Reply).ttl).toBe(1);
    expect(world.asked).toHaveLength(1);
    question.bytes.fill(0xff);
    await world.settle();
    expect(world.asked[1]!.name).toBe(NAME);
    expect(await world.ttl(NAME)).toBe(10);
  });

  it('asks once for many that come meanwhile', async () => {
    let answer: (outcome: Outcome) => void = () => undefined;
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME);
    world.seconds(9);
    world.answer = () => new Promise<Outcome>((resolve) => (answer = resolve));
    for (let i = 0; i < 5; i++) expect(await world.ttl(NAME)).toBe(1);
    expect(world.asked).toHaveLength(2);
    answer(reply({ answer: [`${NAME} 300 IN A 192.0.2.9`] }));
    await world.settle();
    expect(await world.ttl(NAME)).toBe(10);
    expect(await world.metric('prefetch_total')).toBe(1);
  });

  it.each<{ name: string; outcome: Next }>([
    { name: 'SERVFAIL', outcome: fixed({ rcode: 2 }) },
    { name: 'REFUSED', outcome: fixed({ rcode: 5 }) },
    { name: 'no reply', outcome: () => DROP },
    { name: 'a failure', outcome: () => Reply.failure(2, new Error('unreachable')) },
  ])('$name leaves the entry and is tried again', async ({ outcome }) => {
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME);
    world.seconds(9);
    world.answer = outcome;
    expect(await world.ttl(NAME)).toBe(1);
    expect(await world.ttl(NAME)).toBe(1);
    expect(world.asked).toHaveLength(3);
    expect(world.block.log.lines).toEqual([]);
  });

  it.each<{ name: string; fault: Next }>([
    {
      name: 'thrown',
      fault: () => {
        throw new Error('broken');
      },
    },
    { name: 'rejected', fault: () => Promise.reject(new Error('broken')) },
  ])('a fault ($name) is counted and logged, and reaches nobody', async ({ fault }) => {
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME);
    world.seconds(9);
    world.answer = fault;
    expect(await world.ttl(NAME)).toBe(1);
    expect(world.block.log.lines).toEqual(['[ERROR] plugin/cache: fetching www.example.org. A anew: broken']);
    expect(await world.block.metrics.text()).toContain('coredns_panics_total 1\n');
    world.answer = counting(300);
    await world.reply(NAME);
    expect(await world.ttl(NAME)).toBe(10);
  });

  it('replaces an answer by a denial', async () => {
    const world = new World('cache 10 {\nprefetch 1\n}', counting(300));
    await world.reply(NAME);
    world.seconds(9);
    world.answer = fixed({ rcode: 3, authority: [SOA] });
    await world.reply(NAME);
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NXDOMAIN', flags: 'aa,ra' });
    expect([await world.metric('entries{type="success"}'), await world.metric('entries{type="denial"}')]).toEqual([
      0, 1,
    ]);
  });
});

describe('serve_stale', () => {
  it('answers from the expired entry with TTL 0 and fetches anew behind it', async () => {
    const world = new World('cache 10 {\nserve_stale 1m\n}', counting(300));
    const moments = [
      { at: 0, ttl: 10, answer: 1, asked: 1 },
      { at: 10, ttl: 0, answer: 1, asked: 2 },
      { at: 11, ttl: 9, answer: 2, asked: 2 },
    ];
    expect(await watch(world, moments)).toEqual(moments);
    expect(await world.metric('served_stale_total')).toBe(1);
    expect(await world.metric('prefetch_total')).toBe(1);
  });

  it.each([
    { name: 'to the last second', at: 69.999, asked: 2, flags: 'aa,ra' },
    { name: 'and no longer', at: 70, asked: 2, flags: '' },
  ])('as long as set $name', async ({ at, asked, flags }) => {
    const world = new World('cache 10 {\nserve_stale 1m\n}', counting(300));
    await world.reply(NAME);
    world.answer = () => Reply.failure(2);
    world.seconds(at);
    expect(await world.summary(NAME)).toMatchObject({ flags });
    expect(world.asked).toHaveLength(asked);
  });

  it('an hour when nothing is said', async () => {
    const world = new World('cache 10 {\nserve_stale\n}', counting(300));
    await world.reply(NAME);
    world.answer = () => Reply.failure(2);
    world.seconds(3609);
    expect(await world.ttl(NAME)).toBe(0);
    world.seconds(1);
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'SERVFAIL' });
  });

  it('the TTL that it was kept with under keepttl', async () => {
    const world = new World('cache 10 {\nserve_stale\nkeepttl\n}', counting(300));
    await world.reply(NAME);
    world.seconds(10);
    expect(await world.ttl(NAME)).toBe(10);
  });

  it('never for a failure', async () => {
    const world = new World('cache 10 {\nserve_stale\n}', fixed({ rcode: 2 }));
    await world.reply(NAME);
    world.answer = counting(300);
    world.seconds(5);
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NOERROR', flags: 'ra' });
  });

  it('a failure of the upstream does not hide what is known', async () => {
    const world = new World('cache 10 {\nserve_stale\n}', counting(300));
    await world.reply(NAME);
    world.seconds(10);
    world.answer = fixed({ rcode: 2 });
    expect(await world.ttl(NAME)).toBe(0);
    expect(await world.ttl(NAME)).toBe(0);
    expect(world.asked).toHaveLength(3);
  });

  it('an expired denial does not hide a new answer', async () => {
    const world = new World(
      'cache {\nserve_stale 10m\n}',
      fixed({ rcode: 3, authority: ['example.org. 60 IN SOA a. b. 1 2 3 4 60'] }),
    );
    await world.reply(NAME);
    world.seconds(300);
    world.answer = counting(300);
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NXDOMAIN' });
    world.answer = () => Reply.failure(2);
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NOERROR', flags: 'aa,ra' });
  });
});

describe('serve_stale verify', () => {
  const verifying = async (): Promise<World> => {
    const world = new World('cache 10 {\nserve_stale 1m verify\n}', counting(300));
    await world.reply(NAME);
    world.seconds(10);
    return world;
  };

  it('asks first, and answers with what it gets', async () => {
    const world = await verifying();
    const moments = [
      { at: 0, ttl: 10, answer: 2, asked: 2 },
      { at: 1, ttl: 9, answer: 2, asked: 2 },
    ];
    expect(await watch(world, moments)).toEqual(moments);
    expect(await world.metric('served_stale_total')).toBeUndefined();
  });

  it('takes a denial for an answer', async () => {
    const world = await verifying();
    world.answer = fixed({ rcode: 3, authority: [SOA] });
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NXDOMAIN', flags: 'ra' });
    expect(await world.summary(NAME)).toMatchObject({ rcode: 'NXDOMAIN', flags: 'aa,ra' });
  });

  it.each<{ name: string; outcome: Next }>([
    { name: 'SERVFAIL', outcome: fixed({ rcode: 2 }) },
    { name: 'REFUSED later', outcome: () => Promise.resolve(reply({ rcode: 5 })) },
    { name: 'no reply', outcome: () => DROP },
    { name: 'a failure later', outcome: () => Promise.resolve(Reply.failure(2, new Error('unreachable'))) },
  ])('serves the expired entry after $name, and asks each time', async ({ outcome }) => {
    const world = await verifying();
    world.answer = outcome;
    expect(await world.ttl(NAME)).toBe(0);
    expect(await world.ttl(NAME)).toBe(0);
    expect(world.asked).toHaveLength(3);
    expect(await world.metric('served_stale_total')).toBe(2);
    expect(await world.metric('prefetch_total')).toBeUndefined();
  });

  it('leaves a fault to the server', async () => {
    const world = await verifying();
    world.answer = () => Promise.reject(new Error('broken'));
    await expect(world.ask(world.question(NAME))).rejects.toThrow('broken');
  });
});
