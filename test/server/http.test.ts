import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpRoute } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../src/server/http-connections.js';
import { HttpListeners } from '../../src/server/http.js';

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

interface Port {
  readonly clock: ManualClock;
  readonly port: number;
}

async function serve(answer: HttpRoute['answer'], limits: Partial<HttpLimits> = {}): Promise<Port> {
  const clock = new ManualClock();
  const listeners = new HttpListeners(new HostNetwork(), clock, { ...DEFAULT_HTTP_LIMITS, ...limits });
  let port = 0;
  const listening = (opened: number): void => void (port = opened);
  const route = { address: '127.0.0.1', port: 0, path: '/health', owner: 'test', answer, listening };
  (await listeners.prepare([route])).commit();
  cleanups.push(() => listeners.closeAll());
  return { clock, port };
}

interface Client {
  readonly socket: net.Socket;
  closed: boolean;
  text: string;
}

async function connect({ port }: Port, text = ''): Promise<Client> {
  const socket = net.connect(port, '127.0.0.1');
  const client: Client = { socket, closed: false, text: '' };
  socket.on('data', (chunk) => (client.text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (client.closed = true));
  cleanups.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  if (text !== '') socket.write(text);
  await turns();
  return client;
}

const GET = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = (): HttpAnswer => ({ status: 200, body: 'OK' });
const answers = ({ text }: Client): number => text.split('HTTP/1.1 200').length - 1;

describe('a client that keeps the server waiting', () => {
  it.each([
    { name: 'and says nothing', sent: '' },
    { name: 'in the middle of its headers', sent: 'GET /health HTTP/1.1\r\nHost:' },
    { name: 'after an answer', sent: GET },
  ])('is closed: $name', async ({ sent }) => {
    const port = await serve(ok);
    const client = await connect(port, sent);
    port.clock.advance(4500);
    await turns();
    expect(client.closed).toBe(false);
    port.clock.advance(1500);
    await turns();
    expect(client.closed).toBe(true);
  });

  it('in the middle of a body is closed, though its answer is not there yet', async () => {
    const port = await serve(() => new Promise<HttpAnswer>(() => undefined));
    const client = await connect(port, 'POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    port.clock.advance(6000);
    await turns();
    expect(client.closed).toBe(true);
  });

  it('and sends a little now and then is closed all the same', async () => {
    const port = await serve(ok);
    const client = await connect(port, 'GET /health HTTP/1.1\r\n');
    for (let i = 0; i < 6; i++) {
      port.clock.advance(1000);
      client.socket.write(`X-${i}: a\r\n`);
      await turns();
    }
    expect(client.closed).toBe(true);
  });

  it('and does not read is closed', async () => {
    const port = await serve(() => ({ status: 200, body: 'a'.repeat(16 << 20) }));
    const client = await connect(port);
    client.socket.pause();
    client.socket.write(GET);
    await turns();
    port.clock.advance(9000);
    await turns();
    expect(client.socket.destroyed).toBe(false);
    port.clock.advance(2000);
    client.socket.resume();
    await new Promise((resolve) => client.socket.once('close', resolve));
    expect(client.text.length).toBeLessThan(16 << 20);
  });

  it('with more requests than may wait is closed', async () => {
    const port = await serve(() => new Promise<HttpAnswer>(() => undefined), { pending: 3 });
    const patient = await connect(port, GET.repeat(3));
    const greedy = await connect(port, GET.repeat(4));
    expect([patient.closed, greedy.closed]).toEqual([false, true]);
  });
});

describe('a client that the server keeps waiting', () => {
  it('is answered, however long that takes', async () => {
    let answer: (result: HttpAnswer) => void = () => undefined;
    const port = await serve(() => new Promise((resolve) => (answer = resolve)));
    const client = await connect(port, GET);
    port.clock.advance(60_000);
    await turns();
    answer(ok());
    await turns();
    expect(answers(client)).toBe(1);
  });

  it('may ask again on the same connection', async () => {
    const port = await serve(ok);
    const client = await connect(port);
    for (let i = 0; i < 3; i++) {
      client.socket.write(GET);
      await turns();
      port.clock.advance(4000);
    }
    expect([answers(client), client.closed]).toEqual([3, false]);
  });
});

describe('connections beyond the bound', () => {
  it('take the place of the one that has been waited for longest', async () => {
    const port = await serve(ok, { connections: 3 });
    const clients: Client[] = [];
    for (let i = 0; i < 3; i++) clients.push(await connect(port));
    clients[0]!.socket.write(GET);
    await turns();
    const late = await connect(port, GET);
    expect(clients.map(({ closed }) => closed)).toEqual([false, true, false]);
    expect(answers(late)).toBe(1);
  });

  it('are refused where all others wait for the server', async () => {
    const port = await serve(() => new Promise<HttpAnswer>(() => undefined), { connections: 2 });
    const first = [await connect(port, GET), await connect(port, GET)];
    const late = await connect(port, GET);
    expect([...first, late].map(({ closed }) => closed)).toEqual([false, false, true]);
  });
});

describe('HTTP requests', () => {
  it('reach their route with what stands behind the question mark, and get headers and bytes back', async () => {
    const port = await serve(({ query }) => ({
      status: 302,
      body: Buffer.from(`seconds=${query.get('seconds')}`),
      headers: { location: '/elsewhere' },
    }));
    const { text } = await connect(port, 'GET /health?seconds=5&a=b?c HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 302 [^]*\r\nlocation: \/elsewhere\r\n/);
    expect(text).toContain('seconds=5');
  });
});
