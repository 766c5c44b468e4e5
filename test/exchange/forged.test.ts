import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { randomBelow, seededRandom } from '../../src/lib/random.js';
import type { Message } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { goodReply, type Asked } from '../support/fake-upstream.js';
import { World } from './world.js';

const NXDOMAIN = 3;

/** A forged reply to what the server was asked, at the port that it came from. */
const forge = (world: World, { from, message }: Asked, parts: Partial<Message>): void =>
  world.network.forge({ from: world.server.at, to: from, bytes: goodReply(message, { rcode: NXDOMAIN, ...parts }) });

const missed = (world: World, asked: Asked): void => forge(world, asked, { id: asked.message.id ^ 1 });

const other = [{ name: 'other.example.', type: 1, class: 1 }];

const silent = async (...options: ConstructorParameters<typeof World>): Promise<World> => {
  const world = await new World(...options).start();
  world.server.answer = () => undefined;
  return world;
};

const answers = (world: World, after = 0): void =>
  void (world.server.answer = (asked) =>
    void world.clock.setTimeout(() => asked.reply(goodReply(asked.message)), after));

/** Different questions in flight, some a millisecond: as many events. */
async function crowd(world: World, count: number, each = 20): Promise<string[][]> {
  const events: string[][] = [];
  for (let i = 0; i < count; i++) {
    events.push(world.ask('udp', `n${i}.example.`).events);
    if (i % each === each - 1) await world.elapse(1);
  }
  await world.elapse(2);
  return events;
}

const portsOf = (asked: readonly Asked[]): Set<number> => new Set(asked.map(({ from }) => from.port));

describe('2,000 questions in flight at 16 ports that are known', () => {
  const before = async (): Promise<{ world: World; events: string[][]; first: Asked[] }> => {
    const world = await silent();
    const events = await crowd(world, 2000);
    const first = [...world.server.seen];
    expect(portsOf(first).size).toBe(16);
    return { world, events, first };
  };

  it('one reply under a wrong id, and not even right ones are taken at any of these ports', async () => {
    const { world, events, first } = await before();
    missed(world, first[700]!);
    for (const asked of first) forge(world, asked, {});
    await world.elapse(500);
    const failed = events.filter(([event]) => event !== undefined);
    expect(failed).toEqual([[expect.stringMatching(/replies to nothing that was asked/)]]);
    expect(events.indexOf(failed[0]!)).toBe(700);
    // Each of the others was asked once more, from a port of its own.
    const again = world.server.seen.slice(2000);
    expect(again.length).toBe(1999);
    expect(portsOf(again).size).toBe(1999);
    expect([...portsOf(again)].filter((port) => portsOf(first).has(port))).toEqual([]);
    for (const asked of again) asked.reply(goodReply(asked.message));
    await world.elapse(5);
    expect(events.filter(([event]) => event === 'NOERROR').length).toBe(1999);
    expect(world.network.udpSockets).toBe(1);
  });

  it('20,000 guesses at the ports that are known: none is taken', async () => {
    const { world, events, first } = await before();
    answers(world, 30);
    const random = seededRandom(41);
    for (let i = 0; i < 20_000; i++)
      forge(world, first[randomBelow(random, first.length)]!, { id: randomBelow(random, 0x10000) });
    await world.elapse(500);
    expect(events.flat().filter((event) => event === 'NOERROR').length).toBe(1999);
    expect(world.upstream.stats.strays).toBe(1);
  });

  it('an answer to a question that is not in flight ends nothing until there are eight at a port', async () => {
    const { world, events, first } = await before();
    const asked = first.find(({ from }) => from.port === first[0]!.from.port)!;
    for (let i = 0; i < 7; i++) forge(world, asked, { id: i, question: other });
    await world.elapse(100);
    expect(world.server.seen.length).toBe(2000);
    forge(world, asked, { id: 7, question: other });
    await world.elapse(500);
    expect(portsOf(world.server.seen).size).toBe(16 + 2000);
    expect(events.flat()).toEqual([]);
  });

  it('a refusal without a question, which any id in flight fits, has that one asked once more', async () => {
    const { world, events, first } = await before();
    const asked = first[3]!;
    const refusal = Buffer.alloc(12);
    refusal.writeUInt16BE(asked.message.id, 0);
    refusal.writeUInt16BE(0x8004, 2);
    const refuse = (at: Asked): void =>
      world.network.forge({ from: world.server.at, to: at.from, bytes: Buffer.from(refusal) });
    refuse(asked);
    await world.elapse(5);
    expect(events[3]).toEqual([]);
    const again = world.server.seen[2000]!;
    expect(portsOf(first).has(again.from.port)).toBe(false);
    refusal.writeUInt16BE(again.message.id, 0);
    refuse(again);
    expect(events[3]).toEqual(['NOTIMP']);
    expect(events.flat().length).toBe(1);
  });
});

