import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import { DROP, type Next, type Outcome } from '../../../src/chain/index.js';
import { reply } from '../../support/dns.js';
import { SOA, World, counting, fixed } from './world.js';

const NAME = 'www.example.org.';
const DENIAL = fixed({ rcode: 3, authority: [SOA] });

/** A cache whose answer to NAME, 192.0.2.1, has just run out. */
async function expired(option: string): Promise<World> {
  const world = new World(`cache 10 {\n${option}\n}`, counting(300));
  await world.reply(NAME);
  world.seconds(10);
  return world;
}

/** What a client gets: the last octet of the address and its TTL, or the rcode. */
async function seen(world: World): Promise<string> {
  const got = (await world.reply(NAME)) as Reply;
  const [record] = got.answer;
  return record === undefined ? `rcode ${got.rcode}` : `${record.rdata[3]} for ${record.ttl}`;
}

describe('serve_stale immediate', () => {
  it('gives the TTL that is set', async () => {
    const world = await expired('serve_stale 1h immediate 30s');
    world.answer = fixed({ rcode: 2 });
    expect(await seen(world)).toBe('1 for 30');
  });

  it('gives the TTL that is set under keepttl too', async () => {
    const world = await expired('keepttl\nserve_stale 1h immediate 7s');
    expect(await seen(world)).toBe('1 for 7');
  });

  it('gives a TTL of a second under keepttl, and that of the entry for none', async () => {
    expect(await seen(await expired('keepttl\nserve_stale 1h immediate 1s'))).toBe('1 for 1');
    expect(await seen(await expired('keepttl\nserve_stale 1h immediate 0s'))).toBe('1 for 10');
    expect(await seen(await expired('serve_stale 1h immediate 0s'))).toBe('1 for 0');
  });

  it('asks again after a failure when the time between attempts is over', async () => {
    const world = await expired('serve_stale 1h immediate 30s 20s');
    world.answer = fixed({ rcode: 2 });
    const asked = [];
    for (const wait of [0, 1, 18.999, 0.001, 1]) {
      world.seconds(wait);
      await seen(world);
      asked.push(world.asked.length);
    }
    expect(asked).toEqual([2, 2, 2, 3, 3]);
  });

  it('asks again at once after a success', async () => {
    const world = await expired('serve_stale 1h immediate 30s 20s');
    expect(await seen(world)).toBe('1 for 30');
    world.seconds(10);
    expect(await seen(world)).toBe('2 for 30');
    expect(world.asked).toHaveLength(3);
  });
});

describe('serve_stale verify with a limit', () => {
  const slow = (outcome: Outcome | Error): [Next, () => void] => {
    let end = (): void => undefined;
    const next: Next = () =>
      new Promise((resolve, reject) => {
        end = () => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      });
    return [next, () => end()];
  };

  it('answers with what comes in time', async () => {
    const world = await expired('serve_stale 1h verify 300ms');
    const [next, end] = slow(reply({ answer: [`${NAME} 300 IN A 192.0.2.9`] }));
    world.answer = next;
    const asked = world.ask(world.question(NAME)) as Promise<Reply>;
    await world.block.clock.advanceAsync(299);
    end();
    expect((await asked).answer[0]!.rdata[3]).toBe(9);
    expect(world.block.clock.pending).toBe(0);
  });

  it('gives the expired entry when it takes longer, and keeps what comes', async () => {
    const world = await expired('serve_stale 1h verify 300ms 30s');
    const [next, end] = slow(reply({ answer: [`${NAME} 300 IN A 192.0.2.9`] }));
    world.answer = next;
    const question = world.question(NAME);
    const asked = world.ask(question) as Promise<Reply>;
    await world.block.clock.advanceAsync(300);
    expect((await asked).ttl).toBe(30);
    question.bytes.fill(0xff);
    end();
    await world.settle();
    expect(await seen(world)).toBe('9 for 10');
    expect(await world.metric('served_stale_total')).toBe(1);
    expect(world.asked).toHaveLength(2);
  });

  it.each<{ name: string; outcome: Outcome }>([
    { name: 'SERVFAIL', outcome: reply({ rcode: 2 }) },
    { name: 'no reply', outcome: DROP },
  ])('gives the expired entry after $name', async ({ outcome }) => {
    const world = await expired('serve_stale 1h verify 300ms 30s');
    world.answer = () => Promise.resolve(outcome);
    expect(await seen(world)).toBe('1 for 30');
  });

  it('tells of a fault that comes too late for the client', async () => {
    const world = await expired('serve_stale 1h verify 300ms');
    const [next, end] = slow(new Error('broken'));
    world.answer = next;
    const asked = world.ask(world.question(NAME)) as Promise<Reply>;
    await world.block.clock.advanceAsync(300);
    await asked;
    end();
    await world.settle();
    expect(world.block.log.lines).toEqual(['[ERROR] plugin/cache: fetching www.example.org. A anew: broken']);
  });

  it('leaves a fault in time to the server', async () => {
    const world = await expired('serve_stale 1h verify 300ms');
    world.answer = () => Promise.reject(new Error('broken'));
    await expect(world.ask(world.question(NAME))).rejects.toThrow('broken');
  });

  it('asks again after a fault and the time between attempts', async () => {
    const world = await expired('serve_stale 1h verify 300ms 30s 20s');
    world.answer = () => Promise.reject(new Error('broken'));
    await expect(world.ask(world.question(NAME))).rejects.toThrow('broken');
    expect(await seen(world)).toBe('1 for 30');
    world.seconds(20);
    world.answer = fixed({ answer: [`${NAME} 300 IN A 192.0.2.9`] });
    expect(await seen(world)).toBe('9 for 10');
  });

  it('with a time between attempts asks once, and not again after a failure', async () => {
    const world = await expired('serve_stale 1h verify 300ms 30s 20s');
    const [next, end] = slow(reply({ rcode: 2 }));
    world.answer = next;
    const first = world.ask(world.question(NAME)) as Promise<Reply>;
    expect(await seen(world)).toBe('1 for 30');
    end();
    expect((await first).ttl).toBe(30);
    expect(await seen(world)).toBe('1 for 30');
    expect(world.asked).toHaveLength(2);
    world.seconds(20);
    world.answer = fixed({ answer: [`${NAME} 300 IN A 192.0.2.9`] });
    expect(await seen(world)).toBe('9 for 10');
  });
});

