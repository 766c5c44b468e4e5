import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Reply, type Next } from '../../src/chain/index.js';
import { DEFAULT_TCP_LIMITS } from '../../src/server/tcp-limits.js';
import { query, rr } from '../support/dns.js';
import { serve } from './doh-world.js';

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const [DATA, HEADERS, RST_STREAM, SETTINGS, CONTINUATION] = [0, 1, 3, 4, 9];
const [END_STREAM, END_HEADERS] = [1, 4];
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0)]);

/** A field that is not to be indexed (RFC 7541 section 6.2.2); both texts have fewer than 127 bytes. */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const head = (method: string, url = '/dns-query'): Buffer =>
  Buffer.concat([field(':method', method), field(':scheme', 'https'), field(':authority', 'x'), field(':path', url)]);

const ASKED = query('x.', 'A').bytes;
const ASKING = head('GET', `/dns-query?dns=${Buffer.from(ASKED).toString('base64url')}`);
const reset = (stream: number): Buffer => frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]));

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const never: Next = () => new Promise(() => undefined);
const atOnce: Next = () => Reply.of(0, 0, { answer: [rr('x. 1 IN A 192.0.2.7')] });
const BIG = Reply.of(0, 0, {
  answer: Array.from({ length: 190 }, (_, i) => rr(`x. 1 IN TXT "${String(i).padEnd(250, 'x')}"`)),
});

describe('a client over HTTP/2', () => {
  it('that takes back its queries as fast as it sends them is closed', async () => {
    const world = await serve('h2', never);
    const stream = world.connect();
    stream.write(PREFACE);
    for (let id = 1; id < 4000 && !stream.destroyed; id += 2) {
      stream.write(Buffer.concat([frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING), reset(id)]));
      await turns(1);
    }
    await turns(5);
    const { given, abandoned } = world.asked();
    expect(stream.destroyed).toBe(true);
    expect(given).toBeLessThan(300);
    expect(abandoned).toBe(given);
    expect([world.clients.size, world.clients.held]).toEqual([0, 0]);
  });

  it('may take back a query now and then', async () => {
    const world = await serve('h2', atOnce);
    const stream = world.connect();
    stream.resume();
    stream.write(PREFACE);
    for (let id = 1; id < 2000; id += 2) {
      stream.write(frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING));
      await turns(3);
      stream.write(reset(id));
    }
    await turns(5);
    expect(stream.destroyed).toBe(false);
    expect(world.asked().given).toBe(1000);
  });

  it('may take back as many more as were answered', async () => {
    const world = await serve('h2', (asked) => (asked.name === 'x.' ? never(asked) : atOnce(asked)));
    const stream = world.connect();
    stream.resume();
    stream.write(PREFACE);
    const answered = head('GET', `/dns-query?dns=${Buffer.from(query('y.').bytes).toString('base64url')}`);
    let id = 1;
    for (; id < 100; id += 2) {
      stream.write(frame(HEADERS, END_STREAM | END_HEADERS, id, answered));
      await turns(3);
    }
    let taken = 0;
    for (; taken < 300 && !stream.destroyed; id += 2, taken++) {
      stream.write(Buffer.concat([frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING), reset(id)]));
      await turns(2);
    }
    expect(Math.abs(taken - 250)).toBeLessThanOrEqual(3);
  });

  it('whose head does not end is closed, and costs no more than a bound', async () => {
    const world = await serve('h2', never);
    const stream = world.connect();
    stream.write(PREFACE);
    stream.write(frame(HEADERS, END_STREAM, 1, ASKING));
    const more = Buffer.concat(Array.from({ length: 60 }, (_, i) => field(`x-${i}`, 'x'.repeat(100))));
    let sent = 0;
    for (; sent < 2000 && !stream.destroyed; sent++) {
      stream.write(frame(CONTINUATION, 0, 1, more));
      await turns(1);
    }
    expect(stream.destroyed).toBe(true);
    expect(sent * more.length).toBeLessThan(256 << 10);
  });

  it('gets no more streams than the bound', async () => {
    const world = await serve('h2', never);
    const stream = world.connect();
    stream.resume();
    stream.write(PREFACE);
    for (let id = 1; id < 2000; id += 2) stream.write(frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING));
    await turns(50);
    expect(world.asked().given).toBeLessThanOrEqual(250);
  });

  it('that sends its message byte by byte is closed when the time for reading is up', async () => {
    const world = await serve('h2', never, { read: 3000 });
    const stream = world.connect();
    stream.resume();
    stream.write(Buffer.concat([PREFACE, frame(HEADERS, END_HEADERS, 1, head('POST'))]));
    for (let i = 0; i < 5; i++) {
      stream.write(frame(DATA, 0, 1, Buffer.from([ASKED[i]!])));
      await turns(3);
      world.clock.advance(500);
    }
    expect(stream.destroyed).toBe(false);
    world.clock.advance(1500);
    await turns(3);
    expect(stream.destroyed).toBe(true);
    expect(world.asked().given).toBe(0);
  });

  it('that leaves its answers lying is closed', async () => {
    const world = await serve('h2', () => BIG, { write: 5000 });
    const stream = world.connect();
    stream.write(PREFACE);
    for (let id = 1; id < 40; id += 2) stream.write(frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING));
    await turns(20);
    expect(world.clients.held).toBeGreaterThan(100_000);
    world.clock.advance(6000);
    await turns(3);
    expect(stream.destroyed).toBe(true);
    expect([world.clients.size, world.clients.held]).toEqual([0, 0]);
  });

  it('has all the time that there is to take an answer that took long itself', async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const world = await serve('h2', () => new Promise((resolve) => (answer = resolve)), { write: 5000, idle: 60_000 });
    const stream = world.connect();
    stream.write(PREFACE);
    // What is taken with nothing is the window of a stream.
    stream.write(Buffer.concat([frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))]));
    stream.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, ASKING));
    await turns(5);
    world.clock.advance(4000);
    answer(BIG);
    await turns(5);
    world.clock.advance(4000);
    await turns(3);
    expect(stream.destroyed).toBe(false);
    world.clock.advance(1600);
    await turns(3);
    expect([stream.destroyed, world.open()]).toEqual([true, 0]);
  });

  it('that asks nothing is closed when it is idle for too long', async () => {
    const world = await serve('h2', never, { idle: 4000 });
    const stream = world.connect();
    stream.write(PREFACE);
    await turns(3);
    world.clock.advance(5000);
    await turns(3);
    expect(stream.destroyed).toBe(true);
  });

  it('is not idle while it waits for an answer', async () => {
    const world = await serve('h2', never, { idle: 4000 });
    const stream = world.connect();
    stream.write(Buffer.concat([PREFACE, frame(HEADERS, END_STREAM | END_HEADERS, 1, ASKING)]));
    await turns(3);
    world.clock.advance(9000);
    await turns(3);
    expect(stream.destroyed).toBe(false);
  });

  it('gets the answers under way when the number of its queries is reached, and is closed then', async () => {
    const world = await serve('h2', atOnce, { queries: 3 });
    const stream = world.connect();
    stream.resume().on('end', () => stream.end());
    stream.write(PREFACE);
    for (let id = 1; id < 20; id += 2) {
      stream.write(frame(HEADERS, END_STREAM | END_HEADERS, id, ASKING));
      await turns(5);
    }
    expect(world.asked().given).toBe(3);
    expect(world.clients.size).toBe(0);
  });
});