describe('after that, for a minute', () => {
  const attacked = async (...options: ConstructorParameters<typeof World>): Promise<World> => {
    const world = await silent(...options);
    world.ask('udp', 'first.example.');
    await world.elapse(10);
    missed(world, world.server.seen[0]!);
    return world;
  };

  it('each query leaves from a port of its own', async () => {
    const world = await attacked();
    answers(world);
    const ports = async (): Promise<number> => {
      const before = world.server.seen.length;
      const events = Array.from({ length: 100 }, () => world.ask('udp').events);
      await world.elapse(20);
      expect(events.flat()).toEqual(new Array(100).fill('NOERROR'));
      return portsOf(world.server.seen.slice(before)).size;
    };
    expect(await ports()).toBe(100);
    expect(world.reuse.slice(-100)).toEqual(new Array(100).fill('miss udp'));
    expect(world.network.udpSockets).toBe(1);
    await world.elapse(61_000);
    expect(await ports()).toBeLessThan(17);
  });

  it.each([
    { name: 'soon', pause: 65_000, longer: true },
    { name: 'an hour later', pause: 3_700_000, longer: false },
  ])('or two, where replies are forged again $name', async ({ pause, longer }) => {
    const world = await attacked();
    world.clock.advance(pause);
    world.ask('udp', 'second.example.');
    await world.elapse(10);
    missed(world, world.server.seen.at(-1)!);
    world.clock.advance(70_000);
    const before = world.server.seen.length;
    await crowd(world, 100);
    expect(portsOf(world.server.seen.slice(before)).size === 100).toBe(longer);
  });

  it('ports that served their query make room for others at once', async () => {
    const world = await attacked({ limits: { maxPorts: 50 } });
    answers(world);
    for (let i = 0; i < 20; i++) {
      const before = world.server.seen.length;
      for (let k = 0; k < 40; k++) world.ask('udp');
      await world.elapse(4);
      expect(portsOf(world.server.seen.slice(before)).size).toBe(40);
    }
  });

  it.each([
    { name: 'where there are more queries than ports to spare', maxPorts: 300, unreachable: false },
    { name: 'where no more can be opened', maxPorts: 2048, unreachable: true },
  ])('$name, they wait for ports, and none is used twice', async ({ maxPorts, unreachable }) => {
    const world = await attacked({ limits: { maxPorts } });
    answers(world, 500);
    const events = await crowd(world, 300);
    if (unreachable) world.network.unreachable.add('10.0.0.1');
    events.push(...(await crowd(world, 900)));
    expect(world.network.udpSockets).toBe(1 + 300);
    world.network.unreachable.clear();
    await world.elapse(2500);
    expect(events.flat()).toEqual(new Array(1200).fill('NOERROR'));
    expect(portsOf(world.server.seen).size).toBe(1201);
  });

  it('a question that is under way already waits for those that are not, and nothing for what is given up', async () => {
    const world = await attacked({ limits: { maxPorts: 20 } });
    const first = Array.from({ length: 20 }, (_, i) => world.ask('udp', `first${i}.example.`));
    await world.elapse(5);
    const { bytes, questionEnd } = query('again.example.');
    const again = new Attempt(bytes, questionEnd, undefined);
    again.receiver = first[0]!.attempt.receiver;
    again.repeats = true;
    world.upstream.send(again, 'udp', world.clock.monotonic());
    world.ask('udp', 'given-up.example.').attempt.abandon();
    const asked = Array.from({ length: 3 }, (_, i) => world.ask('udp', `new${i}.example.`));
    await world.elapse(5);
    expect(world.server.seen.length).toBe(1 + 20);
    for (const { attempt } of first.slice(0, 19)) attempt.abandon();
    for (let i = 0; i < 30; i++) world.ask('udp', `later${i}.example.`);
    await world.elapse(5);
    const names = world.server.seen.slice(21).map(({ message }) => message.question[0]!.name);
    expect(names.slice(0, 3)).toEqual(['new0.example.', 'new1.example.', 'new2.example.']);
    expect(names).toHaveLength(19);
    expect(names).not.toContain('again.example.');
    expect(asked.flatMap(({ events }) => events)).toEqual([]);
  });

  it('a wrong id at such a port ends that one alone', async () => {
    const world = await attacked();
    const events = await crowd(world, 10);
    const [guessed, ...others] = world.server.seen.slice(1);
    missed(world, guessed!);
    forge(world, guessed!, {});
    for (const asked of others) asked.reply(goodReply(asked.message));
    await world.elapse(5);
    expect(events.map(([event]) => event === 'NOERROR')).toEqual([false, ...new Array<boolean>(9).fill(true)]);
    expect(events[0]).toHaveLength(1);
  });

  it('opens 64 ports at once, and the others as these are open', async () => {
    const world = await attacked();
    const before = world.network.opened.length;
    for (let i = 0; i < 100; i++) world.ask('udp', `n${i}.example.`);
    expect(world.network.opened.length - before).toBe(64);
    await world.elapse(5);
    expect(world.network.opened.length - before).toBe(100);
  });

  it('tells who waits for a port that nothing can be reached', async () => {
    const world = await attacked();
    world.network.unreachable.add('10.0.0.1');
    const { events } = world.ask('udp');
    await world.elapse(5);
    expect(events).toEqual(['dial udp 10.0.0.1:53: connect: network is unreachable']);
  });

  it('opens nothing for what is cancelled, and closes all at the end', async () => {
    const world = await attacked();
    const cancelled = world.ask('udp');
    cancelled.attempt.cancel();
    await world.elapse(5);
    const { events } = world.ask('udp');
    await world.elapse(5);
    world.ask('udp');
    world.upstream.close();
    await world.elapse(5);
    expect([...events, ...cancelled.events]).toEqual([]);
    expect(world.network.udpSockets).toBe(1);
    expect(world.server.seen.length).toBe(2);
  });
});

