import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AdminEndpoint, jsonAnswer } from '../../../src/insight/admin/admin-endpoint.js';
import { AdminQueries } from '../../../src/insight/compare/admin-queries.js';
import { AsyncQueue } from '../../../src/insight/compare/async-queue.js';
import { Control, controlFrame } from '../../../src/insight/compare/dnstap.js';
import { LiveQueries } from '../../../src/insight/compare/live-queries.js';
import type { TappedQueries } from '../../../src/insight/top/queries-route.js';
import { realClock } from '../../../src/lib/clock.js';
import { HostNetwork } from '../../../src/net/host-network.js';
import { decodeMessage } from '../../../src/wire/index.js';
import { encodeQuery } from './capture-writer.js';
import { dnstapFrame } from './dnstap-writer.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-live-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is handed on of frames that a server sends, and what it is complained of. */
async function handedOn(share: number, chunks: readonly Buffer[]) {
  const complaints: string[] = [];
  const live = new LiveQueries(share, (text) => complaints.push(text));
  const at = { path: path.join(folder, 'tap') };
  await live.listen(at);
  const connection = net.connect(at.path);
  const replies: Buffer[] = [];
  connection.on('data', (chunk: Buffer) => replies.push(chunk)).on('error', () => undefined);
  const closed = once(connection, 'close');
  for (const chunk of chunks) connection.write(chunk);
  await closed;
  live.close();
  const names: string[] = [];
  for await (const { bytes } of live) names.push(decodeMessage(bytes).question[0]!.name);
  return { names, complaints, lost: live.lost, replies: Buffer.concat(replies) };
}

const READY = controlFrame(Control.READY);
const START = controlFrame(Control.START);
const STOP = controlFrame(Control.STOP);
const NAMES = Array.from({ length: 10 }, (_, i) => `n${i}.example.`);
const FRAMES = NAMES.map((name) => dnstapFrame(5, encodeQuery(name, 'A')));

