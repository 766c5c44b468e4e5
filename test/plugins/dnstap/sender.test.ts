import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { dataFrame } from '../../../src/plugins/dnstap/frame-stream.js';
import { TapReaders } from '../../../src/plugins/dnstap/readers.js';
import { TapSender } from '../../../src/plugins/dnstap/sender.js';
import { TestLog } from '../../support/block.js';
import { duplexPair } from '../../support/duplex-pair.js';

const turn = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
};
/** A control frame: type, and the content type where there is one. */
const control = (type: number, content = ''): Buffer => {
  const field = Buffer.alloc(content === '' ? 0 : 8);
  if (content !== '') {
    field.writeUInt32BE(1, 0);
    field.writeUInt32BE(content.length, 4);
  }
  const head = Buffer.alloc(12);
  head.writeUInt32BE(4 + field.length + content.length, 4);
  head.writeUInt32BE(type, 8);
  return Buffer.concat([head, field, Buffer.from(content)]);
};
const TYPE = 'protobuf:dnstap.Dnstap';
const [ACCEPT, START, STOP, READY] = [1, 2, 3, 4];

interface World {
  readonly clock: ManualClock;
  readonly log: TestLog;
  readonly sender: TapSender;
  readonly readers: Duplex[];
  readonly got: Buffer[][];
  readonly dropped: () => number;
}

/** @param reads whether readers take what they are sent */
function world(most = 100, reads = true, refuses = false): World {
  const clock = new ManualClock();
  const log = new TestLog();
  const readers: Duplex[] = [];
  const got: Buffer[][] = [];
  let dropped = 0;
  const sender = new TapSender({
    clock,
    log,
    most,
    dropped: (count) => (dropped += count),
    dial: () => {
      if (refuses) return Promise.reject(new Error('connect ECONNREFUSED'));
      const [own, theirs] = duplexPair();
      const chunks: Buffer[] = [];
      if (reads) theirs.on('data', (chunk: Buffer) => chunks.push(chunk));
      theirs.on('error', () => undefined);
      readers.push(theirs);
      got.push(chunks);
      return Promise.resolve(own);
    },
  });
  sender.start();
  return { clock, log, sender, readers, got, dropped: () => dropped };
}
const frame = (text: string): Buffer => dataFrame(Buffer.from(text));

