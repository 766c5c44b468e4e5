import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AsyncQueue } from '../../../src/insight/compare/async-queue.js';
import { Control, controlFrame } from '../../../src/insight/compare/dnstap.js';
import { LiveQueries } from '../../../src/insight/compare/live-queries.js';
import { decodeMessage } from '../../../src/wire/index.js';
import { encodeQuery } from './capture-writer.js';
import { dnstapFrame } from './dnstap-writer.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-live-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is handed on of frames that a server sends, and what it is complained of. */
async function handedOn(share: number, chunks: readonly Buffer[]): Promise<{ names: string[]; complaints: string[] }> {
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
  return { names, complaints };
}

const READY = controlFrame(Control.READY);
const START = controlFrame(Control.START);
const STOP = controlFrame(Control.STOP);
const NAMES = Array.from({ length: 10 }, (_, i) => `n${i}.example.`);
const FRAMES = NAMES.map((name) => dnstapFrame(5, encodeQuery(name, 'A')));

describe('the stream of a server', () => {
  it('is handed on', async () =>
    expect(await handedOn(1, [READY, START, ...FRAMES, STOP])).toEqual({ names: NAMES, complaints: [] }));
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
