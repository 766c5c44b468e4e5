import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, type Timer } from '../../src/lib/clock.js';
import { ApiError } from '../../src/kube/api/api-error.js';
import { ApiClient, type ApiClientOptions } from '../../src/kube/api/client.js';
import { RateLimiter } from '../../src/kube/api/rate-limiter.js';
import type { ApiCredentials } from '../../src/kube/auth/connection.js';
import { until } from '../support/kube.js';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A client of a server that answers as `listener` does; time passes by hand. */
async function clientOf(listener: http.RequestListener, options: Partial<ApiClientOptions> = {}) {
  const server = http.createServer({ keepAliveTimeout: 0 }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  ends.push(() => server.closeAllConnections());
  const clock = new ManualClock();
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const codes: string[] = [];
  let refusals = 0;
  const client = new ApiClient({
    connection: { url, credentials: async () => ({ headers: {}, tls: {} }), refused: () => void refusals++ },
    onRequest: ({ code }) => codes.push(code),
    limiter: new RateLimiter({ qps: 1000, burst: 1000 }, clock),
    clock,
    userAgent: 'test',
    ...options,
  });
  ends.push(() => client.close());
  return { client, clock, server, codes, refusals: () => refusals };
}

/** Says how many timers were set. */
class CountingClock extends ManualClock {
  timers = 0;

  override setTimeout(fn: () => void, delay: number): Timer {
    this.timers++;
    return super.setTimeout(fn, delay);
  }
}

const REQUEST = { purpose: 'list', path: '/', query: {}, headerSilence: 100, silence: 100 } as const;
const { signal } = new AbortController();

describe('a request to the API', () => {
  it('may take longer than the longest silence while something comes', async () => {
    let response: http.ServerResponse | undefined;
    const { client, clock } = await clientOf((_request, answer) => void (response = answer).write('0'));
    let heard = '';
    const done = client.get({ ...REQUEST, signal, onData: (chunk) => void (heard += Buffer.from(chunk).toString()) });
    for (let i = 1; i <= 4; i++) {
      await until(() => heard.length === i, `piece ${i}`);
      clock.advance(90);
      if (i < 4) response!.write(String(i));
    }
    response!.end();
    await done;
    expect(heard).toBe('0123');
    expect(clock.pending).toBe(0);
  });

  it('ends when nothing comes for too long, and leaves no timer', async () => {
    const { client, clock } = await clientOf((_request, answer) => void answer.write('0'));
    let heard = false;
    const done = client.get({ ...REQUEST, signal, onData: () => void (heard = true) });
    const outcome = expect(done).rejects.toThrow('nothing was received for 0.1 s');
    await until(() => heard, 'a piece');
    clock.advance(100);
    await outcome;
    expect(clock.pending).toBe(0);
  });

  it('may take long to be worked on, piece by piece', async () => {
    const { client, clock } = await clientOf((_request, answer) => answer.end('0'));
    const work = async (): Promise<void> => {
      clock.advance(90);
      await Promise.resolve();
      clock.advance(9);
    };
    clock.advance(90);
    await client.get({ ...REQUEST, signal, onData: work });
    expect(clock.pending).toBe(0);
  });

  it('may be told slowly why it is refused', async () => {
    let response: http.ServerResponse | undefined;
    const clock = new CountingClock();
    const { client } = await clientOf((_request, answer) => (response = answer.writeHead(500)).flushHeaders(), {
      clock,
    });
    const outcome = expect(client.get({ ...REQUEST, signal, onData: () => undefined })).rejects.toThrow('why not');
    // One timer for the question, one for the headers, and one for each piece.
    await until(() => clock.timers === 2, 'the headers');
    for (const [i, part] of ['{"message":', '"why ', 'not"', '}'].entries()) {
      clock.advance(60);
      response!.write(part);
      await until(() => clock.timers === 3 + i, part);
    }
    response!.end();
    await outcome;
  });

  it.each([
    { status: 401, want: 1 },
    { status: 402, want: 0 },
    { status: 403, want: 0 },
  ])('has its credentials made anew after 401 alone: $status', async ({ status, want }) => {
    const { client, refusals, codes } = await clientOf((_request, answer) => answer.writeHead(status).end());
    await expect(client.get({ ...REQUEST, signal, onData: () => undefined })).rejects.toMatchObject({ status });
    expect([refusals(), codes]).toEqual([want, [String(status)]]);
  });

  it('leaves its place to the next, however it ends', async () => {
    const limiter = new RateLimiter({ qps: 1000, burst: 1000, maxInFlight: 1 }, new ManualClock());
    const { client, codes } = await clientOf((_request, answer) => answer.destroy(), { limiter });
    for (let i = 0; i < 3; i++)
      await expect(client.get({ ...REQUEST, signal, onData: () => undefined })).rejects.toThrow('socket hang up');
    expect(codes).toEqual(['<error>', '<error>', '<error>']);
  });

  it('is not sent when it is given up before its credentials are there', async () => {
    const stop = new AbortController();
    const url = new URL('http://127.0.0.1:1');
    const credentials = (): Promise<ApiCredentials> => {
      stop.abort(new Error('stopped'));
      return Promise.resolve({ headers: {}, tls: {} });
    };
    const connection = { url, credentials, refused: () => undefined };
    const { client, codes } = await clientOf(() => undefined, { connection });
    await expect(client.get({ ...REQUEST, signal: stop.signal, onData: () => undefined })).rejects.toThrow('stopped');
    expect(codes).toEqual([]);
  });

  it('leaves no connection when the client is closed', async () => {
    const { client, server } = await clientOf((_request, answer) => answer.end('0'));
    await client.get({ ...REQUEST, signal, onData: () => undefined });
    const count = () => new Promise<number>((resolve) => server.getConnections((_error, open) => resolve(open)));
    expect(await count()).toBe(1);
    const closed = new Promise((resolve) => server.close(resolve));
    client.close();
    await closed;
  });

  it('reads no more than a part of an error without end', async () => {
    let open = true;
    const { client } = await clientOf((_request, answer) => {
      answer.on('close', () => (open = false));
      answer.writeHead(500);
      const more = (error?: Error | null): void =>
        void (open && !error && answer.write(Buffer.alloc(16_384, 'x'), more));
      more();
    });
    await expect(client.get({ ...REQUEST, signal, onData: () => undefined })).rejects.toThrow(ApiError);
    await until(() => !open, 'the end of the connection');
  });
});
