import { beforeEach, describe, expect, it } from 'vitest';
import { serverAt, type ComparedServer } from '../../../src/insight/compare/compared-server.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { FrameReader, frame } from '../../../src/wire/index.js';
import { FakeNetwork } from '../../support/fake-network.js';
import { encodeQuery } from './capture-writer.js';

const TO = { address: '192.0.2.53', port: 53 };
const TIMEOUT = 1000;
const bytes = encodeQuery('a.example.', 'A');
const UDP = { at: 0, transport: 'udp' as const, bytes };
const TCP = { at: 0, transport: 'tcp' as const, bytes };

let clock: ManualClock;
let network: FakeNetwork;
let server: ComparedServer;

const answerTo = (query: Uint8Array): Buffer => {
  const answer = Buffer.from(query);
  answer[2]! |= 0x80;
  return answer;
};

/** Lets time pass until the promise is settled; its value and how long it took. */
async function settle<T>(promise: Promise<T>): Promise<{ value: T; took: number }> {
  const began = clock.monotonic();
  let done: { value: T; took: number } | undefined;
  void promise.then((value) => void (done = { value, took: clock.monotonic() - began }));
  for (let i = 0; i < 1000 && done === undefined; i++) {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (done === undefined) clock.advance(10);
  }
  return done ?? expect.unreachable('it waits forever');
}

beforeEach(async () => {
  clock = new ManualClock();
  network = new FakeNetwork(clock);
  const socket = await network.bindUdp(TO, (query, from) => {
    const answer = answerTo(query);
    socket.send(answer, answer.length, from);
  });
  server = await serverAt(TO, { network, clock, timeout: TIMEOUT });
});

/** Takes connections, and does `handle` with each query. */
const listen = (handle: (query: Buffer, write: (bytes: Uint8Array) => void, end: () => void) => void): unknown =>
  network.listenTcp(TO, ({ stream }) => {
    const reader = new FrameReader();
    stream.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      for (let query = reader.next(); query !== undefined; query = reader.next())
        handle(
          query,
          (answer) => void stream.write(frame(answer)),
          () => void stream.destroy(),
        );
    });
  });

describe('a server over UDP', () => {
  it('answers many queries at once, each its own', async () => {
    const asked = Array.from({ length: 300 }, (_, i) => encodeQuery(`n${i}.example.`, 'A'));
    const { value } = await settle(Promise.all(asked.map((query) => server.ask({ ...UDP, bytes: query }))));
    expect(value.map((answer) => Buffer.from(answer!).subarray(12).toString('hex'))).toEqual(
      asked.map((query) => query.subarray(12).toString('hex')),
    );
  });
  it('is asked again where a datagram is lost', async () => {
    let lost = 0;
    network.fate = ({ to }) => (to.port === TO.port && lost++ === 0 ? 'drop' : [1]);
    const { value, took } = await settle(server.ask(UDP));
    expect(value).toBeDefined();
    expect(took).toBeGreaterThanOrEqual(TIMEOUT);
  });
  it('that is silent has no answer after two attempts', async () => {
    network.black.add(TO.address);
    const { value, took } = await settle(server.ask(UDP));
    expect(value).toBeUndefined();
    expect(took).toBeLessThanOrEqual(3 * TIMEOUT);
  });
  it('sends no more after it is closed', async () => {
    const asking = server.ask(UDP);
    await server.close();
    expect(network.udpSockets).toBe(1);
    expect((await settle(Promise.race([asking, Promise.resolve('pending')]))).value).toBeDefined();
  });
});

describe('a server over TCP', () => {
  it('answers over one connection', async () => {
    void listen((query, write) => write(answerTo(query)));
    const { value } = await settle(Promise.all([server.ask(TCP), server.ask(TCP), server.ask(TCP)]));
    expect(value.every((answer) => answer !== undefined)).toBe(true);
    expect(network.opened.filter(({ protocol }) => protocol === 'tcp')).toHaveLength(1);
  });
  it('answers nothing more once it is closed', async () => {
    void listen(() => undefined);
    const asking = server.ask(TCP);
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1);
    }
    await server.close();
    const { value, took } = await settle(asking);
    expect(value).toBeUndefined();
    expect(took).toBeLessThan(TIMEOUT / 2);
  });
  it('gets each query under an id of its own, though none waits', async () => {
    const ids: number[] = [];
    void listen((query, write) => {
      ids.push(query.readUInt16BE(0));
      write(answerTo(query));
    });
    for (let i = 0; i < 3; i++) await settle(server.ask(TCP));
    expect(new Set(ids).size).toBe(3);
  });
  it('that closes is connected to again', async () => {
    let first = true;
    void listen((query, write, end) => {
      if (first) end();
      else write(answerTo(query));
      first = false;
    });
    const refused = await settle(server.ask(TCP));
    expect(refused.value).toBeUndefined();
    expect(refused.took).toBeLessThan(TIMEOUT);
    expect((await settle(server.ask(TCP))).value).toBeDefined();
  });
  it('that refuses has no answer', async () => expect((await settle(server.ask(TCP))).value).toBeUndefined());
  it('that says nothing at all is given up in time', async () => {
    network.black.add(TO.address);
    const { value, took } = await settle(server.ask(TCP));
    expect(value).toBeUndefined();
    expect(took).toBeLessThanOrEqual(2 * TIMEOUT);
  });
  it('that takes the query and is silent is given up in time', async () => {
    void listen(() => undefined);
    const { value, took } = await settle(server.ask(TCP));
    expect(value).toBeUndefined();
    expect(took).toBeLessThanOrEqual(2 * TIMEOUT);
  });
});
