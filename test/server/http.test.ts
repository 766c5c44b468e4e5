import net from 'node:net';
import { createSecureContext } from 'node:tls';
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

async function serve(
  answer: HttpRoute['answer'],
  limits: Partial<HttpLimits> = {},
  more: Partial<HttpRoute> = {},
): Promise<Port> {
  const clock = new ManualClock();
  const listeners = new HttpListeners(new HostNetwork(), clock, { ...DEFAULT_HTTP_LIMITS, ...limits });
  let port = 0;
  const listening = (opened: number): void => void (port = opened);
  const route = { address: '127.0.0.1', port: 0, path: '/health', owner: 'test', answer, listening, ...more };
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

/** Waits for what comes by itself. */
const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 250 && !holds(); i++) await turns();
  expect(holds()).toBe(true);
};

describe('handshakes under way', () => {
  it('are no more than the connections that there may be, and one that ends makes room', async () => {
    const tls = { context: () => createSecureContext(), clientCertificate: 'none' } as const;
    const port = await serve(ok, { connections: 2 }, { tls });
    const first = [await connect(port), await connect(port)];
    const late = await connect(port);
    await until(() => late.closed);
    expect(first.map(({ closed }) => closed)).toEqual([false, false]);
    // It has had its time.
    port.clock.advance(3000);
    await until(() => first.every(({ closed }) => closed));
    const next = [await connect(port), await connect(port)];
    expect(next.map(({ closed }) => closed)).toEqual([false, false]);
  });
});

