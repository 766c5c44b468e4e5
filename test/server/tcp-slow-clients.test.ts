import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Reply, type Query } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import type { Network, TcpConnection } from '../../src/net/network.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS, type TcpLimits } from '../../src/server/tcp-limits.js';
import { TcpServer, inTheClear } from '../../src/server/tcp.js';
import { frame } from '../../src/wire/index.js';
import { SERVER, query, rr } from '../support/dns.js';
import { routesTo, strictResponder } from '../support/routes.js';

/** The server's end of a connection to a client that takes what it is written when the test says so. */
class SlowStream extends Duplex {
  /** Bytes that the client has taken. */
  taken = 0;
  private waiting: { bytes: number; done: () => void } | undefined;

  override _read(): void {
    // What the client sends is pushed.
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.waiting = { bytes: bytes.length, done };
  }

  /** The client takes one write; false when none waits. */
  takeOne(): boolean {
    const { waiting } = this;
    if (waiting === undefined) return false;
    this.waiting = undefined;
    this.taken += waiting.bytes;
    waiting.done();
    return true;
  }

  async takeAll(): Promise<void> {
    do await turn();
    while (this.takeOne());
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** About 50 kB. */
const BIG = Reply.of(0, 0, {
  answer: Array.from({ length: 190 }, (_, i) => rr(`x. 1 IN TXT "${String(i).padEnd(250, 'x')}"`)),
});
const BIG_SIZE = BIG.records.bytes.length;

interface World {
  readonly clients: TcpClients;
  readonly clock: ManualClock;
  readonly asked: () => number;
  readonly queries: readonly Query[];
  connect(): SlowStream;
}

async function serve(limits: Partial<TcpLimits> = {}): Promise<World> {
  const asked: Query[] = [];
  const routes = routesTo((query) => (asked.push(query), BIG));
  const clock = new ManualClock();
  const clients = new TcpClients(clock, { ...DEFAULT_TCP_LIMITS, ...limits });
  const at = { address: '192.0.2.1', port: 53 };
  let accept: (connection: TcpConnection) => void = () => undefined;
  const network = {
    listenTcp: (_at: unknown, onConnection: typeof accept) => {
      accept = onConnection;
      return Promise.resolve({ local: at, close: () => undefined });
    },
  } as unknown as Network;
  const context = { network, clients, responder: strictResponder(clock) };
  await TcpServer.listen(context, at, { server: SERVER, routes }, inTheClear);
  let port = 1024;
  const connect = (): SlowStream => {
    const stream = new SlowStream({ allowHalfOpen: true });
    accept({ stream, local: at, remote: { address: '192.0.2.2', port: port++ } });
    return stream;
  };
  return { clients, clock, asked: () => asked.length, queries: asked, connect };
}

const queries = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, id) => frame(query('x.', 'TXT', { id }).bytes)));

