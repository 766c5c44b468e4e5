import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedNow } from '../../src/fastpath/shared-clock.js';
import { CONTROL_SIZE, MIN_SETS, SET_SIZE, SLAB, SLAB_END } from '../../src/fastpath/table-layout.js';
import { ThreadMemory } from '../../src/fastpath/table-memory.js';
import { AnswerTableWriter, type SharedEntry } from '../../src/fastpath/table-writer.js';
import { AnswerTable } from '../../src/fastpath/table.js';
import type { Query } from '../../src/chain/index.js';
import { compiledProgram } from '../support/compiled.js';
import { query } from '../support/dns.js';
import { entryFor, keyOf, table } from '../support/shared-answer.js';

const ignore = (): void => undefined;
const www = query('www.example.org.');

function find(answers: AnswerTableWriter, asked: Query, now = 0, server = 0): number {
  return answers.find(keyOf(asked, false, [0, 0], server), now);
}

/** The answer as it would be sent, without id and flags. */
function copied(answers: AnswerTableWriter, slot: number, asked = www, now = 0): Buffer {
  const target = Buffer.alloc(1024, 0xee);
  const length = answers.copy(slot, target, 0, asked.bytes, 12, asked.questionEnd, now);
  return target.subarray(4, length);
}

const records = (answers: AnswerTableWriter, slot: number, asked = www, now = 0): Buffer =>
  copied(answers, slot, asked, now).subarray(asked.questionEnd - 4);

describe('memory', () => {
  it.each([0, -1, NaN])('is refused for %d bytes', (limit) => {
    expect(() => new ThreadMemory(limit)).toThrow(`answer table: expected a number of bytes above 0, got ${limit}`);
  });

  it.each([
    { name: 'all of an entry', key: 24, length: 424 - 32, ttls: 16, owners: 0, fits: true },
    { name: 'one byte more', key: 24, length: 425 - 32, ttls: 16, owners: 0, fits: false },
    { name: 'a key and its padding', key: 17, length: 424 - 32, ttls: 16, owners: 0, fits: true },
    { name: 'owners', key: 24, length: 424 - 64, ttls: 16, owners: 16, fits: true },
    { name: 'more TTLs than there is room for', key: 16, length: 100, ttls: 17, owners: 0, fits: false },
    { name: 'more owners than there is room for', key: 16, length: 100, ttls: 1, owners: 17, fits: false },
  ])('of an entry: $name', ({ key, length, ttls, owners, fits }) => {
    expect(AnswerTable.fits(key, length, ttls, owners)).toBe(fits);
  });
});