describe('a route gets the whole request', () => {
  it('method, address, headers, body and who asks', async () => {
    const port = await serve(async (request) => {
      const { method, url, query, headers, client } = request;
      const body = Buffer.from(await request.body()).toString();
      return { body: JSON.stringify({ method, url, a: query.get('a'), headers, from: client.address, body }) };
    });
    const { text } = await connect(
      port,
      'POST /health?seconds=5&a=b?c HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 3\r\n\r\nabc',
    );
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toEqual({
      method: 'POST',
      url: '/health?seconds=5&a=b?c',
      a: 'b?c',
      headers: { host: 'a', 'x-one': '1, 2', 'content-length': '3' },
      from: '127.0.0.1',
      body: 'abc',
    });
  });

  const chunked = (...parts: readonly string[]): string =>
    `Transfer-Encoding: chunked\r\n\r\n${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}`;
  const bodies: [string, string, RegExp][] = [
    ['no body', '\r\n', /^HTTP\/1\.1 200 [^]*\r\n\r\n0 bytes$/],
    ['one of the greatest length', 'Content-Length: 8\r\n\r\n12345678', /^HTTP\/1\.1 200 [^]*\r\n\r\n8 bytes$/],
    ['one in chunks', `${chunked('1234', '5678')}0\r\n\r\n`, /^HTTP\/1\.1 200 [^]*\r\n\r\n8 bytes$/],
    [
      'one that says it is longer',
      'Content-Length: 9\r\n\r\n',
      /^HTTP\/1\.1 413 [^]*connection: close\r\n[^]*\r\n\r\nthe body is longer than 8 bytes\n$/,
    ],
    ['one that is longer', chunked('12345678', '9'), /^HTTP\/1\.1 413 [^]*\r\n\r\nthe body is longer than 8 bytes\n$/],
  ];
  it.each(bodies)('%s', async (_, rest, want) => {
    const port = await serve(async ({ body }) => ({ body: `${(await body()).length} bytes` }), {}, { maxBody: 8 });
    const client = await connect(port, `POST /health HTTP/1.1\r\nHost: a\r\n${rest}`);
    await until(() => want.test(client.text));
  });

  it.each([
    { length: 65_536, want: '200 OK' },
    { length: 65_537, want: '413 Payload Too Large' },
  ])('that says nothing of a longest body gets 64 KiB: $length', async ({ length, want }) => {
    const port = await serve(async ({ body }) => ({ body: `${(await body()).length} bytes` }));
    const head = `POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    const client = await connect(port, head + (length > 65_536 ? '' : 'x'.repeat(length)));
    await until(() => client.text.includes('\r\n\r\n'));
    expect(client.text).toContain(`HTTP/1.1 ${want}\r\n`);
  });

  it('is told of a body that ends too early', async () => {
    const faults: unknown[] = [];
    const port = await serve(async ({ body }) => {
      await body().catch((error: unknown) => faults.push(error));
      return { body: '' };
    });
    const client = await connect(port, 'POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na');
    client.socket.destroy();
    await until(() => faults.length === 1);
    expect(faults[0]).toMatchObject({ status: 400, message: 'the body ends too early' });
  });
});

describe('a route answers', () => {
  const bytes = Buffer.from([0, 255, 128]);
  const answers: [string, HttpRoute['answer'], RegExp][] = [
    [
      'text',
      () => ({ body: 'OK' }),
      /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain; charset=utf-8\r\n[^]*\r\n\r\nOK$/,
    ],
    ['with its length in bytes', () => ({ body: 'ü' }), /\r\ncontent-length: 2\r\n/],
    ['bytes', () => ({ body: bytes }), /\r\n\r\n\0\xff\x80$/],
    [
      'a status and headers',
      () => ({ status: 302, headers: { location: '/elsewhere', 'content-type': 'text/html' }, body: '' }),
      /^HTTP\/1\.1 302 Found\r\ncontent-type: text\/html\r\n[^]*location: \/elsewhere\r\n/,
    ],
    [
      'nothing at all',
      () => ({ status: 204, body: '' }),
      /^HTTP\/1\.1 204 No Content\r\n(?![^]*content-length)[^]*\r\n\r\n$/,
    ],
    [
      'a stream',
      () => ({
        body: (async function* () {
          yield 'a';
          yield bytes;
        })(),
      }),
      // Newer Nodes gather what is written in one turn.
      /transfer-encoding: chunked[^]*\r\n\r\n(1\r\na\r\n3\r\n|4\r\na)\0\xff\x80\r\n0\r\n\r\n$/i,
    ],
    [
      'with a fault',
      () => {
        throw new Error('out of order');
      },
      /^HTTP\/1\.1 500 [^]*\r\n\r\nout of order\n$/,
    ],
    ['with nonsense', () => ({ status: 9, body: '' }), /^HTTP\/1\.1 500 [^]*\r\n\r\nInvalid status code: 9\n$/],
  ];
  it.each(answers)('%s', async (_, answer, want) => {
    const client = await connect(await serve(answer), GET);
    await until(() => want.test(client.text));
  });

  it('HEAD with headers alone', async () => {
    const { text } = await connect(await serve(ok), GET.replace('GET', 'HEAD'));
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\ncontent-length: 2\r\n[^]*\r\n\r\n$/);
  });
});

describe('a stream', () => {
  it('goes out piece by piece', async () => {
    let go: () => void = () => undefined;
    const port = await serve(() => ({
      body: (async function* () {
        yield 'first';
        await new Promise<void>((resolve) => (go = resolve));
        yield 'second';
      })(),
    }));
    const client = await connect(port, GET);
    await until(() => client.text.includes('first'));
    // However long the next piece takes.
    port.clock.advance(60_000);
    await turns();
    expect(client.closed).toBe(false);
    go();
    await until(() => client.text.endsWith('second\r\n0\r\n\r\n'));
  });

  it('is left when the client leaves, and its signal fires', async () => {
    const seen: string[] = [];
    const port = await serve(({ signal }) => {
      signal.addEventListener('abort', () => seen.push('signal'));
      return {
        body: (async function* () {
          try {
            for (;;) {
              yield 'a';
              await turns();
            }
          } finally {
            seen.push('left');
          }
        })(),
      };
    });
    const client = await connect(port, GET);
    client.socket.destroy();
    await until(() => seen.length === 2);
    expect(seen).toEqual(['signal', 'left']);
  });

  it('is not read ahead of a client that does not take it, which is closed in time', async () => {
    let pieces = 0;
    let left = false;
    const port = await serve(() => ({
      body: (async function* () {
        try {
          for (; ; pieces++) yield Buffer.alloc(1 << 20);
        } finally {
          left = true;
        }
      })(),
    }));
    const client = await connect(port);
    client.socket.pause();
    client.socket.write(GET);
    let before = -1;
    while (before !== pieces) {
      before = pieces;
      await turns();
    }
    expect([pieces < 100, left]).toEqual([true, false]);
    port.clock.advance(9000);
    await turns();
    expect(left).toBe(false);
    port.clock.advance(2000);
    await until(() => left);
  });

  it('that fails cuts the connection: the client sees that something is missing', async () => {
    const port = await serve(() => ({
      // eslint-disable-next-line require-yield
      body: (async function* () {
        throw new Error('no more');
      })(),
    }));
    const client = await connect(port, GET);
    await until(() => client.closed);
    expect(client.text).not.toMatch(/0\r\n\r\n$/);
  });

  it('asked for by HEAD is not read', async () => {
    let read = false;
    const port = await serve(() => ({
      body: (async function* () {
        read = true;
        yield 'a';
      })(),
    }));
    const { text } = await connect(port, GET.replace('GET', 'HEAD'));
    expect([text.startsWith('HTTP/1.1 200'), read]).toEqual([true, false]);
  });
});
