import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiQuestion } from '../../src/kube/api/exchange.js';
import { Http2 } from '../../src/kube/api/http2.js';
import { ManualClock } from '../../src/lib/clock.js';
import { until } from '../support/kube.js';

const TLS = path.join(import.meta.dirname, 'tls');
const pem = (name: string): string => readFileSync(path.join(TLS, `${name}.pem`), 'utf8');
const SECRETS = { cert: pem('server'), key: pem('server-key') };

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** The port on which the server listens from now on; its connections are kept in `open`. */
async function listening(server: net.Server, open = new Set<net.Socket>(), port = 0): Promise<number> {
  server.on('connection', (socket: net.Socket) => {
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  ends.push(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** What asks the API at a port; time passes by hand. */
function asking(port: number, host = '127.0.0.1') {
  const clock = new ManualClock();
  const client = new Http2(new URL(`https://${host}:${port}`), clock);
  ends.push(() => client.close());
  const stop = new AbortController();
  const question: ApiQuestion = { target: '/', headers: {}, tls: { ca: pem('ca') }, signal: stop.signal };
  return { clock, client, stop, ask: () => client.ask(question) };
}

/** A server that takes what comes, and says nothing. */
const silent = (): net.Server => net.createServer((socket) => socket.resume());

/** A server that answers with 200. */
const answering = (): http2.Http2SecureServer =>
  http2.createSecureServer(SECRETS, (_request, response) => response.end('ok'));

describe('a connection over HTTP/2', () => {
  it('is given up when it is not there within 30 s', async () => {
    const { clock, ask } = asking(await listening(silent()));
    const asked = ask();
    clock.advance(29_999);
    await expect(Promise.race([asked, Promise.resolve('waits')])).resolves.toBe('waits');
    clock.advance(1);
    await expect(asked).rejects.toThrow('no connection within 30 s');
    expect(clock.pending).toBe(0);
  });

  it('is given up when it is closed before it is secured', async () => {
    const { clock, ask } = asking(await listening(net.createServer((socket) => socket.destroy())));
    await expect(ask()).rejects.toThrow(/ECONNRESET|closed before|disconnected before/);
    expect(clock.pending).toBe(0);
  });

  it('is given up by all who wait for it when it is no longer wanted', async () => {
    const open = new Set<net.Socket>();
    const { clock, client, ask } = asking(await listening(silent(), open));
    const asked = Promise.allSettled([ask(), ask()]);
    await until(() => open.size === 1, 'the connection');
    client.close();
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await until(() => open.size === 0, 'its end');
    expect(clock.pending).toBe(0);
  });

  it('is waited for no longer by who gives up', async () => {
    const { stop, ask } = asking(await listening(silent()));
    const asked = ask();
    stop.abort(new Error('stopped'));
    await expect(asked).rejects.toThrow('stopped');
    await expect(ask()).rejects.toThrow('stopped');
  });

  it('is made anew after one that could not be made', async () => {
    const server = net.createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const { ask } = asking(port);
    await expect(ask()).rejects.toThrow('ECONNREFUSED');
    await listening(answering(), undefined, port);
    expect((await ask())?.status).toBe(200);
  });

  it('is closed when the API speaks no HTTP/2', async () => {
    const open = new Set<net.Socket>();
    const server = tls.createServer({ ...SECRETS, ALPNProtocols: ['http/1.1'] });
    const { clock, ask } = asking(await listening(server, open));
    expect(await ask()).toBeUndefined();
    await until(() => open.size === 0, 'its end');
    expect(clock.pending).toBe(0);
  });

  it.each([
    { host: 'localhost', want: ['localhost'] },
    { host: '127.0.0.1', want: [] },
  ])('is asked for $host by its name if it has one', async ({ host, want }) => {
    const names: string[] = [];
    const server = tls.createServer({
      ...SECRETS,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    const { ask } = asking(await listening(server), host);
    // The certificate is not one of that name.
    await ask().catch(() => undefined);
    expect(names).toEqual(want);
  });

  it('takes nothing that it did not ask for, and no more at a time than it can hold', async () => {
    const server = answering();
    const told: unknown[] = [];
    server.on('session', (session) =>
      session.on('remoteSettings', ({ enablePush, initialWindowSize }) => told.push(enablePush, initialWindowSize)),
    );
    server.on('stream', ({ session }) => told.push(session!.state.remoteWindowSize));
    const { ask } = asking(await listening(server));
    await ask();
    expect(told).toEqual([false, 256 * 1024, 1024 * 1024]);
  });

  it('goes on as long as it gives signs of life', async () => {
    const open = new Set<net.Socket>();
    const server = answering();
    let pings = 0;
    server.on('session', (session) => session.on('ping', () => pings++));
    const { clock, ask } = asking(await listening(server, open));
    await ask();
    for (let i = 1; i <= 3; i++) {
      clock.advance(29_999);
      expect(pings).toBe(i - 1);
      clock.advance(1);
      await until(() => pings === i, `ping ${i}`);
      expect((await ask())?.status).toBe(200);
    }
    expect(open.size).toBe(1);
  });

  it('is ended when it gives no sign of life for 30 s', async () => {
    const open = new Set<net.Socket>();
    let heard = 0;
    // It is secured, and then says nothing.
    const server = tls.createServer({ ...SECRETS, ALPNProtocols: ['h2'] }, (socket) =>
      socket.on('data', ({ length }: Buffer) => (heard += length)),
    );
    const { clock, ask } = asking(await listening(server, open));
    const outcome = expect(ask()).rejects.toThrow('no sign of life for 30 s');
    await until(() => heard > 0, 'a question');
    clock.advance(60_000);
    await outcome;
    await until(() => open.size === 0, 'its end');
    expect(clock.pending).toBe(0);
  });
});
