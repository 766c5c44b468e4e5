import { describe, expect, it } from 'vitest';
import { HitNotes } from '../../src/fastpath/hit-notes.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { query, type QuestionOptions } from '../support/dns.js';

interface Sent {
  readonly from: { address: string; port: number };
  readonly options?: QuestionOptions;
  readonly slot?: number;
}

/** Notes a query, as a thread does; false where there is no room. */
function push(notes: HitNotes, { from, options = {}, slot = 3 }: Sent): boolean {
  const { bytes, questionEnd, hasEdns } = query('www.example.org.', 'A', options);
  const sockaddr = encodeSockaddr(from);
  const words = new Int32Array(16);
  new Uint8Array(words.buffer, 8).set(sockaddr);
  const message = Buffer.concat([Buffer.alloc(5), bytes]);
  return notes.push(slot, 8, message, 5, bytes.length, hasEdns ? questionEnd : 0, words, 2, sockaddr.length);
}

function taken(notes: HitNotes): object[] {
  const all: object[] = [];
  notes.take((note) => all.push({ ...note, remote: { ...note.remote } }));
  return all;
}

const V4 = { address: '192.0.2.9', port: 40212 };

describe('a note', () => {
  it.each([
    {
      name: 'of a plain query',
      sent: { from: V4, options: { id: 77 } },
      note: { id: 77, queryFlags: 0x0100, size: 33 },
    },
    {
      name: 'with the highest id, without RD, with CD',
      sent: { from: V4, options: { id: 0xffff, rd: false, cd: true } },
      note: { id: 0xffff, queryFlags: 0x0010, size: 33 },
    },
    {
      name: 'with an OPT record',
      sent: { from: V4, options: { id: 1, edns: 65_535 } },
      note: { id: 1, size: 44, maxSize: 65_535 },
    },
    { name: 'with a small payload size', sent: { from: V4, options: { id: 1, edns: 12 } }, note: { maxSize: 512 } },
    {
      name: 'from IPv6',
      sent: { from: { address: '2001:db8::5', port: 53 } },
      note: { remote: { address: '2001:db8::5', port: 53 } },
    },
    {
      name: 'from IPv4 at a socket of both families',
      sent: { from: { address: '::ffff:192.0.2.7', port: 65_535 } },
      note: { remote: { address: '192.0.2.7', port: 65_535 } },
    },
  ])('says who asked and how: $name', ({ sent, note }) => {
    const notes = new HitNotes(HitNotes.allocate(4));
    push(notes, sent);
    notes.publish(0.25);
    expect(taken(notes)).toEqual([
      expect.objectContaining({ slot: 3, sequence: 8, elapsed: 0.25, remote: sent.from, ...note }),
    ]);
  });

  it('is seen when it is shown, in order, around the end and beyond the largest number', () => {
    const memory = HitNotes.allocate(4);
    const words = new Int32Array(memory);
    // Counters of a thread that has made nearly 2^31 notes.
    words[0] = words[16] = 2 ** 31 - 3;
    const [writer, reader] = [new HitNotes(memory), new HitNotes(memory)];
    for (let round = 0; round < 3; round++) {
      for (const slot of [1, 2, 3]) expect(push(writer, { from: { ...V4, port: round + 1 }, slot })).toBe(true);
      expect(taken(reader)).toEqual([]);
      writer.publish(round);
      expect(taken(reader)).toEqual([1, 2, 3].map((slot) => expect.objectContaining({ slot, elapsed: round })));
    }
  });

  it('is refused where there is no room, until some are taken', () => {
    const notes = new HitNotes(HitNotes.allocate(2));
    expect([1, 2, 3].map((slot) => push(notes, { from: V4, slot }))).toEqual([true, true, false]);
    notes.publish(0);
    expect(taken(notes)).toHaveLength(2);
    expect(push(notes, { from: V4 })).toBe(true);
  });

  it('tells clients apart whose addresses are kept as text, however many there are', () => {
    const notes = new HitNotes(HitNotes.allocate(8));
    const addresses = Array.from({ length: 2000 }, (_, i) =>
      i % 3 === 0 ? `2001:db8::${(i + 1).toString(16)}` : `10.${i % 7}.${i >> 8}.${i & 255}`,
    );
    for (const address of [...addresses, ...addresses]) {
      push(notes, { from: { address, port: 1000 } });
      notes.publish(0);
      expect(taken(notes)).toEqual([expect.objectContaining({ remote: { address, port: 1000 } })]);
    }
  });
});

describe('who reads notes', () => {
  it('is woken by the first that is shown', async () => {
    const notes = new HitNotes(HitNotes.allocate(2));
    let woken = false;
    const reading = notes.readable().then(() => (woken = true));
    push(notes, { from: V4 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    notes.publish(0);
    await reading;
  });

  it.each([
    { name: 'there are some already', before: (notes: HitNotes) => (push(notes, { from: V4 }), notes.publish(0)) },
    { name: 'it is told to look', after: (notes: HitNotes) => notes.wake() },
  ])('waits no longer where $name', async ({ before, after }) => {
    const notes = new HitNotes(HitNotes.allocate(2));
    before?.(notes);
    const reading = notes.readable();
    after?.(notes);
    await reading;
  });
});
