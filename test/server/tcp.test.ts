import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, type ConnectionLimits, type Next } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS, type TcpLimits } from '../../src/server/tcp-limits.js';
import { TcpServer, inTheClear } from '../../src/server/tcp.js';
import { FrameReader, decodeMessage, frame } from '../../src/wire/index.js';
import { SERVER, query, rr } from '../support/dns.js';
import { routesTo, strictResponder } from '../support/routes.js';

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

async function serve(
  chain: Next,
  limits: Partial<TcpLimits> = {},
  ofBlock?: ConnectionLimits,
): Promise<{ server: TcpServer; clock: ManualClock }> {
  const routes = routesTo(chain, undefined, ofBlock);
  const clock = new ManualClock();
  const server = await TcpServer.listen(
    {
      network: new HostNetwork(),
      clients: new TcpClients(clock, { ...DEFAULT_TCP_LIMITS, ...limits }),
      responder: strictResponder(clock),
    },
    { address: '127.0.0.1', port: 0 },
    { server: SERVER, routes },
    inTheClear,
  );
  cleanups.push(() => {
    server.close();
    server.destroy();
  });
  return { server, clock };
}

/** A client that collects the ids of answers and notices the end of its connection. */
async function connect(server: TcpServer): Promise<{
  socket: net.Socket;
  ids: number[];
  closed: Promise<void>;
  answers: (count: number) => Promise<number[]>;
}> {
  const socket = net.connect(server.local.port, '127.0.0.1');
  const frames = new FrameReader();
  const ids: number[] = [];
  let wake = (): void => undefined;
  socket.on('data', (chunk) => {
    frames.push(chunk);
    for (let message = frames.next(); message; message = frames.next()) ids.push(decodeMessage(message).id);
    wake();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  cleanups.push(() => socket.destroy());
  const answers = (count: number): Promise<number[]> =>
    new Promise((resolve) => {
      wake = () => ids.length >= count && resolve(ids);
      wake();
    });
  return { socket, ids, closed, answers };
}

const answer: Next = () => Reply.of(0, 0, { answer: [rr('www.example.org. 300 IN A 192.0.2.1')] });
const ask = (id: number, name = 'www.example.org.'): Buffer => frame(query(name, 'A', { id }).bytes);
const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('TCP', () => {
  it('answers many queries of one write, and one that comes octet by octet', async () => {
    const { server } = await serve(answer);
    const client = await connect(server);
    client.socket.write(Buffer.concat([ask(1), ask(2), ask(3)]));
    expect(await client.answers(3)).toEqual([1, 2, 3]);
    for (const octet of ask(4)) client.socket.write(Buffer.of(octet));
    expect(await client.answers(4)).toEqual([1, 2, 3, 4]);
  });

  it('answers out of order: a quick query does not wait for a slow one', async () => {
    let release: (reply: Reply) => void = () => undefined;
    const { server } = await serve((asked) =>
      asked.name === 'slow.' ? new Promise((resolve) => (release = resolve)) : answer(asked),
    );
    const client = await connect(server);
    client.socket.write(Buffer.concat([ask(1, 'slow.'), ask(2)]));
    expect(await client.answers(1)).toEqual([2]);
    release(Reply.empty(0));
    expect(await client.answers(2)).toEqual([2, 1]);
  });

  it('answers what was asked before the client closed its side', async () => {
    let release: (reply: Reply) => void = () => undefined;
    const { server } = await serve(() => new Promise((resolve) => (release = resolve)));
    const client = await connect(server);
    client.socket.end(ask(1));
    await turns();
    release(Reply.empty(0));
    await client.closed;
    expect(client.ids).toEqual([1]);
  });

  it('closes a connection that is idle', async () => {
    const { server, clock } = await serve(answer, { idle: 1000 });
    const client = await connect(server);
    client.socket.write(ask(1));
    await client.answers(1);
    clock.advance(2000);
    await client.closed;
    expect(server.open).toBe(0);
  });

  it('takes what the block says of connections in place of its own limits', async () => {
    const { server, clock } = await serve(answer, { idle: 1000, read: 500 }, { idle: 5000, read: 3000 });
    const [idle, incomplete] = [await connect(server), await connect(server)];
    incomplete.socket.write(ask(1).subarray(0, 5));
    await turns();
    clock.advance(2900);
    await turns();
    expect([idle, incomplete].map(({ socket }) => socket.closed)).toEqual([false, false]);
    clock.advance(700);
    await incomplete.closed;
    expect(idle.socket.closed).toBe(false);
    clock.advance(2500);
    await idle.closed;
  });

  it('closes a connection after as many queries as the block allows, once they are answered', async () => {
    const releases: ((reply: Reply) => void)[] = [];
    const { server } = await serve(() => new Promise((resolve) => releases.push(resolve)), {}, { queries: 2 });
    const client = await connect(server);
    client.socket.write(Buffer.concat([ask(1), ask(2), ask(3)]));
    await turns();
    expect(releases).toHaveLength(2);
    expect(client.socket.closed).toBe(false);
    for (const release of releases) release(Reply.of(0, 0));
    await client.closed;
    expect(client.ids).toEqual([1, 2]);
  });

  it('closes a connection whose message stays incomplete, however many wait like that', async () => {
    const { server, clock } = await serve(answer, { read: 1000, idle: 3_600_000 });
    const clients = await Promise.all(Array.from({ length: 200 }, () => connect(server)));
    clients.forEach((client) => client.socket.write(Buffer.of(0)));
    const busy = await connect(server);
    while (server.open < 201) await turns();
    await turns();
    for (let i = 0; i < 100 && server.open > 1; i++) {
      await turns();
      clock.advance(2000);
    }
    await Promise.all(clients.map((client) => client.closed));
    busy.socket.write(ask(9));
    expect(await busy.answers(1)).toEqual([9]);
  });

  it('makes room for one more connection by closing the one that has been silent for longest', async () => {
    const { server } = await serve(answer, { connections: 2 });
    const first = await connect(server);
    const second = await connect(server);
    await turns();
    first.socket.write(ask(1));
    await first.answers(1);
    const third = await connect(server);
    await second.closed;
    third.socket.write(ask(3));
    first.socket.write(ask(2));
    expect([await third.answers(1), await first.answers(2)]).toEqual([[3], [1, 2]]);
  });

  it('reads no further while too many queries of a connection wait', async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { server } = await serve(() => new Promise((resolve) => waiting.push(resolve)), { pending: 4 });
    const client = await connect(server);
    for (let id = 1; id <= 4; id++) client.socket.write(ask(id));
    await turns();
    client.socket.write(ask(5));
    await turns();
    expect(waiting).toHaveLength(4);
    waiting.splice(0).forEach((resolve) => resolve(Reply.empty(0)));
    await client.answers(4);
    await turns();
    expect(waiting).toHaveLength(1);
  });

  it('survives a frame of no octets and a frame of garbage', async () => {
    const { server } = await serve(answer);
    const client = await connect(server);
    client.socket.write(Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.from('garbage, and more of it')), ask(1)]));
    expect((await client.answers(1)).at(-1)).toBe(1);
  });

  it('closes a connection that sends what is never answered', async () => {
    const { server, clock } = await serve(answer, { idle: 1000 });
    const client = await connect(server);
    for (let i = 0; i < 4 && server.open > 0; i++) {
      client.socket.write(frame(Buffer.alloc(0)));
      await turns();
      clock.advance(600);
    }
    await client.closed;
    expect(server.open).toBe(0);
  });

  it('keeps a connection whose query takes longer than it may be idle', async () => {
    let release: (reply: Reply) => void = () => undefined;
    const { server, clock } = await serve(() => new Promise((resolve) => (release = resolve)), { idle: 1000 });
    const client = await connect(server);
    client.socket.write(ask(1));
    await turns();
    clock.advance(9000);
    await turns();
    release(Reply.empty(0));
    expect(await client.answers(1)).toEqual([1]);
  });

  it('by default keeps a connection for ten seconds after its last answer', async () => {
    const { server, clock } = await serve(answer);
    const client = await connect(server);
    client.socket.write(ask(1));
    await client.answers(1);
    clock.advance(9500);
    await turns();
    expect(server.open).toBe(1);
    clock.advance(1500);
    await client.closed;
  });

  it('by default waits three seconds for the rest of a message', async () => {
    const { server, clock } = await serve(answer);
    const client = await connect(server);
    client.socket.write(ask(1).subarray(0, 5));
    await turns();
    clock.advance(3000);
    await turns();
    expect(server.open).toBe(1);
    clock.advance(1000);
    await client.closed;
  });

  it('by default answers 256 queries of a connection at a time', async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { server } = await serve(() => new Promise((resolve) => waiting.push(resolve)));
    const client = await connect(server);
    for (let id = 1; id <= 300; id++) client.socket.write(ask(id));
    while (waiting.length < 256) await turns();
    await turns();
    expect(waiting).toHaveLength(256);
  });

  it('survives a client that resets in the middle of a message', async () => {
    const { server } = await serve(answer);
    const client = await connect(server);
    client.socket.write(ask(1).subarray(0, 10));
    await turns();
    client.socket.resetAndDestroy();
    for (let i = 0; i < 100 && server.open > 0; i++) await turns();
    const other = await connect(server);
    other.socket.write(ask(2));
    expect([server.open, await other.answers(1)]).toEqual([1, [2]]);
  });
});
