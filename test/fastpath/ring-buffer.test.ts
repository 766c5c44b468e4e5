import { describe, expect, it } from 'vitest';
import { RingBuffer, type Datagrams } from '../../src/fastpath/ring-buffer.js';

const SENDER = Uint8Array.from({ length: 16 }, (_, i) => 200 + i);
const CONTROL = Uint8Array.from({ length: 32 }, (_, i) => 100 + i);
/** Octets that a datagram of 8 octets takes. */
const ONE = 96;

/** A batch whose second datagram is this one. */
function datagrams(text: string, control = new Uint8Array(0)): Datagrams {
  const behind = (octets: Uint8Array, size: number): Buffer => Buffer.concat([Buffer.alloc(size), octets]);
  const bytes = Buffer.from(text);
  return {
    size: 500,
    bytes: behind(bytes, 500),
    addresses: behind(SENDER, 28),
    controls: behind(control, 40),
    length: () => bytes.length,
    addressLength: () => SENDER.length,
    controlLength: () => control.length,
  };
}

function pair(capacity: number): { writer: RingBuffer; reader: RingBuffer; push: (text: string) => boolean } {
  const memory = RingBuffer.allocate(capacity);
  const writer = new RingBuffer(memory);
  return { writer, reader: new RingBuffer(memory), push: (text) => writer.push(text.length, datagrams(text), 1) };
}

const text = (ring: RingBuffer): string | undefined => ring.shift()?.bytes.toString();

describe('the ring', () => {
  it('gives datagrams with socket and sender in order, once they are shown', () => {
    const { writer, reader, push } = pair(1024);
    push('a');
    push('bc');
    expect(reader.shift()).toBeUndefined();
    writer.publish();
    expect(reader.shift()).toEqual({
      socket: 1,
      sender: Buffer.from(SENDER),
      control: undefined,
      bytes: Buffer.from('a'),
    });
    expect(reader.shift()).toEqual({
      socket: 2,
      sender: Buffer.from(SENDER),
      control: undefined,
      bytes: Buffer.from('bc'),
    });
    expect(reader.shift()).toBeUndefined();
  });

  it('gives the ancillary data of those that have some', () => {
    const { writer, reader } = pair(1024);
    writer.push(1, datagrams('a', CONTROL), 1);
    writer.push(1, datagrams('b'), 1);
    writer.publish();
    expect([reader.shift(), reader.shift()]).toMatchObject([
      { control: Buffer.from(CONTROL), bytes: Buffer.from('a') },
      { control: undefined, bytes: Buffer.from('b') },
    ]);
  });

  it('gives copies: what comes later does not change them', () => {
    const { writer, reader, push } = pair(128);
    push('12345678');
    writer.publish();
    const { bytes, sender } = reader.shift()!;
    for (const next of ['abcdefgh', 'ABCDEFGH']) {
      expect(push(next)).toBe(true);
      writer.publish();
      reader.shift();
    }
    expect(bytes.toString()).toBe('12345678');
    expect(sender).toEqual(Buffer.from(SENDER));
  });

  it('refuses what there is no room for, and takes it when there is', () => {
    const { writer, reader, push } = pair(256);
    expect([push('12345678'), push('abcdefgh'), push('ABCDEFGH')]).toEqual([true, true, false]);
    writer.publish();
    expect(text(reader)).toBe('12345678');
    // 64 octets are left at the end, which is too few: the next starts at the front.
    expect(push('ABCDEFGH')).toBe(true);
    expect(push('x')).toBe(false);
    writer.publish();
    expect([text(reader), text(reader), text(reader)]).toEqual(['abcdefgh', 'ABCDEFGH', undefined]);
  });

  it('can be filled to the last octet', () => {
    const { writer, reader, push } = pair(128);
    const exact = 'x'.repeat(128 - 84);
    for (let i = 0; i < 3; i++) {
      expect(push(exact)).toBe(true);
      expect(push('')).toBe(false);
      writer.publish();
      expect(text(reader)).toBe(exact);
    }
  });

  it('keeps order over many turns, with lengths that leave all kinds of rests, and counters that run over', () => {
    const { writer, reader, push } = pair(512);
    // Both counters shortly before they overflow, as after four thousand million octets; a multiple of the capacity.
    new Int32Array(writer.memory).set([-1024, -1024], 0);
    new Int32Array(writer.memory)[16] = -1024;
    const sent: string[] = [];
    const got: string[] = [];
    for (let i = 0; got.length < 500; i++) {
      const next = `${i}:${'y'.repeat((i * 7) % 150)}`;
      if (sent.length < 500 && push(next)) sent.push(next);
      if (i % 3 === 0) {
        writer.publish();
        for (let one = text(reader); one !== undefined; one = text(reader)) got.push(one);
      }
    }
    expect(got).toEqual(sent);
  });

  it('goes on where a writer that ended stopped', () => {
    const { writer, reader, push } = pair(512);
    push('shown');
    writer.publish();
    push('not shown');
    const heir = new RingBuffer(writer.memory);
    heir.push(1, datagrams('new'), 1);
    heir.publish();
    expect([text(reader), text(reader), text(reader), text(reader)]).toEqual(['shown', 'not shown', 'new', undefined]);
  });

  it('knows what has been taken', () => {
    const { writer, reader, push } = pair(512);
    const before = reader.mark;
    push('a');
    writer.publish();
    const mark = reader.mark;
    push('b');
    writer.publish();
    expect([reader.hasPassed(before), reader.hasPassed(mark)]).toEqual([true, false]);
    reader.shift();
    expect([reader.hasPassed(mark), reader.hasPassed(reader.mark)]).toEqual([true, false]);
  });
});

describe('waiting', () => {
  it('ends at once when there is something', async () => {
    const { writer, reader, push } = pair(512);
    push('a');
    writer.publish();
    await reader.readable();
    expect(text(reader)).toBe('a');
  });

  it('ends when something is shown', async () => {
    const { writer, reader, push } = pair(512);
    let woken = false;
    const waiting = reader.readable().then(() => (woken = true));
    push('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    writer.publish();
    await waiting;
    expect(text(reader)).toBe('a');
  });

  it('ends for the end', async () => {
    const { reader } = pair(512);
    const waiting = reader.readable();
    reader.wake();
    await waiting;
    expect(reader.shift()).toBeUndefined();
  });

  it('for room is over when room was made between the attempt and the wait', () => {
    const { writer, reader, push } = pair(ONE + 32);
    push('12345678');
    writer.publish();
    expect(push('abcdefgh')).toBe(false);
    reader.shift();
    reader.release();
    const before = performance.now();
    writer.waitForRoom(10_000);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(push('abcdefgh')).toBe(true);
  });
});