describe('frames to a reader', () => {
  it('begin when the reader has accepted their type, and end with a stop', async () => {
    const { sender, readers, got, clock } = world();
    sender.send(frame('one'));
    await turn();
    clock.advance(100);
    await turn();
    expect(Buffer.concat(got[0]!)).toEqual(control(READY, TYPE));
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    sender.send(frame('two'));
    const stopped = sender.stop();
    await turn();
    readers[0]!.end();
    await stopped;
    expect(Buffer.concat(got[0]!)).toEqual(
      Buffer.concat([control(READY, TYPE), control(START, TYPE), frame('one'), frame('two'), control(STOP)]),
    );
  });

  it('wait for a tenth of a second, or for 64 kB', async () => {
    const { sender, readers, got, clock } = world();
    await turn();
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    const before = Buffer.concat(got[0]!).length;
    sender.send(frame('small'));
    await turn();
    expect(Buffer.concat(got[0]!)).toHaveLength(before);
    clock.advance(100);
    await turn();
    expect(Buffer.concat(got[0]!)).toHaveLength(before + 9);
    sender.send(frame('x'.repeat(64 << 10)));
    await turn();
    const after = Buffer.concat(got[0]!).length;
    expect(after).toBeGreaterThan(before + (64 << 10));
    // From then on they wait again.
    sender.send(frame('small'));
    await turn();
    expect(Buffer.concat(got[0]!)).toHaveLength(after);
    await Promise.all([sender.stop(), turn().then(() => readers[0]!.end())]);
    expect(clock.pending).toBe(0);
  });

  it('go by 64 kB at a time', async () => {
    const { sender, readers, got } = world();
    for (let i = 0; i < 3; i++) sender.send(frame('x'.repeat((32 << 10) - 4)));
    await turn();
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    expect(got[0]!.slice(-2).map(({ length }) => length)).toEqual([64 << 10, 32 << 10]);
  });

  it('wait for the next ones up to 64 kB in all', async () => {
    const { sender, readers, got } = world();
    await turn();
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    const before = Buffer.concat(got[0]!).length;
    sender.send(frame('x'.repeat((64 << 10) - 4 - 10)));
    sender.send(frame('x'.repeat(5)));
    await turn();
    expect(Buffer.concat(got[0]!)).toHaveLength(before);
    sender.send(frame(''));
    await turn();
    expect(Buffer.concat(got[0]!).length).toBe(before + (64 << 10) + 3);
  });

  it.each([
    { name: 'takes another type', answer: control(ACCEPT, 'x'), error: `the reader does not take ${TYPE}` },
    {
      name: 'speaks something else',
      answer: Buffer.from('HTTP/1.1 200 OK'),
      error: 'the reader speaks no frame streams',
    },
    {
      name: 'sends a head without an end',
      answer: Buffer.from([0, 0, 0, 0, 255, 0, 0, 0]),
      error: 'the reader speaks no',
    },
  ])('do not begin for one that $name', async ({ answer, error }) => {
    const { readers, log } = world();
    await turn();
    readers[0]!.write(answer);
    await turn();
    expect(log.lines.at(-1)).toContain(`no connection to the reader: ${error}`);
    expect(readers[0]!.destroyed).toBe(true);
  });

  it('that nobody takes are kept as far as there is room, and counted and reported beyond', async () => {
    const { sender, clock, dropped, log } = world(10, true, true);
    for (let i = 0; i < 25; i++) sender.send(frame('x'));
    expect(dropped()).toBe(15);
    await turn();
    clock.advance(10_000);
    clock.advance(10_000);
    expect(log.lines.filter((line) => line.includes('Dropped'))).toEqual(['[WARNING] Dropped dnstap messages: 15']);
  });

  it('are not sent on to a reader that has stopped reading: no more than the room that there is', async () => {
    const { sender, readers, dropped } = world(1000, false);
    await turn();
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    for (let i = 0; i < 5000; i++) sender.send(frame('x'.repeat(200)));
    await turn();
    expect(dropped()).toBeGreaterThan(3000);
    readers[0]!.resume();
    await turn();
    const before = dropped();
    sender.send(frame('x'));
    expect(dropped()).toBe(before);
  });

  it('find a reader that comes back', async () => {
    const { sender, readers, got, clock } = world();
    await turn();
    readers[0]!.destroy();
    await turn();
    sender.send(frame('kept'));
    clock.advance(10_000);
    await turn();
    readers[1]!.write(control(ACCEPT, TYPE));
    await turn();
    expect(Buffer.concat(got[1]!).toString()).toContain('kept');
  });

  it('end after a second where the reader does not', async () => {
    const { sender, readers, clock } = world();
    await turn();
    readers[0]!.write(control(ACCEPT, TYPE));
    await turn();
    const stopped = sender.stop();
    clock.advance(1000);
    await stopped;
    expect(clock.pending).toBe(0);
  });

  it('are not waited for by one that never answers', async () => {
    const { readers, clock, log } = world();
    await turn();
    clock.advance(4000);
    await turn();
    expect(readers[0]!.destroyed).toBe(true);
    expect(log.lines.at(-1)).toContain('it does not answer');
  });
});

describe('readers that come by themselves', () => {
  it('get what is seen while they are there, and are closed where they are too slow', async () => {
    let dropped = 0;
    const readers = new TapReaders((count) => (dropped += count));
    const [ownQuick, quick] = duplexPair();
    const [ownSlow, slow] = duplexPair();
    const got: Buffer[] = [];
    quick.on('data', (chunk: Buffer) => got.push(chunk));
    for (const [own, theirs] of [
      [ownQuick, quick],
      [ownSlow, slow],
    ] as const) {
      readers.accept(own);
      theirs.write(control(ACCEPT, TYPE));
    }
    await turn();
    for (let i = 0; i < 200; i++) {
      readers.send(frame('x'.repeat(10_000)));
      await turn();
    }
    expect([dropped, readers.size, slow.destroyed, quick.destroyed]).toEqual([1, 1, true, false]);
    expect(Buffer.concat(got).length).toBeGreaterThan(2_000_000);
    readers.stop();
    await turn();
    expect(Buffer.concat(got).subarray(-12)).toEqual(control(STOP));
  });
});
