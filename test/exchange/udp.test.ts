import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { OutstandingIds } from '../../src/exchange/outstanding-ids.js';
import { seededRandom } from '../../src/lib/random.js';
import { goodReply, type Asked } from '../support/fake-upstream.js';
import { World } from './world.js';

const FORGED = 'read udp 127.0.0.1:40000->10.0.0.1:53: replies to nothing that was asked';

const NOTHING = { strays: 0, mismatches: 0, respelt: 0, cookieless: 0, malformed: 0 };

describe('UDP', () => {
  it.each<{ name: string; answer: (asked: Asked, world: World) => void; events: string[]; stats?: object }>([
    { name: 'a good reply', answer: (asked) => asked.reply(goodReply(asked.message)), events: ['NOERROR'] },
    {
      name: 'a wrong id, and nothing that comes there later counts',
      answer(asked) {
        asked.reply(goodReply({ ...asked.message, id: asked.message.id ^ 1 }, { rcode: 3 }));
        asked.reply(goodReply(asked.message));
      },
      events: [FORGED],
      stats: { strays: 1 },
    },
    {
      name: 'a wrong question is passed over',
      answer(asked) {
        asked.reply(
          goodReply(asked.message, { rcode: 3, question: [{ name: 'evil.example.org.', type: 1, class: 1 }] }),
        );
        asked.reply(goodReply(asked.message));
      },
      events: ['mismatch', 'NOERROR'],
      stats: { mismatches: 1 },
    },
    {
      name: 'a wrong sender is passed over',
      answer(asked, world) {
        world.network.forge({
          from: { address: '10.0.0.66', port: 53 },
          to: asked.from,
          bytes: goodReply(asked.message, { rcode: 3 }),
        });
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
    },
    {
      name: 'the right address at a wrong port is passed over',
      answer(asked, world) {
        world.network.forge({
          from: { address: '10.0.0.1', port: 5353 },
          to: asked.from,
          bytes: goodReply(asked.message, { rcode: 3 }),
        });
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
    },
    {
      name: 'a runt is passed over',
      answer(asked) {
        asked.reply(asked.bytes.subarray(0, 11));
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
      stats: { malformed: 1 },
    },
    {
      name: 'the query itself, sent back',
      answer(asked) {
        asked.reply(asked.bytes);
        asked.reply(goodReply(asked.message));
      },
      events: ['mismatch', 'NOERROR'],
      stats: { mismatches: 1 },
    },
    {
      name: 'a reply that comes twice',
      answer(asked) {
        asked.reply(goodReply(asked.message));
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
      stats: { strays: 1 },
    },
    { name: 'nothing', answer: () => undefined, events: [] },
  ])('$name', async ({ answer, events, stats }) => {
    const world = await new World().start();
    world.server.answer = (asked) => answer(asked, world);
    const asked = world.ask('udp');
    await world.elapse(100);
    expect(asked.events).toEqual(events);
    expect(world.upstream.stats).toEqual({ ...NOTHING, ...stats });
  });

  it('goes on waiting for a better one when the receiver makes no sense of a reply', async () => {
    const world = await new World().start();
    world.server.answer = (asked) => [2, 0].forEach((rcode) => asked.reply(goodReply(asked.message, { rcode })));
    const asked = world.ask('udp', 'a.example.', (bytes) => (bytes[3]! & 15) === 0);
    await world.elapse(20);
    expect(asked.events).toEqual(['rejected', 'NOERROR']);
    expect(world.upstream.stats.malformed).toBe(1);
  });

  it('sends the message as it is but for its id', async () => {
    const world = await new World().start();
    const { attempt } = world.ask('udp');
    await world.elapse(20);
    const { bytes } = world.server.seen[0]!;
    expect(bytes.subarray(2)).toEqual(Buffer.from(attempt.message).subarray(2));
    expect(bytes.readUInt16BE(0)).toBe(attempt.id);
  });

  it('draws ids that are all different while in flight, and spread over 16 bits', async () => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    for (let i = 0; i < 2000; i++) world.ask('udp');
    await world.elapse(20);
    const ids = world.server.seen.map(({ message, from }) => `${from.port} ${message.id}`);
    expect(new Set(ids).size).toBe(2000);
    const numbers = world.server.seen.map(({ message }) => message.id);
    expect(Math.min(...numbers)).toBeLessThan(1000);
    expect(Math.max(...numbers)).toBeGreaterThan(64_500);
    expect(numbers.filter((id, i) => id === numbers[i - 1]! + 1).length).toBeLessThan(5);
  });

  it('sends the queries of a turn from one port, those of the next from another one, and from others before long', async () => {
    const world = await new World().start();
    const turns: Set<number>[] = [];
    for (let i = 0; i < 2000; i++) {
      const before = world.server.seen.length;
      for (let k = 0; k < 30; k++) world.ask('udp');
      await world.elapse(5);
      turns.push(new Set(world.server.seen.slice(before).map(({ from }) => from.port)));
    }
    const portsOf = (some: readonly Set<number>[]): Set<number> => new Set(some.flatMap((ports) => [...ports]));
    // Only where a port makes way for another one a turn has two.
    expect(turns.filter((ports) => ports.size > 1).length).toBeLessThanOrEqual(portsOf(turns).size - 16);
    const first = portsOf(turns.slice(0, 100));
    expect(first.size).toBe(16);
    expect([...portsOf(turns.slice(-25))].filter((port) => first.has(port))).toEqual([]);
    // The server's own socket and those that are in use; the others are closed.
    expect(world.network.udpSockets).toBeLessThanOrEqual(1 + 16);
  });

  it('counts what was open and what had to be opened, and closes what is unused', async () => {
    const world = await new World().start();
    world.ask('udp');
    await world.elapse(20);
    world.ask('udp');
    world.ask('udp');
    await world.elapse(20);
    expect(world.reuse).toEqual(['miss udp', 'hit udp', 'hit udp']);
    await world.elapse(25_000);
    expect(world.network.udpSockets).toBe(1);
    expect(world.clock.pending).toBe(0);
    world.ask('udp');
    expect(world.reuse.at(-1)).toBe('miss udp');
  });

  it('keeps no more sockets than max_idle_conns', async () => {
    const world = await new World({ limits: { maxIdle: 1 } }).start();
    for (let i = 0; i < 20; i++) {
      world.ask('udp');
      await world.elapse(5);
    }
    expect(world.network.opened.length).toBe(1);
  });

  it('does not use a socket again after expire', async () => {
    const world = await new World({ limits: { expire: 0 } }).start();
    for (let i = 0; i < 3; i++) {
      world.ask('udp');
      await world.elapse(10);
    }
    expect(world.reuse).toEqual(['miss udp', 'miss udp', 'miss udp']);
  });

  it('takes a refused port as a hint, in the words of the reference', async () => {
    const world = new World();
    const asked = world.ask('udp');
    await world.elapse(20);
    expect(asked.events).toEqual(['doubt: read udp 127.0.0.1:40000->10.0.0.1:53: read: connection refused']);
    asked.attempt.cancel();
    expect(world.network.udpSockets).toBe(0);
  });

  it('takes an answer after the system said that none would come, and asks from another port meanwhile', async () => {
    const world = await new World().start();
    world.server.answer = (asked) =>
      void world.clock.setTimeout(
        () => asked.reply(goodReply(asked.message)),
        world.server.seen.length === 1 ? 100 : 0,
      );
    const first = world.ask('udp');
    await world.elapse(10);
    const { from } = world.server.seen[0]!;
    for (let i = 0; i < 3; i++) world.network.fail(from, 'ECONNREFUSED', 'recvmmsg');
    const second = world.ask('udp');
    await world.elapse(200);
    expect(first.events.at(-1)).toBe('NOERROR');
    expect(second.events).toEqual(['NOERROR']);
    expect(world.server.seen[1]!.from.port).not.toBe(from.port);
  });

  it.each(['EMSGSIZE', 'EINVAL', 'ENOBUFS'])('leaves it to the one datagram when sending fails: %s', async (code) => {
    const world = await new World().start();
    const asked = world.ask('udp');
    await world.elapse(1);
    world.network.fail({ address: '127.0.0.1', port: 40_000 }, code, 'sendmmsg');
    await world.elapse(20);
    expect(asked.events).toEqual(['NOERROR']);
  });

  it('leaves ports after a minute at most, however little they were used', async () => {
    const world = await new World({ limits: { expire: 600_000 } }).start();
    const portsOf = (from: number, to: number): Set<number> =>
      new Set(world.server.seen.slice(from, to).map(({ from: { port } }) => port));
    for (let i = 0; i < 130; i++) {
      world.ask('udp');
      await world.elapse(1000);
    }
    const [early, later] = [portsOf(0, 30), portsOf(90, 130)];
    expect([...later].filter((port) => early.has(port))).toEqual([]);
  });

  it.each([
    { name: 'later', pause: 5 },
    { name: 'in the same turn', pause: 0 },
  ])('asks the same question once more from another port: $name', async ({ pause }) => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    for (let i = 0; i < 30; i++) world.ask('udp', `warm${i}.example.`);
    await world.elapse(50);
    for (let i = 0; i < 40; i++) {
      const one = world.ask('udp', `n${i}.example.`);
      if (pause > 0) await world.elapse(pause);
      const again = new Attempt(one.attempt.message, one.attempt.questionEnd, undefined);
      again.apartFrom = one.attempt;
      world.upstream.send(again, 'udp', world.clock.monotonic());
      await world.elapse(5);
      const [first, second] = world.server.seen.slice(-2);
      expect(second!.from.port).not.toBe(first!.from.port);
    }
  });

  it('reports a missing route in the words of the reference', async () => {
    const world = new World();
    world.network.unreachable.add('10.0.0.1');
    const asked = [world.ask('udp'), world.ask('udp')];
    await world.elapse(20);
    for (const { events } of asked) expect(events).toEqual(['dial udp 10.0.0.1:53: connect: network is unreachable']);
  });

  it('says what was waited for', async () => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    const { attempt } = world.ask('udp');
    expect(attempt.transport!.timeout().message).toBe('dial udp 10.0.0.1:53: i/o timeout');
    await world.elapse(20);
    expect(attempt.transport!.timeout().message).toBe('read udp 127.0.0.1:40000->10.0.0.1:53: i/o timeout');
  });

  it('tells nobody about a reply to a cancelled attempt', async () => {
    const world = await new World().start();
    const early = world.ask('udp');
    early.attempt.cancel();
    const late = world.ask('udp');
    await world.elapse(1);
    late.attempt.cancel();
    await world.elapse(50);
    expect([...early.events, ...late.events]).toEqual([]);
  });
});

describe('silence', () => {
  it('is noticed by the first query that waits too long, and ends with the first reply', async () => {
    const world = await new World().start();
    const good = world.ask('udp');
    await world.elapse(20);
    expect(good.events).toEqual(['NOERROR']);
    expect(world.upstream.patience).toBe(150);
    world.network.black.add('10.0.0.1');
    const { attempt } = world.ask('udp');
    await world.elapse(150);
    expect(world.upstream.noteSilence(attempt, world.clock.monotonic())).toBe(true);
    expect(world.upstream.isSilent).toBe(true);
    world.network.black.clear();
    world.ask('udp');
    await world.elapse(20);
    expect(world.upstream.isSilent).toBe(false);
  });

  it('is none when something else was heard meanwhile', async () => {
    const world = await new World().start();
    world.server.answer = (asked) =>
      asked.message.question[0]!.name.startsWith('slow') || asked.reply(goodReply(asked.message));
    const { attempt } = world.ask('udp', 'slow.example.');
    await world.elapse(100);
    world.ask('udp', 'quick.example.');
    await world.elapse(100);
    expect(world.upstream.noteSilence(attempt, world.clock.monotonic())).toBe(false);
  });

  it('is known to a process that takes over, and a query tries at once whether it has ended', async () => {
    const world = await new World().start();
    world.upstream.goOn([100, 50, 200, 20], true, world.clock.monotonic());
    expect([world.upstream.isSilent, world.upstream.latency]).toEqual([true, 100]);
    expect([1, 2].map(() => world.upstream.admits(world.clock.monotonic()))).toEqual([true, false]);
    world.ask('udp');
    await world.elapse(20);
    expect(world.upstream.isSilent).toBe(false);
  });

  it('lets one query through now and then, ever more rarely', async () => {
    const world = new World();
    world.network.black.add('10.0.0.1');
    const { attempt } = world.ask('udp');
    await world.elapse(300);
    world.upstream.noteSilence(attempt, world.clock.monotonic());
    const admitted: number[] = [];
    const start = world.clock.monotonic();
    for (let t = 0; t <= 40_000; t += 100) {
      if (world.upstream.admits(world.clock.monotonic())) admitted.push(world.clock.monotonic() - start);
      world.clock.advance(100);
    }
    expect(admitted).toEqual([500, 1500, 3500, 7500, 15_500, 25_500, 35_500]);
  });

  it.each([
    { name: 'nothing known', delays: [], want: 300 },
    { name: 'a quick one', delays: [2, 2, 2], want: 150 },
    { name: 'a steady one of 200 ms', delays: new Array<number>(40).fill(200), want: 200 },
    { name: 'a wavering one', delays: [20, 300, 20, 300, 20, 300], want: 400 },
  ])('patience: $name', async ({ delays, want }) => {
    const world = await new World().start();
    for (const delay of delays) {
      world.network.fate = ({ to }) => [to.port === 53 ? 0 : delay];
      world.ask('udp');
      await world.elapse(delay + 1);
    }
    expect(Math.round(world.upstream.patience)).toBeGreaterThanOrEqual(want);
    expect(Math.round(world.upstream.patience)).toBeLessThan(want + 10);
  });
});

it('closes everything at once', async () => {
  const world = await new World().start();
  world.server.answer = () => undefined;
  const asked = [world.ask('udp'), world.ask('tcp')];
  await world.elapse(20);
  world.upstream.close();
  await world.elapse(20);
  expect(world.network.udpSockets).toBe(1);
  expect(world.network.streams.size).toBe(0);
  expect(world.clock.pending).toBe(0);
  expect(asked.flatMap(({ events }) => events)).toEqual([]);
});

it('closes a socket that opens after the end', async () => {
  const world = await new World().start();
  world.ask('udp');
  world.upstream.close();
  await world.elapse(20);
  expect(world.network.opened).toHaveLength(1);
  expect(world.network.udpSockets).toBe(1);
});

describe('ids', () => {
  it('are kept for those that somebody waits for, however long, and for late replies for a while', () => {
    const ids = new OutstandingIds();
    const attempt = (sentAt: number, awaited: boolean): Attempt => {
      const receiver = { replied: () => true, mismatched: () => {}, doubted: () => {}, failed: () => {} };
      const made = new Attempt(Buffer.alloc(12), 12, awaited ? receiver : undefined);
      made.sentAt = sentAt;
      ids.add(made, seededRandom(3));
      return made;
    };
    const kept = [attempt(0, true), attempt(1000, false), attempt(1000, true)];
    const gone = attempt(999, false);
    expect(ids.dropAbandoned(1000)).toBe(1);
    expect(ids.all()).toHaveLength(3);
    expect(kept.map((one) => ids.get(one.id) === one)).toEqual([true, true, true]);
    expect(ids.get(gone.id)).toBeUndefined();
  });
});