describe('keeping', () => {
  it('finds what was put, for its server only', () => {
    const answers = table();
    const slot = answers.put(entryFor(www, { server: 3 }), 0, ignore);
    expect(find(answers, www, 0, 3)).toBe(slot);
    expect(find(answers, www, 0, 2)).toBe(-1);
    expect(find(answers, query('www.example.net.'), 0, 3)).toBe(-1);
    expect(find(answers, query('www.example.org.', 'AAAA'), 0, 3)).toBe(-1);
  });

  it('tells names with the same hash apart', () => {
    const answers = table();
    const hash = 4711;
    answers.put(entryFor(www, { hash }), 0, ignore);
    const other = query('xyz.example.org.');
    expect(answers.find(keyOf(other, false, [0, 0], 0, hash), 0)).toBe(-1);
    answers.put(entryFor(other, { hash, records: Buffer.from('xyz'), ttls: [] }), 0, ignore);
    const found = [www, other].map((asked) => answers.find(keyOf(asked, false, [0, 0], 0, hash), 0));
    expect(records(answers, found[0]!)).toEqual(Buffer.alloc(16, 7));
    expect(records(answers, found[1]!, other).toString()).toBe('xyz');
  });

  it('writes counts, question and records', () => {
    const answers = table();
    const slot = answers.put(
      entryFor(www, {
        answers: 0x102,
        authorities: 0x203,
        additionals: 0x304,
        records: Buffer.from('records'),
        ttls: [],
      }),
      0,
      ignore,
    );
    const asked = query('WWW.example.org.');
    expect(copied(answers, slot, asked)).toEqual(
      Buffer.concat([
        Buffer.from([0, 1, 1, 2, 2, 3, 3, 4]),
        asked.bytes.subarray(12, asked.questionEnd),
        Buffer.from('records'),
      ]),
    );
  });

  it('keeps the longest answer whole, beside its neighbours', () => {
    const answers = table();
    const questions = Array.from({ length: 8 }, (_, i) => query(`n${i}.example.org.`));
    const entries = questions.map((asked, i) => {
      const size = 512 - 64 - keyOf(asked).length;
      return entryFor(asked, { hash: 16, records: Buffer.alloc(size, i + 1), ttls: [] });
    });
    const slots = entries.map((entry) => answers.put(entry, 0, ignore));
    expect(new Set(slots).size).toBe(8);
    slots.forEach((slot, i) => expect(records(answers, slot, questions[i])).toEqual(entries[i]!.records));
  });

  it('puts an answer to the same question in its place, and says so', () => {
    const answers = table();
    const first = answers.put(entryFor(www), 0, ignore);
    const evicted: number[] = [];
    expect(
      answers.put(entryFor(www, { records: Buffer.from('another'), ttls: [] }), 0, (slot) => evicted.push(slot)),
    ).toBe(first);
    expect(evicted).toEqual([first]);
    expect(records(answers, first).toString()).toBe('another');
  });

  it('forgets what is cleared', () => {
    const answers = table();
    const slot = answers.put(entryFor(www), 0, ignore);
    const sequence = answers.sequence(slot);
    answers.clear(slot);
    expect(find(answers, www)).toBe(-1);
    expect(answers.unchanged(slot, sequence)).toBe(false);
  });
});

describe('time', () => {
  it('ends an answer at the moment it says', () => {
    const answers = table();
    const slot = answers.put(entryFor(www, { until: 1000 }), 0, ignore);
    expect([find(answers, www, 999.9), find(answers, www, 1000)]).toEqual([slot, -1]);
  });

  it.each([
    { name: 'as stored', now: 5000, ttl: 30 },
    { name: 'within the first second', now: 5999, ttl: 30 },
    { name: 'after a second', now: 6000, ttl: 29 },
    { name: 'in the last second', now: 34_500, ttl: 1 },
    { name: 'for a query from before it was stored', now: 4990, ttl: 30 },
  ])('counts TTLs down: $name', ({ now, ttl }) => {
    const answers = table();
    const slot = answers.put(entryFor(www, { ttl: 30, stored: 5000, ttls: [2, 10] }), 5000, ignore);
    const got = records(answers, slot, www, now);
    expect([got.readUInt32BE(2), got.readUInt32BE(10)]).toEqual([ttl, ttl]);
    expect(got[6]).toBe(7);
  });

  it('leaves TTLs as they are where they do not count down, and writes those above 2^24', () => {
    const answers = table();
    expect(records(answers, answers.put(entryFor(www), 0, ignore), www, 1e6)).toEqual(Buffer.alloc(16, 7));
    const slot = answers.put(entryFor(www, { ttl: 0x7fffffff, stored: 0 }), 0, ignore);
    expect(records(answers, slot, www, 500).readUInt32BE(6)).toBe(0x7fffffff);
  });

  it('is shared', () => {
    expect(Math.abs(sharedNow() - Number(process.hrtime.bigint()) / 1e6)).toBeLessThan(50);
  });
});

