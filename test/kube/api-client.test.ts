import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { ApiError } from '../../src/kube/api/api-error.js';
import { ApiClient } from '../../src/kube/api/client.js';
import { RateLimiter } from '../../src/kube/api/rate-limiter.js';
import { until } from '../support/kube.js';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A client of a server that answers as `listener` does; time passes by hand. */
async function clientOf(listener: http.RequestListener): Promise<{ client: ApiClient; clock: ManualClock }> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  ends.push(() => server.closeAllConnections());
  const clock = new ManualClock();
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = new ApiClient({
    connection: { url, credentials: async () => ({ headers: {}, tls: {} }), refused: () => undefined },
    limiter: new RateLimiter({ qps: 1000, burst: 1000 }, clock),
    clock,
    userAgent: 'test',
  });
  ends.push(() => client.close());
  return { client, clock };
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
