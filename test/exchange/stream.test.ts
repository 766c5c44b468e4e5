import { describe, expect, it } from 'vitest';
import { newStats } from '../../src/exchange/index.js';
import { frame } from '../../src/wire/index.js';
import { goodReply, type Asked } from '../support/fake-upstream.js';
import type { FakeStream } from '../support/fake-network.js';
import { World } from './world.js';

const tcpOpened = (world: World): number => world.network.opened.filter(({ protocol }) => protocol === 'tcp').length;

describe('TCP', () => {
  it.each<{
    name: string;
    answer: (asked: Asked, world: World) => void;
    chunk?: number;
    events: string[];
    stats?: object;
  }>([
    { name: 'a good reply', answer: (asked) => asked.reply(goodReply(asked.message)), events: ['NOERROR'] },
    { name: 'octet by octet', answer: (asked) => asked.reply(goodReply(asked.message)), chunk: 1, events: ['NOERROR'] },
    { name: 'in chunks of 7', answer: (asked) => asked.reply(goodReply(asked.message)), chunk: 7, events: ['NOERROR'] },
    {
      name: 'a wrong id is passed over',
      answer(asked) {
        asked.reply(goodReply({ ...asked.message, id: asked.message.id ^ 1 }, { rcode: 3 }));
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
      stats: { strays: 1 },
    },
    {
      name: 'a wrong question is passed over',
      answer(asked) {
        asked.reply(goodReply(asked.message, { question: [{ name: 'evil.example.org.', type: 1, class: 1 }] }));
        asked.reply(goodReply(asked.message));
      },
      events: ['mismatch', 'NOERROR'],
      stats: { mismatches: 1 },
    },
    {
      name: 'a frame of 65,535 octets',
      answer: (asked) =>
        asked.reply(Buffer.concat([goodReply(asked.message), Buffer.alloc(65_535)]).subarray(0, 65_535)),
      events: ['NOERROR'],
    },
    {
      name: 'a frame of 65,535 octets of garbage, then the reply',
      answer(asked) {
        asked.reply(Buffer.alloc(65_535, 0xff));
        asked.reply(goodReply(asked.message));
      },
      events: ['NOERROR'],
      stats: { strays: 1 },
    },
    {
      name: 'an empty frame',
      answer: (asked) => asked.raw(Buffer.of(0, 0)),
      events: ['message of 0 octets from tcp upstream, a header has 12'],
      stats: { malformed: 1 },
    },
    {
      name: 'a frame shorter than a header',
      answer: (asked) => asked.reply(asked.bytes.subarray(0, 11)),
      events: ['message of 11 octets from tcp upstream, a header has 12'],
      stats: { malformed: 1 },
    },
    {
      name: 'closed within a frame',
      answer(asked) {
        asked.raw(frame(goodReply(asked.message)).subarray(0, 20));
        asked.connection!.stream.end();
      },
      events: ['unexpected EOF'],
    },
    { name: 'closed without a reply', answer: (asked) => void asked.connection!.stream.end(), events: ['EOF'] },
    {
      name: 'reset',
      answer: (asked) => (asked.connection!.stream as FakeStream).reset(),
      events: ['read tcp 127.0.0.1:40000->10.0.0.1:53: read: connection reset by peer'],
    },
  ])('$name', async ({ answer, chunk, events, stats }) => {
    const world = await new World().start();
    world.network.chunk = chunk ?? Infinity;
    world.server.answer = (asked) => answer(asked, world);
    const asked = world.ask('tcp');
    await world.elapse(100);
    expect(asked.events).toEqual(events);
    expect(world.upstream.stats).toEqual({ ...newStats(), ...stats });
  });

  it('sends all queries of a turn in one write over one connection, once the upstream is known to be prompt', async () => {
    const world = await new World().start();
    for (let i = 0; i < 700; i++) {
      world.ask('tcp');
      await world.elapse(3);
    }
    world.network.writes.length = 0;
    const events = Array.from({ length: 20 }, (_, i) => world.ask('tcp', `n${i}.example.`).events);
    await world.elapse(50);
    expect(events.flat()).toEqual(new Array(20).fill('NOERROR'));
    expect(world.network.writes.length).toBe(1);
  });

  it('counts queries on connections that had to be opened, and on those that were there', async () => {
    const world = await new World().start();
    for (let i = 0; i < 3; i++) await finished(world);
    expect(world.reuse).toEqual(['miss tcp', 'hit tcp', 'hit tcp']);
    expect(tcpOpened(world)).toBe(1);
  });

  it('takes replies in any order', async () => {
    const world = await new World().start();
    const held: Asked[] = [];
    world.server.answer = (asked) => void held.push(asked);
    const events = [0, 1, 2].map((i) => world.ask('tcp', `n${i}.example.`).events);
    await world.elapse(20);
    for (const [i, asked] of [...held].reverse().entries())
      asked.reply(goodReply(asked.message, { rcode: [5, 3, 0][i]! }));
    await world.elapse(20);
    expect(events).toEqual([['NOERROR'], ['NXDOMAIN'], ['REFUSED']]);
  });

  it('sends queries of a connection that was good before and is closed once more, unnoticed', async () => {
    const world = await new World().start();
    expect((await finished(world)).events).toEqual(['NOERROR']);
    let closed = 0;
    world.server.answer = (asked) => {
      if (closed++ > 0) return asked.reply(goodReply(asked.message));
      asked.connection!.stream.end();
    };
    const events = [world.ask('tcp', 'a.example.').events, world.ask('tcp', 'b.example.').events];
    await world.elapse(50);
    expect(events).toEqual([['NOERROR'], ['NOERROR']]);
    expect(tcpOpened(world)).toBe(3);
  });

  it('sends them down a new connection, not another one that was open then', async () => {
    const world = await new World().start();
    const old = new Set<unknown>();
    world.server.answer = (asked) => void (old.add(asked.connection), asked.reply(goodReply(asked.message)));
    const before = ['a.example.', 'b.example.'].map((name) => world.ask('tcp', name).events);
    await world.elapse(50);
    expect([before, old.size]).toEqual([[['NOERROR'], ['NOERROR']], 2]);
    world.server.answer = ({ connection, message, reply }) =>
      void (old.has(connection) ? connection!.stream.end() : reply(goodReply(message)));
    const { events } = world.ask('tcp', 'c.example.');
    await world.elapse(50);
    expect(events).toEqual(['NOERROR']);
  });

  it('sends them once more only', async () => {
    const world = await new World().start();
    await finished(world);
    world.server.answer = (asked) => void asked.connection!.stream.end();
    const { events } = world.ask('tcp');
    await world.elapse(50);
    expect(events).toEqual(['EOF']);
    expect(world.server.counts.tcp).toBe(3);
  });

  it('sends them once more only, also where the second connection has served others', async () => {
    const world = await new World().start();
    world.upstream.pipelining.overtook();
    await finished(world);
    let connections = 0;
    world.server.answer = ({ message, reply, connection }) => {
      if (message.question[0]!.name.startsWith('other')) return reply(goodReply(message));
      connections++;
      connection!.stream.end();
    };
    // On the connection that was good, with one that goes along to the next connection and is answered there.
    const { events } = world.ask('tcp', 'cut.example.');
    const other = world.ask('tcp', 'other.example.').events;
    await world.elapse(100);
    expect([events, other, connections]).toEqual([['EOF'], ['NOERROR'], 2]);
  });

  it('opens another connection for more than 32 queries in flight, up to eight, where answers come in any order', async () => {
    const world = await new World().start();
    world.upstream.pipelining.overtook();
    await finished(world);
    world.server.answer = () => undefined;
    for (let turn = 0; turn < 40; turn++) {
      for (let i = 0; i < 16; i++) world.ask('tcp', `n${turn}-${i}.example.`);
      await world.elapse(1);
    }
    expect(tcpOpened(world)).toBe(8);
  });

  it('leaves a connection alone on which nothing comes', async () => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    world.ask('tcp');
    await world.elapse(350);
    world.server.answer = (asked) => asked.reply(goodReply(asked.message));
    const { events } = world.ask('tcp');
    await world.elapse(20);
    expect(events).toEqual(['NOERROR']);
    expect(tcpOpened(world)).toBeLessThanOrEqual(3);
  });

  it('bounds the connections to an upstream that takes none', async () => {
    const world = new World();
    world.network.black.add('10.0.0.1');
    for (let i = 0; i < 60; i++) {
      world.ask('tcp');
      await world.elapse(400);
      // Each connection that opens has a timer; one more looks for unused ones.
      expect(world.clock.pending).toBeLessThanOrEqual(16 + 1);
    }
  });

  it('closes connections that are not used, and replaces them by age', async () => {
    const world = await new World().start();
    await finished(world);
    expect(world.network.streams.size).toBe(1);
    await world.elapse(21_000);
    expect(world.network.streams.size).toBe(0);
    for (let second = 0; second < 100; second += 5) {
      expect((await finished(world)).events).toEqual(['NOERROR']);
      await world.elapse(5000);
    }
    expect(tcpOpened(world)).toBe(3);
    await world.elapse(30_000);
    expect(world.clock.pending).toBe(0);
  });

  it.each([
    { name: 'refused', prepare: () => undefined, want: 'dial tcp 10.0.0.1:53: connect: connection refused' },
    {
      name: 'no route',
      prepare: (world: World) => void world.network.unreachable.add('10.0.0.1'),
      want: 'dial tcp 10.0.0.1:53: connect: network is unreachable',
    },
    {
      name: 'silence',
      prepare: (world: World) => void world.network.black.add('10.0.0.1'),
      want: 'dial tcp 10.0.0.1:53: i/o timeout',
    },
  ])('reports a connection that does not open: $name', async ({ prepare, want }) => {
    const world = new World();
    prepare(world);
    const { events } = world.ask('tcp');
    await world.elapse(31_000);
    expect(events).toEqual([want]);
  });

  it('gives a connection less time to open after quick ones', async () => {
    const world = await new World({ limits: { expire: 0 } }).start();
    for (let i = 0; i < 30; i++) await finished(world);
    world.network.black.add('10.0.0.1');
    const { events } = world.ask('tcp');
    await world.elapse(1100);
    expect(events).toEqual(['dial tcp 10.0.0.1:53: i/o timeout']);
  });

  it('says what was waited for', async () => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    const { attempt } = world.ask('tcp');
    expect(attempt.transport!.timeout().message).toBe('dial tcp 10.0.0.1:53: i/o timeout');
    await world.elapse(20);
    expect(attempt.transport!.timeout().message).toBe('read tcp 127.0.0.1:40000->10.0.0.1:53: i/o timeout');
  });

  it('ends a connection on which replies are overdue', async () => {
    const world = await new World().start();
    world.server.answer = () => undefined;
    const { events } = world.ask('tcp');
    await world.elapse(11_000);
    expect(events).toEqual(['read tcp 127.0.0.1:40000->10.0.0.1:53: i/o timeout']);
    expect(world.network.streams.size).toBe(0);
  });

  it('keeps no more idle connections than max_idle_conns', async () => {
    const world = await new World({ limits: { maxIdle: 1, expire: 2000 } }).start();
    const held: Asked[] = [];
    world.server.answer = (asked) => void held.push(asked);
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < 33; i++) world.ask('tcp');
      await world.elapse(5);
    }
    expect(world.network.streams.size).toBeGreaterThan(1);
    await world.elapse(1500);
    for (const asked of held) asked.reply(goodReply(asked.message));
    await world.elapse(400);
    world.server.answer = (asked) => asked.reply(goodReply(asked.message));
    await world.elapse(200);
    expect(world.network.streams.size).toBe(1);
  });
});

async function finished(world: World): Promise<{ events: string[] }> {
  const asked = world.ask('tcp');
  await world.elapse(20);
  return asked;
}