describe('a full table', () => {
  /** As many answers of the smallest size as one slab has, and two more. */
  const COUNT = (SLAB - SLAB_END) / 128;
  const small = { records: Buffer.from('r'), ttls: [] };
  const names = Array.from({ length: COUNT }, (_, i) => query(`n${i}.`));
  const newcomer = query('new.');
  const full = (
    change: (i: number) => Partial<SharedEntry> = () => ({}),
  ): { answers: AnswerTableWriter; slots: number[] } => {
    const answers = table();
    return {
      answers,
      slots: names.map((asked, i) => answers.put(entryFor(asked, { ...small, ...change(i) }), 0, ignore)),
    };
  };

  it('has a place for each answer', () => {
    const { answers, slots } = full();
    expect([new Set(slots).size, slots.includes(-1), answers.size]).toEqual([COUNT, false, COUNT]);
    expect(names.map((asked) => find(answers, asked))).toEqual(slots);
  });

  it('gives up the least asked of some', () => {
    const { answers, slots } = full();
    slots.forEach((slot, i) => {
      for (let n = 0; n < (i === 5 ? 1 : 2 + (i % 3)); n++) answers.count(slot, n % 2 === 0);
    });
    const evicted: number[] = [];
    expect(answers.put(entryFor(newcomer, small), 0, (slot) => evicted.push(slot))).toBe(slots[5]);
    expect([evicted, answers.size, find(answers, names[5]!)]).toEqual([[slots[5]], COUNT, -1]);
    expect(find(answers, newcomer)).toBe(slots[5]);
  });

  it('gives up what has ended before anything else', () => {
    const { answers, slots } = full((i) => (i === 3 ? { until: 100 } : {}));
    for (let n = 0; n < 5; n++) answers.count(slots[3]!, false);
    expect(answers.put(entryFor(newcomer, small), 100, ignore)).toBe(slots[3]);
  });

  it('fills what was cleared', () => {
    const { answers, slots } = full();
    answers.clear(slots[6]!);
    const evicted: number[] = [];
    expect(answers.put(entryFor(newcomer, small), 0, (slot) => evicted.push(slot))).toBe(slots[6]);
    expect(evicted).toEqual([]);
  });

  it('keeps no answer for which it has no place of that size', () => {
    const { answers } = full();
    expect(answers.put(entryFor(newcomer, { records: Buffer.alloc(300), ttls: [] }), 0, ignore)).toBe(-1);
    expect(find(answers, names[0]!)).not.toBe(-1);
  });

  it('takes a larger place where none of the size is left', () => {
    const answers = table();
    const large = answers.put(entryFor(www, { records: Buffer.alloc(300), ttls: [] }), 0, ignore);
    expect(answers.put(entryFor(newcomer, small), 0, ignore)).toBeGreaterThan(large);
  });
});

describe('the index', () => {
  const many = Array.from({ length: 3 * MIN_SETS * 16 }, (_, i) => query(`n${i}.`));

  it('grows while it is filled, and loses nothing', () => {
    const answers = table(64);
    const slots = many.map((asked) => answers.put(entryFor(asked), 0, ignore));
    expect(answers.size).toBe(many.length);
    expect(many.map((asked) => find(answers, asked))).toEqual(slots);
    for (const slot of slots.filter((_, i) => i % 2 === 0)) answers.clear(slot);
    expect(many.map((asked) => find(answers, asked))).toEqual(slots.map((slot, i) => (i % 2 === 0 ? -1 : slot)));
    expect(answers.size).toBe(many.length / 2);
  });

  it('is seen by readers that were there before', () => {
    const answers = table(64);
    const reader = new AnswerTable(answers.memory);
    const slots = many.map((asked) => answers.put(entryFor(asked), 0, ignore));
    expect(many.map((asked) => reader.find(keyOf(asked), 0))).toEqual(slots);
  });

  it('takes no memory any more where it was before it grew', () => {
    const released: number[] = [];
    const release = (bytes: Uint8Array): void => {
      released.push(bytes.byteOffset, bytes.length);
      bytes.fill(0);
    };
    const answers = new AnswerTableWriter(new ThreadMemory(64 * SLAB, [0, 0], { release, useLargePages: ignore }));
    const slots = many.map((asked) => answers.put(entryFor(asked), 0, ignore));
    const size = MIN_SETS * SET_SIZE;
    expect(released.slice(0, 4)).toEqual([CONTROL_SIZE + size, size, CONTROL_SIZE + 2 * size, 2 * size]);
    expect(many.map((asked) => find(answers, asked))).toEqual(slots);
  });

  it('and the pool are in large pages where they are large', () => {
    const asked: number[][] = [];
    const useLargePages = ({ byteOffset, length }: Uint8Array): number => asked.push([byteOffset, length]);
    const large = 8 << 20;
    const memory = new ThreadMemory(2 * large, [0, 0], { release: ignore, useLargePages });
    expect(asked).toEqual([[memory.pool + large, large]]);
    const sets = large / SET_SIZE;
    expect([sets / 2, sets].map((count) => memory.makeIndex(count))).toEqual([true, false]);
    const larger = new ThreadMemory(8 * large, [0, 0], { release: ignore, useLargePages });
    expect([sets / 2, sets].map((count) => larger.makeIndex(count))).toEqual([true, true]);
    expect(asked.slice(2)).toEqual([[CONTROL_SIZE + large, large]]);
  });

  it('lets the least asked of a set go that cannot grow any more', () => {
    const answers = table();
    const same = Array.from({ length: 17 }, (_, i) => query(`n${i}.`));
    const hash = (i: number): number => 512 * (i + 1);
    const slots = same.slice(0, 16).map((asked, i) => answers.put(entryFor(asked, { hash: hash(i) }), 0, ignore));
    slots.forEach((slot, i) => {
      if (i !== 4) answers.count(slot, false);
    });
    const evicted: number[] = [];
    answers.put(entryFor(same[16]!, { hash: hash(16) }), 0, (slot) => evicted.push(slot));
    expect(evicted).toEqual([slots[4]]);
    const found = same.map((asked, i) => answers.find(keyOf(asked, false, [0, 0], 0, hash(i)), 0) >= 0);
    expect(found.map((there, i) => (there ? [] : i)).flat()).toEqual([4]);
  });
});