describe('a client that does not read', () => {
  it('is answered no further than what it may leave waiting', async () => {
    const world = await serve();
    const stream = world.connect();
    stream.push(queries(400));
    await turn();
    expect(world.asked()).toBe(2);
    expect(world.clients.held).toBeLessThan(2 * BIG_SIZE + 50_000);
  });

  it('is read no further', async () => {
    const world = await serve();
    const stream = world.connect();
    stream.push(queries(400));
    await turn();
    const { held } = world.clients;
    for (let i = 0; i < 10; i++) stream.push(queries(400));
    await turn();
    expect(world.clients.held).toBe(held);
  });

  it('is answered the rest when it reads', async () => {
    const world = await serve();
    const stream = world.connect();
    stream.push(queries(20));
    stream.push(queries(20));
    stream.push(null);
    await stream.takeAll();
    expect(world.asked()).toBe(40);
    expect(stream.taken).toBeGreaterThan(40 * BIG_SIZE);
    expect([world.clients.size, world.clients.held]).toEqual([0, 0]);
  });

  it('is closed when it takes nothing for some time', async () => {
    const world = await serve({ write: 5000 });
    const stream = world.connect();
    stream.push(queries(400));
    await turn();
    world.clock.advance(4500);
    expect(stream.destroyed).toBe(false);
    world.clock.advance(1500);
    expect(stream.destroyed).toBe(true);
    expect([world.clients.size, world.clients.held]).toEqual([0, 0]);
  });

  it.each([
    { name: 'takes nothing of its answers for 10 s', sent: () => queries(400), limit: 10_000 },
    { name: 'leaves a message incomplete for 3 s', sent: () => queries(1).subarray(0, 5), limit: 3000 },
  ])('is closed by default when it $name', async ({ sent, limit }) => {
    const world = await serve();
    const stream = world.connect();
    stream.push(sent());
    await turn();
    world.clock.advance(limit - 100);
    expect(stream.destroyed).toBe(false);
    world.clock.advance(700);
    expect(stream.destroyed).toBe(true);
  });

  it('stays while it takes something now and then', async () => {
    const world = await serve({ write: 5000 });
    const stream = world.connect();
    stream.push(queries(400));
    for (let i = 0; i < 10; i++) {
      await turn();
      world.clock.advance(4000);
      stream.takeOne();
    }
    expect(stream.destroyed).toBe(false);
  });
});

describe('clients that do not read, together', () => {
  it('cost no more than the bound, and those go first that have taken nothing for longest', async () => {
    const world = await serve();
    const reader = world.connect();
    const streams = Array.from({ length: 300 }, () => world.connect());
    let most = 0;
    for (const stream of streams) {
      stream.push(queries(2000));
      reader.push(queries(1));
      for (let i = 0; i < 10 && !reader.takeOne(); i++) await turn();
      most = Math.max(most, world.clients.held);
    }
    expect(most).toBeLessThanOrEqual(12 << 20);
    expect(most).toBeGreaterThan(11 << 20);
    const closed = streams.map(({ destroyed }) => destroyed);
    expect(closed.filter(Boolean).length).toBeGreaterThan(100);
    expect(closed).toEqual([...closed].sort((a, b) => Number(b) - Number(a)));
    expect(reader.destroyed).toBe(false);
  });

  it('are held to the bound with messages that are not complete, too', async () => {
    const world = await serve({ held: 100_000 });
    const streams = Array.from({ length: 10 }, () => world.connect());
    for (const stream of streams) {
      stream.push(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(20_000)]));
      await turn();
      expect(world.clients.held).toBeLessThanOrEqual(100_000);
    }
    expect(streams.filter(({ destroyed }) => !destroyed).length).toBeGreaterThan(2);
    streams.forEach((stream) => stream.destroy());
    await turn();
    expect([world.clients.size, world.clients.held]).toEqual([0, 0]);
  });

  it('at two addresses share the bound of connections', async () => {
    const world = await serve({ connections: 2 });
    const streams = [world.connect(), world.connect(), world.connect()];
    await turn();
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });
});

it.each([
  { name: 'as it is in a chunk of 8 KiB', size: 8192, copied: false },
  { name: 'in a copy where it would keep more', size: 8193, copied: true },
])('a handler gets a query $name', async ({ size, copied }) => {
  const world = await serve();
  const stream = world.connect();
  // What follows is a message that is not complete.
  const chunk = Buffer.alloc(size, 0xff);
  queries(1).copy(chunk);
  stream.push(chunk);
  await turn();
  expect(world.queries.map(({ bytes }) => bytes.buffer !== chunk.buffer)).toEqual([copied]);
});

it('a connection that breaks while it waits for memory is no fault', async () => {
  const world = await serve();
  world.clients.delays = () => true;
  const stream = world.connect();
  stream.destroy(new Error('reset'));
  await turn();
  expect([stream.destroyed, world.clients.size]).toEqual([true, 0]);
});