describe('the stream of a server', () => {
  it('is handed on, and answered as frame streams are', async () =>
    expect(await handedOn(1, [READY, START, ...FRAMES, STOP])).toEqual({
      names: NAMES,
      complaints: [],
      lost: 0,
      replies: Buffer.concat([controlFrame(Control.ACCEPT), controlFrame(Control.FINISH)]),
    }));
  it('is left when it is closed, whoever sends it still', async () => {
    const live = new LiveQueries(1, () => undefined);
    const at = { path: path.join(folder, 'tap') };
    await live.listen(at);
    const connection = net.connect(at.path).on('error', () => undefined);
    connection.write(READY);
    await once(connection, 'data');
    const closed = once(connection.resume(), 'close');
    live.close();
    await closed;
    expect(connection.destroyed).toBe(true);
  });
  it('is listened for where a socket was left behind', async () => {
    writeFileSync(path.join(folder, 'tap'), '');
    expect((await handedOn(1, [START, ...FRAMES, STOP])).names).toEqual(NAMES);
  });
  it('is listened for at a port, which is told', async () => {
    const live = new LiveQueries(1, () => undefined);
    const port = await live.listen({ host: '127.0.0.1', port: 0 });
    const connection = net.connect(port!, '127.0.0.1');
    await once(connection, 'connect');
    connection.destroy();
    live.close();
  });
  it('cannot be listened for where there is no folder', async () =>
    expect(new LiveQueries(1, () => undefined).listen({ path: path.join(folder, 'none', 'tap') })).rejects.toThrow(
      'listen E',
    ));
  it('is left out and counted where nobody takes it', async () => {
    const frames = Buffer.concat(Array.from({ length: 1000 }, () => FRAMES).flat());
    const { names, lost } = await handedOn(1, [START, frames, FRAMES[0]!, STOP]);
    expect([names.length, lost]).toEqual([10_000, 1]);
  });
  it('is handed on however it is cut', async () => {
    const all = Buffer.concat([READY, START, ...FRAMES, STOP]);
    const chunks = Array.from({ length: Math.ceil(all.length / 7) }, (_, i) => all.subarray(7 * i, 7 * i + 7));
    expect((await handedOn(1, chunks)).names).toEqual(NAMES);
  });
  it('is sampled evenly', async () =>
    expect((await handedOn(0.2, [READY, START, ...FRAMES, STOP])).names).toEqual(['n4.example.', 'n9.example.']));
  it('is given up where it is none', async () => {
    const { names, complaints } = await handedOn(1, [START, FRAMES[0]!, Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
    expect(names).toEqual(['n0.example.']);
    expect(complaints).toEqual([expect.stringMatching(/^dnstap: got a frame of \d+ bytes, allowed: at most 262144$/)]);
  });
});

it('what comes faster than it is taken is left out and counted', async () => {
  const queue = new AsyncQueue<number>(3);
  for (let i = 0; i < 5; i++) queue.push(i);
  queue.end();
  const taken: number[] = [];
  for await (const value of queue) taken.push(value);
  expect([taken, queue.lost]).toEqual([[0, 1, 2], 2]);
});

it('what comes is handed to who waits for it', async () => {
  const queue = new AsyncQueue<number>(3);
  const values = queue[Symbol.asyncIterator]();
  const first = values.next();
  queue.push(1);
  expect(await first).toEqual({ value: 1, done: false });
  const end = values.next();
  queue.end();
  expect(await end).toEqual({ value: undefined, done: true });
});

describe('what a server tells when it is asked over and over', () => {
  const page = (names: readonly string[], lost = 0, type = 'A'): TappedQueries => ({
    queries: names.map((name) => ({ name, type, proto: 'udp', do: false, bufsize: 0 })),
    lost,
  });
  /** What is handed on of a server that tells these pages, and then does `last`. */
  async function handedOnOf(pages: readonly TappedQueries[], last: (live: AdminQueries) => TappedQueries) {
    const at = { path: path.join(folder, 'admin') };
    const left = [...pages];
    const shares: (string | null)[] = [];
    const live = new AdminQueries({ at, timeout: 20_000 }, 0.5);
    const answer = ({ query }: { readonly query: URLSearchParams }) => {
      shares.push(query.get('share'));
      return jsonAnswer(left.shift() ?? last(live));
    };
    const around = { network: new HostNetwork(), clock: realClock };
    const endpoint = await AdminEndpoint.open({ at }, [{ path: '/queries', answer }], around);
    const failure = await live.run().then(
      () => undefined,
      (error: Error) => error.message,
    );
    endpoint.close();
    const names: string[] = [];
    for await (const { bytes } of live) names.push(decodeMessage(bytes).question[0]!.name);
    return { names, lost: live.lost, asked: shares, failure };
  }
  const gone = (): never => {
    throw new Error('it is gone');
  };

  it('is handed on until it fails, but for types that nobody knows', async () => {
    const { failure, ...told } = await handedOnOf(
      [page(['a.', 'b.'], 1), page(['x.'], 0, 'NOSUCH'), page(['c.'], 2)],
      gone,
    );
    expect(told).toEqual({ names: ['a.', 'b.', 'c.'], lost: 3, asked: ['0.5', '0.5', '0.5', '0.5'] });
    expect(failure).toMatch(/it is gone$/);
  });
  it('is asked no more, and not handed on, once it is closed', async () => {
    const close = (live: AdminQueries): TappedQueries => {
      live.close();
      return page(['b.']);
    };
    expect(await handedOnOf([page(['a.'])], close)).toMatchObject({ names: ['a.'], asked: ['0.5', '0.5'] });
  });
  it('is left out and counted where nobody takes it', async () => {
    const names = Array.from({ length: 10_001 }, (_, i) => `n${i}.`);
    const { names: taken, lost } = await handedOnOf([page(names, 2)], gone);
    expect([taken.length, lost]).toEqual([10_000, 3]);
  });
});