describe('spellings', () => {
  const respelt = query('wWW.exAMPLE.org.');

  it('other than lower case find what is right for every one only', () => {
    const answers = table();
    answers.put(entryFor(www), 0, ignore);
    expect(find(answers, respelt)).toBe(-1);
    const slot = answers.put(entryFor(www, { everySpelling: true }), 0, ignore);
    expect([find(answers, respelt), find(answers, www)]).toEqual([slot, slot]);
  });

  it('are taken over by owners that are the same name', () => {
    const answers = table();
    const name = www.bytes.subarray(12, www.questionEnd - 4);
    const plain = Buffer.concat([Buffer.from('<'), name, Buffer.from('>'), name]);
    const owners = [1, name.length + 2];
    const slot = answers.put(entryFor(www, { records: plain, ttls: [], owners, everySpelling: true }), 0, ignore);
    const target = Buffer.alloc(512);
    const length = answers.copy(slot, target, 0, respelt.bytes, 12, respelt.questionEnd, 0, true);
    const spelt = respelt.bytes.subarray(12, respelt.questionEnd - 4);
    expect(target.subarray(respelt.questionEnd, length)).toEqual(
      Buffer.concat([Buffer.from('<'), spelt, Buffer.from('>'), spelt]),
    );
    expect(records(answers, slot)).toEqual(plain);
  });
});

describe('hits', () => {
  it('are taken once, apart for queries with an OPT record', () => {
    const answers = table();
    const slot = answers.put(entryFor(www), 0, ignore);
    [false, false, true].forEach((edns) => answers.count(slot, edns));
    expect(answers.takeHits(slot)).toEqual({ plain: 2, edns: 1 });
    expect(answers.takeHits(slot)).toEqual({ plain: 0, edns: 0 });
  });

  it('are not lost when an answer takes the place of another while they are counted', () => {
    const answers = table();
    const slot = answers.put(entryFor(www), 0, ignore);
    let taken = 0;
    answers.put(entryFor(www), 0, () => {
      taken += answers.takeHits(slot).plain;
      answers.count(slot, false);
    });
    expect(taken + answers.takeHits(slot).plain).toBe(1);
  });
});

describe('rotation', () => {
  const rotating = entryFor(www, {
    records: Buffer.from('<aabbcc>'),
    ttls: [],
    rotation: { start: 1, size: 2, count: 3 },
  });

  it('starts with another record each time, also when hits are taken between', () => {
    const answers = table();
    const slot = answers.put(rotating, 0, ignore);
    const got = Array.from({ length: 4 }, () => {
      answers.count(slot, false);
      answers.takeHits(slot);
      return records(answers, slot).toString();
    });
    expect([...new Set(got)].sort()).toEqual(['<aabbcc>', '<bbccaa>', '<ccaabb>']);
    expect(got[3]).toBe(got[0]);
  });

  it('does not touch the number of additional records', () => {
    const answers = table();
    const slot = answers.put({ ...rotating, additionals: 5 }, 0, ignore);
    expect(copied(answers, slot).readUInt16BE(6)).toBe(5);
  });

  it('ends with an answer that has none in the same place', () => {
    const answers = table();
    answers.put(rotating, 0, ignore);
    const slot = answers.put({ ...rotating, rotation: undefined }, 0, ignore);
    expect([records(answers, slot).toString(), records(answers, slot).toString()]).toEqual(['<aabbcc>', '<aabbcc>']);
  });
});

