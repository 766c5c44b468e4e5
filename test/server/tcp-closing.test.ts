import { describe, expect, it } from 'vitest';
import { Reply, type Next } from '../../src/chain/index.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS } from '../../src/server/tcp-limits.js';
import { TcpServer, inTheClear } from '../../src/server/tcp.js';
import { FrameReader, decodeMessage, frame } from '../../src/wire/index.js';
import { SERVER, query } from '../support/dns.js';
import { FakeNetwork, type FakeStream } from '../support/fake-network.js';
import { routesTo, strictResponder } from '../support/routes.js';

const AT = { address: '127.0.0.1', port: 53 };

/** A server over a network in memory; whether there is too little of it is set by hand. */
async function serve(chain: Next = () => Reply.empty(0)) {
  const network = new FakeNetwork();
  const { clock } = network;
  const memory = { short: false };
  const clients = new TcpClients(clock, DEFAULT_TCP_LIMITS);
  clients.delays = () => memory.short;
  const server = await TcpServer.listen(
    { network, clients, responder: strictResponder(clock) },
    AT,
    { server: SERVER, routes: routesTo(chain) },
    inTheClear,
  );
  /** A client with the ids of its answers, and whether its connection was ended. */
  const connect = async () => {
    const connecting = network.connectTcp(AT);
    await clock.advanceAsync(2);
    const { stream } = await connecting;
    const client = { stream, ids: [] as number[], ended: false };
    const frames = new FrameReader();
    stream.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      for (let message = frames.next(); message; message = frames.next()) client.ids.push(decodeMessage(message).id);
    });
    stream.on('end', () => (client.ended = true));
    return client;
  };
  return { clock, server, memory, connect };
}

const ask = (id: number): Buffer => frame(query('www.example.org.', 'A', { id }).bytes);

describe('a connection that comes while memory is short', () => {
  it('waits unread until there is some', async () => {
    const { clock, server, memory, connect } = await serve();
    memory.short = true;
    const client = await connect();
    client.stream.write(ask(1));
    await clock.advanceAsync(1000);
    expect([client.ids, server.open]).toEqual([[], 0]);
    memory.short = false;
    await clock.advanceAsync(110);
    expect([client.ids, server.open, client.ended]).toEqual([[1], 1, false]);
  });

  it('takes the place of the one that has waited for longest, where too many wait', async () => {
    const { clock, memory, connect } = await serve();
    memory.short = true;
    const clients = [];
    for (let i = 0; i < 256; i++) clients.push(await connect());
    await clock.advanceAsync(10);
    expect(clients.filter(({ ended }) => ended)).toEqual([]);
    clients.push(await connect());
    await clock.advanceAsync(10);
    expect(clients.findIndex(({ ended }) => !ended)).toBe(1);
    expect(clients.filter(({ ended }) => ended)).toHaveLength(1);
  });

  it('is forgotten when it breaks', async () => {
    const { clock, server, memory, connect } = await serve();
    memory.short = true;
    const client = await connect();
    (client.stream as FakeStream).other.destroy(new Error('reset'));
    memory.short = false;
    await clock.advanceAsync(200);
    expect(server.open).toBe(0);
  });

  it('is closed when the server closes', async () => {
    const { clock, server, memory, connect } = await serve();
    memory.short = true;
    const client = await connect();
    server.close();
    await clock.advanceAsync(200);
    expect([client.ended, server.open]).toEqual([true, 0]);
  });
});

describe('a server that closes when connections are quiet', () => {
  it.each([
    { name: 'where nothing was asked for so long', asks: [0], endsAt: 1500 },
    { name: 'not where something was', asks: [0, 800], endsAt: 2500 },
    { name: 'not where something is asked meanwhile', asks: [0, 800, 2400], endsAt: 3500 },
    { name: 'where nothing was asked at all', asks: [], endsAt: 1500 },
  ])('ends them $name', async ({ asks, endsAt }) => {
    const { clock, server, connect } = await serve();
    const client = await connect();
    const start = clock.monotonic();
    let endedAt = 0;
    client.stream.on('end', () => (endedAt = clock.monotonic() - start));
    for (let time = 0; time < 4000; time += 100) {
      if (asks.includes(time)) client.stream.write(ask(time));
      if (time === 500) server.close(1000);
      await clock.advanceAsync(100);
    }
    expect(client.ids).toEqual(asks);
    expect(Math.abs(endedAt - endsAt)).toBeLessThan(100);
  });

  it('ends one whose query is under way when that is answered', async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const { clock, server, connect } = await serve(() => new Promise((resolve) => (answer = resolve)));
    const client = await connect();
    client.stream.write(ask(7));
    await clock.advanceAsync(10);
    server.close(100);
    await clock.advanceAsync(3000);
    expect([client.ended, client.ids]).toEqual([false, []]);
    answer(Reply.empty(0));
    await clock.advanceAsync(300);
    expect([client.ended, client.ids]).toEqual([true, [7]]);
  });
});

it('has 256 queries of a client under way by default, and takes one more for each that is answered', async () => {
  const answers: ((reply: Reply) => void)[] = [];
  const { clock, connect } = await serve(() => new Promise((resolve) => answers.push(resolve)));
  const client = await connect();
  for (let id = 0; id < 300; id++) client.stream.write(ask(id));
  await clock.advanceAsync(10);
  expect(answers).toHaveLength(256);
  answers[0]!(Reply.empty(0));
  await clock.advanceAsync(10);
  expect([answers.length, client.ids]).toEqual([257, [0]]);
});