describe('no forgery', () => {
  it('are replies that the network repeats', async () => {
    const world = await new World().start();
    world.network.fate = () => [1, 2];
    const events: string[][] = [];
    for (let i = 0; i < 50; i++) {
      events.push(world.ask('udp').events);
      await world.elapse(5);
    }
    expect(events.flat()).toEqual(new Array(50).fill('NOERROR'));
    expect(portsOf(world.server.seen).size).toBeLessThan(17);
  });

  it.each([
    { name: 'that nobody waits for', gap: 1000 },
    { name: 'that are forgotten', gap: 8000 },
  ])('are late ones, $name, to what is asked again at the same port', async ({ gap }) => {
    const world = await silent({ limits: { maxIdle: 1, expire: 60_000 } });
    for (let i = 0; i < 500; i++) world.ask('udp', `n${i}.example.`).attempt.abandon();
    await world.elapse(gap);
    const late = [...world.server.seen];
    const events = await crowd(world, 500, 500);
    for (const asked of late) asked.reply(goodReply(asked.message, { rcode: NXDOMAIN }));
    await world.elapse(5);
    expect(events.flat()).toEqual([]);
    for (const asked of world.server.seen.slice(500)) asked.reply(goodReply(asked.message));
    await world.elapse(5);
    expect(events.flat()).toEqual(new Array(500).fill('NOERROR'));
    expect(portsOf(world.server.seen).size).toBe(1);
  });
});
