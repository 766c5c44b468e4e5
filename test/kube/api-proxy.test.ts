import { readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../src/kube/api/client.js';
import { RateLimiter } from '../../src/kube/api/rate-limiter.js';
import { realClock } from '../../src/lib/clock.js';
import { FakeApi } from '../support/fake-api.js';
import { service } from '../support/kube.js';

const TLS = join(import.meta.dirname, 'tls');
const pem = (name: string): string => readFileSync(join(TLS, `${name}.pem`), 'utf8');

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** What a proxy was asked for, and with which right. */
interface Seen {
  readonly target: string;
  readonly authorization: string | undefined;
}

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function tunnel(client: net.Socket, port: number, ready: () => void): void {
  const upstream = net.connect(port, '127.0.0.1', ready);
  client.pipe(upstream).pipe(client);
  for (const socket of [client, upstream]) socket.on('error', () => undefined);
  ends.push(() => {
    client.destroy();
    upstream.destroy();
  });
}

/** Takes CONNECT to any name, and leads to a port of this host. */
async function httpProxy(to: number, seen: Seen[]): Promise<string> {
  const server = http.createServer();
  server.on('connect', (request, client: net.Socket) => {
    seen.push({ target: request.url!, authorization: request.headers['proxy-authorization'] });
    tunnel(client, to, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
  });
  return `http://name:word@127.0.0.1:${await listening(server)}`;
}

/** The same for SOCKS5 without authentication (RFC 1928), for names only. */
async function socksProxy(to: number, seen: Seen[]): Promise<string> {
  const server = net.createServer((client) => {
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', (asked) => {
        const length = asked[4]!;
        const name = asked[3] === 3 ? asked.toString('latin1', 5, 5 + length) : 'no name';
        seen.push({ target: `${name}:${asked.readUInt16BE(5 + length)}`, authorization: undefined });
        tunnel(client, to, () => client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])));
      });
    });
  });
  return `socks5://127.0.0.1:${await listening(server)}`;
}

async function listThrough(url: string, proxy: string, servername = '127.0.0.1'): Promise<string> {
  const client = new ApiClient({
    connection: {
      url: new URL(url),
      proxy: new URL(proxy),
      credentials: () =>
        Promise.resolve({
          headers: { 'Impersonate-Group': ['a', 'b'] },
          tls: { ca: pem('ca'), servername },
        }),
      refused: () => undefined,
    },
    limiter: new RateLimiter({ qps: 1000, burst: 1000 }, realClock),
    clock: realClock,
    userAgent: 'test',
  });
  ends.push(() => client.close());
  let text = '';
  const { signal } = new AbortController();
  const onData = (chunk: Uint8Array): void => void (text += Buffer.from(chunk).toString());
  await client.get({
    purpose: 'list',
    path: '/api/v1/services',
    query: {},
    headerSilence: 5000,
    silence: 5000,
    signal,
    onData,
  });
  return text;
}

describe('the API through a proxy', () => {
  it.each([
    {
      name: 'HTTP',
      proxy: httpProxy,
      secure: true,
      authorization: `Basic ${Buffer.from('name:word').toString('base64')}`,
    },
    {
      name: 'HTTP, to an API without TLS',
      proxy: httpProxy,
      secure: false,
      authorization: expect.any(String) as string,
    },
    { name: 'SOCKS5', proxy: socksProxy, secure: true, authorization: undefined },
  ])('answers: $name', async ({ proxy, secure, authorization }) => {
    const api = await new FakeApi(
      [service('web')],
      secure ? { cert: pem('server'), key: pem('server-key') } : undefined,
    ).start();
    ends.push(() => api.stop());
    const seen: Seen[] = [];
    const port = Number(new URL(api.url).port);
    const text = await listThrough(`http${secure ? 's' : ''}://api.test:6443`, await proxy(port, seen));
    expect(JSON.parse(text)).toMatchObject({ items: [{ metadata: { name: 'web' } }] });
    expect(seen).toEqual([{ target: 'api.test:6443', authorization }]);
    expect(api.requests[0]?.headers['impersonate-group']).toBe('a, b');
  });

  it.each(['127.0.0.2', 'other.test'])('is not believed where its certificate is not for %s', async (servername) => {
    const api = await new FakeApi([], { cert: pem('server'), key: pem('server-key') }).start();
    ends.push(() => api.stop());
    const proxy = await httpProxy(Number(new URL(api.url).port), []);
    await expect(listThrough('https://api.test:6443', proxy, servername)).rejects.toThrow(servername);
    expect(api.requests).toEqual([]);
  });
});