/** An answer made of one octet in all its parts, 8 times as long. */
const uniform = (octet: number, asked = www): SharedEntry =>
  entryFor(asked, {
    hash: 8,
    flags: 0x8500 | octet,
    answers: octet,
    authorities: octet,
    additionals: octet,
    records: Buffer.alloc(8 * octet, octet),
    ttls: [],
  });

describe('a reader', () => {
  it('never takes a mixed answer for whole, whatever the writer does between its steps', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ put: fc.integer({ min: 1, max: 40 }), at: fc.integer({ min: 0, max: 3 }) }) },
      fc.constant({ put: 0, at: 0 }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 5, maxLength: 5 }),
        (steps, pauses) => {
          const answers = table();
          const questions = Array.from({ length: 4 }, (_, i) => query(`n${i}.example.org.`));
          answers.put(uniform(1, questions[0]), 0, ignore);
          let done = 0;
          const write = (pause: number): void => {
            for (const { put, at } of steps.slice(done, done + pause)) {
              const there = answers.find(keyOf(questions[at]!, false, [0, 0], 0, 8), 0);
              if (put > 0) answers.put(uniform(put, questions[at]), 0, ignore);
              else if (there >= 0) answers.clear(there);
            }
            done += pause;
          };
          const key = keyOf(questions[0]!, false, [0, 0], 0, 8);
          const look = (): number => answers.find(key, 0);
          write(pauses[0]!);
          const slot = look();
          write(pauses[1]!);
          if (slot < 0) return;
          const sequence = answers.sequence(slot);
          write(pauses[2]!);
          if ((sequence & 1) !== 0 || look() !== slot) return;
          write(pauses[3]!);
          const flags = answers.flags(slot);
          write(pauses[4]!);
          const got = copied(answers, slot, questions[0]);
          if (!answers.unchanged(slot, sequence)) return;
          const octet = flags & 0xff;
          expect(got.subarray(questions[0]!.questionEnd - 4)).toEqual(Buffer.alloc(8 * octet, octet));
          expect([got[3], got[5], got[7]]).toEqual([octet, octet, octet]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds the counter odd while an answer is written', () => {
    const answers = table();
    const slot = answers.put(entryFor(www), 0, ignore);
    let during = 0;
    answers.put(entryFor(www), 0, () => (during = answers.sequence(slot)));
    expect([during & 1, answers.sequence(slot) & 1]).toEqual([1, 0]);
  });

  it('in another thread never sees a mixed answer', async () => {
    const answers = table(8);
    const { words, length } = keyOf(www);
    const key = words.buffer.slice(0, length);
    const stop = new SharedArrayBuffer(4);
    const program = pathToFileURL(path.join(path.dirname(compiledProgram()), '../fastpath/table.js')).href;
    answers.put(uniform(1), 0, ignore);
    const worker = new Worker(new URL('../support/table-reader.mjs', import.meta.url), {
      workerData: { program, memory: answers.memory, key, hash: 8, stop },
    });
    await once(worker, 'message');
    const entries = Array.from({ length: 40 }, (_, i) => uniform(i + 1));
    const end = performance.now() + 400;
    let written = 0;
    while (performance.now() < end) {
      answers.put(entries[written++ % entries.length]!, 0, ignore);
      // Time for the reader, which otherwise hardly finds a moment without a change.
      for (let i = 0; i < (written * 37) % 3000; i++) answers.sequence(1024);
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    const [{ whole, mixed }] = (await once(worker, 'message')) as [{ whole: number; mixed: number }];
    expect(mixed).toBe(0);
    expect(whole).toBeGreaterThan(100);
    expect(written).toBeGreaterThan(100);
  });
});
