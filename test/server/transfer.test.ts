import net from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Reply, Transfer, type Next } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { Server } from '../../src/server/server.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS, type TcpLimits } from '../../src/server/tcp-limits.js';
import { TcpServer, inTheClear } from '../../src/server/tcp.js';
import { FrameReader, Rcode, decodeMessage, frame } from '../../src/wire/index.js';
import { SERVER, query, rr } from '../support/dns.js';
import { TestLog } from '../support/block.js';
import { routesTo, strictResponder } from '../support/routes.js';

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** A message of about 60 kB. */
const LARGE = Reply.of(0, 0, {
  answer: Array.from({ length: 250 }, () => rr(`a. 1 IN TXT "${'x'.repeat(230)}"`)),
});

/** What became of a transfer's messages. */
class Sent {
  made = 0;
  ended = false;

  *messages(count: number, failsAt = Infinity): Generator<Reply> {
    try {
      while (this.made < count) {
        if (this.made === failsAt) throw new Error('cannot make it');
        this.made++;
        yield LARGE;
      }
    } finally {
      this.ended = true;
    }
  }
}

async function serve(chain: Next, limits: Partial<TcpLimits> = {}) {
  const routes = routesTo((asked) =>
    asked.name === 'other.' ? Reply.of(0, 0, { answer: [rr('other. 1 IN A 192.0.2.1')] }) : chain(asked),
  );
  const clock = new ManualClock();
  const faults: unknown[] = [];
  const responder = strictResponder(clock, (error) => void faults.push(error));
  const clients = new TcpClients(clock, { ...DEFAULT_TCP_LIMITS, ...limits });
  const server = await TcpServer.listen(
    { network: new HostNetwork(), clients, responder },
    { address: '127.0.0.1', port: 0 },
    { server: SERVER, routes },
    inTheClear,
  );
  cleanups.push(() => {
    server.close();
    server.destroy();
  });
  return { server, clock, routes, faults };
}

async function connect(server: TcpServer) {
  const socket = net.connect(server.local.port, '127.0.0.1');
  const frames = new FrameReader();
  const messages: Buffer[] = [];
  socket.on('data', (chunk) => {
    frames.push(chunk);
    for (let message = frames.next(); message; message = frames.next()) messages.push(message);
  });
  socket.on('error', () => undefined);
  let closed = false;
  socket.on('close', () => (closed = true));
  await new Promise((resolve) => socket.once('connect', resolve));
  cleanups.push(() => socket.destroy());
  return { socket, messages, isClosed: () => closed };
}

const ask = (id: number, name = 'a.'): Buffer => frame(query(name, 'AXFR', { id }).bytes);

describe('a transfer', () => {
  it('sends all its messages, each with the question and id', async () => {
    const sent = new Sent();
    const { server, routes } = await serve(() => new Transfer(sent.messages(20)));
    const { socket, messages } = await connect(server);
    socket.write(ask(7));
    await vi.waitFor(() => expect(messages.length).toBe(20));
    expect(
      messages
        .map(decodeMessage)
        .every(({ id, question, answer }) => id === 7 && question.length === 1 && answer.length === 250),
    ).toBe(true);
    expect([sent.made, sent.ended, routes.inFlight.size]).toEqual([20, true, 0]);
  });

  it('makes no more messages than the client takes, and answers other queries meanwhile', async () => {
    const sent = new Sent();
    const { server, routes } = await serve(() => Promise.resolve(new Transfer(sent.messages(400))));
    const { socket, messages } = await connect(server);
    socket.pause();
    socket.write(ask(1));
    await vi.waitFor(() => expect(sent.made).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent.made).toBeLessThan(390);
    expect(routes.inFlight.size).toBe(1);
    socket.write(ask(2, 'other.'));
    socket.resume();
    await vi.waitFor(() => expect(messages.length).toBe(401), 15_000);
    expect(messages.findIndex((message) => message.readUInt16BE(0) === 2)).toBeLessThan(400);
    expect(routes.inFlight.size).toBe(0);
  });

  it('ends when the client goes away', async () => {
    const sent = new Sent();
    const { server, routes } = await serve(() => new Transfer(sent.messages(1_000_000)));
    const { socket } = await connect(server);
    socket.pause();
    socket.write(ask(1));
    await vi.waitFor(() => expect(sent.made).toBeGreaterThan(0));
    socket.destroy();
    await vi.waitFor(() => expect([sent.ended, routes.inFlight.size]).toEqual([true, 0]));
    expect(server.open).toBe(0);
  });

  it('ends with the configuration: the connection is closed, so that half of it looks like no whole', async () => {
    const sent = new Sent();
    const { server, routes } = await serve(() => new Transfer(sent.messages(1_000_000)));
    const { socket, isClosed } = await connect(server);
    socket.pause();
    socket.write(ask(1));
    await vi.waitFor(() => expect(sent.made).toBeGreaterThan(0));
    routes.lifetime.end(new Error('gone'));
    expect([sent.ended, routes.inFlight.size]).toEqual([true, 0]);
    socket.resume();
    await vi.waitFor(() => expect(isClosed()).toBe(true));
  });

  it('is broken off where a message cannot be made, and the fault is told', async () => {
    const sent = new Sent();
    const { server, routes, faults } = await serve(() => new Transfer(sent.messages(9, 1)));
    const { socket, isClosed } = await connect(server);
    socket.write(ask(1));
    await vi.waitFor(() => expect(isClosed()).toBe(true));
    expect([faults.map(String), routes.inFlight.size]).toEqual([['Error: cannot make it'], 0]);
  });

  it('is given up for a client that takes nothing', async () => {
    const sent = new Sent();
    const { server, clock } = await serve(() => new Transfer(sent.messages(1_000_000)), { write: 2000 });
    const { socket } = await connect(server);
    socket.pause();
    socket.write(ask(1));
    await vi.waitFor(() => expect(sent.made).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 8 && !sent.ended; i++) clock.advance(1000);
    expect(sent.ended).toBe(true);
  });

  it('is refused where only one message can be sent', async () => {
    const plugin = { name: 'debug', setup: () => ({ name: 'debug', handle: () => new Transfer([LARGE, LARGE]) }) };
    const server = await Server.create({ corefile: '. {\ndebug\n}\n', plugins: [plugin], log: new TestLog() });
    const answer = await server.inject({ name: 'a.', type: 252 });
    await server.stop();
    expect([answer?.rcode, answer?.answer.length]).toEqual([Rcode.REFUSED, 0]);
  });
});
