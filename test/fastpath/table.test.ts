import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerTable, SLOT, sharedNow, type SharedEntry } from '../../src/fastpath/table.js';
import type { Query } from '../../src/chain/index.js';
import { compiledProgram } from '../support/compiled.js';
import { query } from '../support/dns.js';
import { entryFor, keyOf, table } from '../support/shared-answer.js';

const ignore = (): void => undefined;
const www = query('www.example.org.');

function find(answers: AnswerTable, asked: Query, now = 0, server = 0): number {
  const key = keyOf(asked);
  return answers.find(key.bytes, key.length, key.hash, server, now);
}

/** The answer as it would be sent, without id and flags. */
function copied(answers: AnswerTable, slot: number, asked = www, now = 0): Buffer {
  const target = Buffer.alloc(1024, 0xee);
  const length = answers.copy(slot, target, 0, asked.bytes, 12, asked.questionEnd, now);
  return target.subarray(4, length);
}

const records = (answers: AnswerTable, slot: number, asked = www, now = 0): Buffer =>
  copied(answers, slot, asked, now).subarray(asked.questionEnd - 4);

describe('memory', () => {
  it.each([0, 4, 12, 100])('is refused for %i slots', (slots) => {
    expect(() => AnswerTable.allocate(slots)).toThrow(`slots: expected a power of two from 8, got ${slots}`);
  });

  it.each([
    { name: 'all of a slot', key: 16, length: 400, ttls: 16, fits: true },
    { name: 'one octet more', key: 17, length: 400, ttls: 1, fits: false },
    { name: 'more TTLs than there is room for', key: 16, length: 100, ttls: 17, fits: false },
  ])('of a slot: $name', ({ key, length, ttls, fits }) => {
    expect(AnswerTable.fits(key, length, ttls)).toBe(fits);
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
    const other = keyOf(query('xyz.example.org.'));
    expect(answers.find(other.bytes, other.length, hash, 0, 0)).toBe(-1);
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
    const answers = table(16);
    const questions = Array.from({ length: 8 }, (_, i) => query(`n${i}.example.org.`));
    const entries = questions.map((asked, i) => {
      const size = 512 - 96 - keyOf(asked).length;
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

describe('a full set', () => {
  const names = Array.from({ length: 8 }, (_, i) => query(`n${i}.example.org.`));
  const newcomer = query('new.example.org.');
  const full = (
    change: (i: number) => Partial<SharedEntry> = () => ({}),
  ): { answers: AnswerTable; slots: number[] } => {
    const answers = table();
    // All hashes of one set: with eight slots the low three bits.
    return {
      answers,
      slots: names.map((asked, i) => answers.put(entryFor(asked, { hash: 8 * (i + 1), ...change(i) }), 0, ignore)),
    };
  };

  it('gives up the least asked', () => {
    const { answers, slots } = full();
    slots.forEach((slot, i) => {
      for (let n = 0; n < (i === 5 ? 1 : 2 + i); n++) answers.count(slot, n % 2 === 0);
    });
    const evicted: number[] = [];
    expect(answers.put(entryFor(newcomer, { hash: 80 }), 0, (slot) => evicted.push(slot))).toBe(slots[5]);
    expect(evicted).toEqual([slots[5]]);
  });

  it('gives up what has expired before anything else', () => {
    const { answers, slots } = full((i) => (i === 3 ? { until: 100 } : {}));
    for (let n = 0; n < 5; n++) answers.count(slots[3]!, false);
    expect(answers.put(entryFor(newcomer, { hash: 80 }), 100, ignore)).toBe(slots[3]);
  });

  it('fills what was cleared', () => {
    const { answers, slots } = full();
    answers.clear(slots[6]!);
    const evicted: number[] = [];
    expect(answers.put(entryFor(newcomer, { hash: 80 }), 0, (slot) => evicted.push(slot))).toBe(slots[6]);
    expect(evicted).toEqual([]);
  });

  it('takes in a set at the end of the table too', () => {
    const answers = table(16);
    const slots = names.map((asked, i) => answers.put(entryFor(asked, { hash: 16 * (i + 1) + 15 }), 0, ignore));
    expect(Math.max(...slots) * 4 + SLOT).toBeLessThanOrEqual(answers.memory.byteLength);
    expect(new Set(slots).size).toBe(8);
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
              const key = keyOf(questions[at]!);
              const there = answers.find(key.bytes, key.length, 8, 0, 0);
              if (put > 0) answers.put(uniform(put, questions[at]), 0, ignore);
              else if (there >= 0) answers.clear(there);
            }
            done += pause;
          };
          const key = keyOf(questions[0]!);
          const look = (): number => answers.find(key.bytes, key.length, 8, 0, 0);
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
    const answers = table();
    const { bytes: key, length: keyLength } = keyOf(www);
    const stop = new SharedArrayBuffer(4);
    const program = pathToFileURL(path.join(path.dirname(compiledProgram()), '../fastpath/table.js')).href;
    answers.put(uniform(1), 0, ignore);
    const worker = new Worker(new URL('../support/table-reader.mjs', import.meta.url), {
      workerData: { program, memory: answers.memory, slots: 8, key, keyLength, hash: 8, stop },
    });
    await once(worker, 'message');
    const entries = Array.from({ length: 40 }, (_, i) => uniform(i + 1));
    const end = performance.now() + 400;
    let written = 0;
    while (performance.now() < end) {
      answers.put(entries[written++ % entries.length]!, 0, ignore);
      // Time for the reader, which otherwise hardly finds a moment without a change.
      for (let i = 0; i < (written * 37) % 3000; i++) answers.sequence(0);
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    const [{ whole, mixed }] = (await once(worker, 'message')) as [{ whole: number; mixed: number }];
    expect(mixed).toBe(0);
    expect(whole).toBeGreaterThan(100);
    expect(written).toBeGreaterThan(100);
  });
});
