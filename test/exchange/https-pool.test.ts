import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { duplexPair, type Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { Attempt, TlsClient } from '../../src/exchange/index.js';
import { HttpsPool } from '../../src/exchange/https-pool.js';
import { UpstreamState } from '../../src/exchange/upstream-state.js';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import { decodeMessage, rcodeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { FakeNetwork } from '../support/fake-network.js';
import { goodReply } from '../support/fake-upstream.js';
import { until } from '../support/ways.js';

const AT = { address: '10.0.0.1', port: 443 };
const EXPIRE = 10_000;

/** No handshake: what TLS does is another test's business. */
class Plain extends TlsClient {
  constructor(private readonly alpnProtocol: string) {
    super({});
  }
  override secure = async (stream: Duplex): Promise<Duplex> =>
    Object.assign(stream, { alpnProtocol: this.alpnProtocol });
}

/** Connections are in memory. */
class Connected extends FakeNetwork {
  constructor(
    clock: ManualClock,
    private readonly accept: (stream: Duplex, near: Duplex) => void,
  ) {
    super(clock);
  }
  override connectTcp: FakeNetwork['connectTcp'] = async (remote) => {
    const [stream, other] = duplexPair();
    this.accept(other, stream);
    return { stream, local: { address: '10.0.0.2', port: 40_000 }, remote };
  };
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function world(alpn = 'h2') {
  const clock = new ManualClock();
  const sessions: ServerHttp2Session[] = [];
  const asked: { stream: ServerHttp2Stream; message: Buffer; scheme: string | undefined }[] = [];
  const streams: Duplex[] = [];
  const server = http2.createServer();
  server.on('session', (session) => void sessions.push(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => asked.push({ stream, message: Buffer.concat(chunks), scheme: headers[':scheme'] }));
  });
  const network = new Connected(clock, (stream, near) => {
    streams.push(near);
    if (alpn === 'h2') server.emit('connection', stream);
  });
  const reused: string[] = [];
  const reuse = {
    hit: (way: string) => void reused.push(`hit ${way}`),
    miss: (way: string) => void reused.push(`miss ${way}`),
  };
  const state = new UpstreamState(network, clock, seededRandom(1), AT, { expire: EXPIRE, maxIdle: 0 }, reuse);
  const pool = new HttpsPool(state, new Plain(alpn), { method: 'POST', authority: 'dns.example:443' });
  ends.push(() => pool.close());
  /** Sends a query; what comes of it grows in `events`. */
  const send = async (name = 'a.', arrives = true) => {
    const { bytes, questionEnd } = query(name);
    const events: string[] = [];
    const attempt = new Attempt(bytes, questionEnd, {
      replied: (_attempt, reply) => {
        events.push(rcodeName(decodeMessage(reply).rcode));
        return true;
      },
      mismatched: () => void events.push('mismatch'),
      doubted: () => void events.push('doubt'),
      failed: (_attempt, error) => void events.push(error.message),
    });
    const before = asked.length;
    pool.send(attempt);
    if (arrives) await until(() => asked.length > before);
    return { attempt, events };
  };
  const answer = (): void => {
    const { stream, message } = asked.at(-1)!;
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
    stream.end(goodReply(decodeMessage(message)));
  };
  return { clock, network, sessions, streams, asked, reused, state, pool, send, answer };
}

describe('HttpsPool', () => {
  it('keeps its connection as long as it is used, and closes it when it was not for the time that is allowed', async () => {
    const { clock, pool, send, answer, reused, state } = world();
    expect([pool.size, pool.backlog]).toEqual([0, 0]);
    const first = await send();
    expect(pool.size).toBe(1);
    clock.advance(4000);
    answer();
    await until(() => first.events.length > 0);
    expect(first.events).toEqual(['NOERROR']);
    expect(state.lastHeard).toBe(clock.monotonic());
    clock.advance(EXPIRE - 1);
    pool.sweep(clock.monotonic());
    expect(pool.size).toBe(1);
    const second = await send('b.');
    answer();
    await until(() => second.events.length > 0);
    clock.advance(EXPIRE - 1);
    pool.sweep(clock.monotonic());
    expect(pool.size).toBe(1);
    clock.advance(1);
    pool.sweep(clock.monotonic());
    expect(pool.size).toBe(0);
    const third = await send('c.');
    expect(reused).toEqual(['miss https', 'hit https', 'miss https']);
    pool.forget(third.attempt);
  });

  it('gives a connection up on which nothing has come for five seconds, though something should', async () => {
    const { clock, pool, send, answer, sessions } = world();
    const first = await send();
    answer();
    await until(() => first.events.length > 0);
    const second = await send('b.');
    clock.advance(4999);
    pool.sweep(clock.monotonic());
    expect([pool.size, second.events]).toEqual([1, []]);
    clock.advance(1);
    pool.sweep(clock.monotonic());
    // It had served another: the query goes once more, over another connection.
    await until(() => sessions.length === 2);
    expect(second.events).toEqual([]);
    await until(() => pool.size === 1);
    answer();
  });

  it('fails a query that goes over the first connection, or once more', async () => {
    const { pool, send, answer, sessions, asked } = world();
    const first = await send();
    sessions[0]!.destroy();
    await until(() => first.events.length > 0);
    expect(first.events).toEqual(['the upstream has closed the connection']);
    const second = await send('b.');
    answer();
    await until(() => second.events.length > 0);
    const third = await send('c.');
    sessions[1]!.destroy();
    await until(() => asked.length === 4);
    expect(third.events).toEqual([]);
    sessions[2]!.destroy();
    await until(() => third.events.length > 0);
    expect(third.events).toEqual(['the upstream has closed the connection']);
    expect(asked).toHaveLength(4);
    expect(pool.size).toBe(0);
  });

  it('asks no more for one that nobody waits for, and tells it nothing', async () => {
    const { pool, send, answer, sessions } = world();
    const first = await send();
    answer();
    await until(() => first.events.length > 0);
    const second = await send('b.');
    second.attempt.abandon();
    const third = await send('c.');
    third.attempt.cancel();
    expect(third.attempt.transport).toBeUndefined();
    sessions[0]!.destroy();
    await until(() => pool.size === 0);
    await until(() => second.attempt.transport === undefined);
    expect([second.events, third.events, sessions.length]).toEqual([[], [], 1]);
  });

  it.each<{ name: string; headers?: object; body?: (good: Buffer) => Buffer; event: string }>([
    { name: 'another status', headers: { ':status': 502 }, event: 'https: got status 502' },
    {
      name: 'another content type',
      headers: { 'content-type': 'text/html' },
      event: "https: got content type 'text/html'",
    },
    { name: 'less than a header', body: (good) => good.subarray(0, 11), event: 'https: message cut short' },
    {
      name: 'an answer to another question',
      body: () => goodReply(decodeMessage(query('other.').bytes)),
      event: 'https: answer to another question',
    },
    {
      name: 'as many bytes as a message may have',
      body: (good) => Buffer.concat([good, Buffer.alloc(65_535 - good.length)]),
      event: 'NOERROR',
    },
  ])('gets $name: tells so, and asks no more', async ({ headers, body = (good) => good, event }) => {
    const { send, answer, asked } = world();
    const first = await send();
    answer();
    await until(() => first.events.length > 0);
    const { events } = await send('b.');
    const { stream, message } = asked.at(-1)!;
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message', ...headers });
    stream.end(body(goodReply(decodeMessage(message))));
    await until(() => events.length > 0);
    expect([events.filter((one) => one !== 'mismatch'), asked.length]).toEqual([[event], 2]);
  });

  it('fails a query whose answer has more bytes than a message may have', async () => {
    const { send, asked } = world();
    const { events } = await send();
    const { stream } = asked[0]!;
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
    stream.end(Buffer.alloc(65_536));
    await until(() => events.length > 0);
    expect(events).toEqual(['answer of more than 65535 bytes']);
  });

  it('speaks HTTP/2 for https, without push, and waits for nothing once it is connected', async () => {
    const { clock, asked, sessions, send } = world();
    await send();
    expect([asked[0]!.scheme, sessions[0]!.remoteSettings.enablePush, clock.pending]).toEqual(['https', false, 0]);
  });

  it('closes a connection on which something else is spoken', async () => {
    const { streams, send } = world('http/1.1');
    const { events } = await send('a.', false);
    await until(() => events.length > 0);
    expect(events).toEqual(['dial tcp 10.0.0.1:443: tls: the upstream speaks no HTTP/2']);
    expect(streams[0]!.destroyed).toBe(true);
  });

  it('asks over another connection once the server goes away, and is answered over the old one', async () => {
    const { pool, sessions, send, asked, answer } = world();
    const first = await send();
    sessions[0]!.goaway();
    await until(() => pool.size === 0);
    const { stream, message } = asked[0]!;
    await send('b.');
    expect(sessions).toHaveLength(2);
    answer();
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
    stream.end(goodReply(decodeMessage(message)));
    await until(() => first.events.length > 0);
    expect(first.events).toEqual(['NOERROR']);
  });

  it('gives up a connection that does not open, after five seconds or when it is closed', async () => {
    const { clock, network, pool, send } = world();
    const given: unknown[] = [];
    network.connectTcp = (_to, signal) =>
      new Promise((_, reject) =>
        signal!.addEventListener('abort', () => {
          given.push(clock.monotonic());
          reject(signal!.reason as Error);
        }),
      );
    const start = clock.monotonic();
    const { events } = await send('a.', false);
    clock.advance(4999);
    expect(given).toEqual([]);
    clock.advance(1);
    expect(given).toEqual([start + 5000]);
    await until(() => events.length > 0);
    expect(events).toEqual(['dial tcp 10.0.0.1:443: i/o timeout']);
    await send('b.', false);
    pool.close();
    expect(given).toHaveLength(2);
    await until(() => clock.pending === 0);
  });

  it('tells how a wait ends', () => {
    const { pool } = world();
    expect(pool.timeout().message).toBe('read tcp :0->10.0.0.1:443: i/o timeout');
  });
});