describe('serve_stale_policy prefer_positive', () => {
  const preferring = (more = ''): Promise<World> =>
    expired(`serve_stale 1h${more}\nserve_stale_policy prefer_positive`);

  it.each<{ name: string; outcome: Next }>([
    { name: 'NXDOMAIN', outcome: DENIAL },
    { name: 'NODATA', outcome: fixed({ authority: [SOA] }) },
    { name: 'SERVFAIL', outcome: fixed({ rcode: 2 }) },
    { name: 'a referral', outcome: fixed({ authority: ['example.org. 60 IN NS ns.example.org.'] }) },
    { name: 'an answer with nothing in it', outcome: fixed({}) },
    {
      name: 'a truncated answer',
      outcome: () => reply({ answer: [`${NAME} 60 IN A 192.0.2.9`] }).withHeader({ flags: 0x200 }),
    },
  ])('an answer past its time goes before $name, until it is too old', async ({ outcome }) => {
    const world = await preferring();
    world.answer = outcome;
    expect([await seen(world), await seen(world)]).toEqual(['1 for 0', '1 for 0']);
    world.seconds(3600);
    expect(await seen(world)).not.toContain('1 for');
  });

  it('a new answer takes its place', async () => {
    const world = await preferring();
    world.answer = DENIAL;
    await seen(world);
    world.answer = counting(300);
    await seen(world);
    expect(await seen(world)).toMatch(/^1 for 10$/);
  });

  it('denials of other names stand', async () => {
    const world = await preferring();
    world.answer = DENIAL;
    expect(await world.summary('other.example.org.')).toMatchObject({ rcode: 'NXDOMAIN' });
    expect(await world.summary('other.example.org.')).toMatchObject({ rcode: 'NXDOMAIN', flags: 'aa,ra' });
  });

  it('verify takes nothing but an answer', async () => {
    const world = await preferring(' verify');
    world.answer = DENIAL;
    expect(await seen(world)).toBe('1 for 0');
    world.answer = fixed({ answer: [`${NAME} 300 IN A 192.0.2.9`] });
    expect(await seen(world)).toBe('9 for 10');
  });

  it('an answer past its time gives no promise, one within it does', async () => {
    const world = await preferring();
    world.answer = DENIAL;
    expect(((await world.reply(NAME)) as Reply).lease).toBeUndefined();
    expect(((await world.reply(NAME)) as Reply).lease).toBeUndefined();
  });
});

describe('without the policy', () => {
  it('a cached failure does not hide an answer that came meanwhile', async () => {
    const outcomes: ((outcome: Outcome) => void)[] = [];
    const world = new World('cache 30', () => new Promise<Outcome>((resolve) => outcomes.push(resolve)));
    const asked = [world.ask(world.question(NAME)), world.ask(world.question(NAME))];
    outcomes[0]!(reply({ answer: [`${NAME} 300 IN A 192.0.2.9`] }));
    await asked[0];
    outcomes[1]!(reply({ rcode: 2 }));
    await asked[1];
    expect(await seen(world)).toBe('9 for 30');
    const { lease } = (await world.reply(NAME)) as Reply;
    expect(lease?.revoked).toBe(false);
    world.handler.end();
    expect(lease?.revoked).toBe(true);
  });

  it('a denial does', async () => {
    const world = await expired('serve_stale 1h');
    world.answer = DENIAL;
    await seen(world);
    expect(await seen(world)).toBe('rcode 3');
  });
});