describe('a client over HTTP/1.1', () => {
  it('whose head does not end is closed, and costs no more than a bound', async () => {
    const world = await serve(undefined, never);
    const stream = world.connect();
    const got: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => got.push(chunk));
    stream.write('GET /dns-query HTTP/1.1\r\n');
    let sent = 0;
    for (; sent < 1000 && !stream.destroyed && !stream.readableEnded; sent++) {
      stream.write(`x-${sent}: ${'x'.repeat(1000)}\r\n`);
      await turns(2);
    }
    expect(sent).toBeLessThan(30);
    expect(Buffer.concat(got).toString()).toContain('431');
  });

  const url = `/dns-query?dns=${Buffer.from(ASKED).toString('base64url')}`;
  const got = (stream: Duplex): (() => string) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString('latin1');
  };

  it.each([
    { size: 16_000, status: 200 },
    { size: 16_800, status: 431 },
  ])('may send a head of 16 KiB: $size bytes get $status', async ({ size, status }) => {
    const world = await serve(undefined, atOnce);
    const stream = world.connect();
    const text = got(stream);
    stream.write(`GET ${url} HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(size - url.length - 6)}\r\n\r\n`);
    await turns(10);
    expect(text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('is kept for its next request without a time limit of Node, and told by the last answer that it is the last', async () => {
    const world = await serve(undefined, atOnce, { queries: 2 });
    const stream = world.connect();
    const text = got(stream.on('end', () => stream.end()));
    const answers: boolean[] = [];
    for (let i = 0; i < 2; i++) {
      stream.write(`GET ${url} HTTP/1.1\r\nhost: x\r\n\r\n`);
      await turns(10);
      answers.push(text().includes('connection: close'));
    }
    expect(answers).toEqual([false, true]);
    expect(world.timeouts.filter((limit) => limit > 0)).toEqual([]);
    expect([world.asked().given, stream.readableEnded, world.clients.size]).toEqual([2, true, 0]);
  });

  it('that sends its head slowly is closed when it is idle for too long', async () => {
    const world = await serve(undefined, never, { idle: 4000 });
    const stream = world.connect();
    for (const part of ['GET', ' /dns', '-query', ' HTTP', '/1.1', '\r\n', 'x:']) {
      stream.write(part);
      await turns(2);
      world.clock.advance(1000);
    }
    await turns(3);
    expect(stream.destroyed).toBe(true);
  });

  it('that sends request after request without waiting is closed at the bound', async () => {
    const world = await serve(undefined, never);
    const stream = world.connect();
    const url = `/dns-query?dns=${Buffer.from(ASKED).toString('base64url')}`;
    for (let i = 0; i < 1000; i++) stream.write(`GET ${url} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await turns(20);
    expect(stream.destroyed).toBe(true);
    expect(world.asked().given).toBeLessThanOrEqual(DEFAULT_TCP_LIMITS.pending + 1);
  });
});

describe('clients over HTTPS, together', () => {
  it('that do not end their handshakes, 10,000 of them, are closed beyond the bound', async () => {
    const world = await serve('nothing yet', never, {}, 1000);
    const streams = Array.from({ length: 10_000 }, () => world.connect());
    await turns(3);
    const open = streams.map(({ destroyed }) => !destroyed);
    expect(open.filter(Boolean)).toHaveLength(1000);
    expect(open.lastIndexOf(false)).toBe(8999);
  });

  it('have as many connections as are allowed: the one goes that has been silent for longest', async () => {
    const world = await serve('h2', atOnce, {}, 3);
    const streams = [world.connect(), world.connect(), world.connect()];
    for (const stream of [...streams].reverse()) {
      world.clock.advance(10);
      stream.resume();
      stream.write(Buffer.concat([PREFACE, frame(HEADERS, END_STREAM | END_HEADERS, 1, ASKING)]));
      await turns(5);
    }
    streams.push(world.connect());
    await turns(3);
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, false, true, false]);
  });
});
