import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as layout from '../../src/fastpath/table-layout.js';

/** The program in the kernel reads the same table, by declarations of its own. */
const source = readFileSync(new URL('../../src/kernel/answers.bpf.c', import.meta.url), 'utf8');
const SIZES: Readonly<Record<string, number>> = { __u8: 1, __u16: 2, __s32: 4, __u32: 4, __u64: 8 };

/** Offsets of fields in words, where the compiler puts them, and the whole size in bytes as `size`. */
function struct(name: string): Record<string, number> {
  const [, body = ''] = new RegExp(`^struct ${name} \\{([^}]*)\\}`, 'm').exec(source) ?? [];
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const declaration of body.split(';').filter((text) => text.trim() !== '')) {
    const [, type = '', names = ''] = /^\s*(\w+) ([\s\S]+)$/.exec(declaration)!;
    const size = SIZES[type]!;
    for (const field of names.split(',')) {
      const [, own = '', count = '1'] = /^\s*(\w+)(?:\[(\d+)\])?$/.exec(field)!;
      at = Math.ceil(at / size) * size;
      offsets[own] = at / 4;
      at += size * Number(count);
    }
  }
  return { ...offsets, size: at };
}

describe('the answer table is where the program in the kernel looks', () => {
  it('in its control page', () => {
    const { seed, mask, pool, limit, networks, size } = struct('control_page');
    const { SEED, MASK, POOL, LIMIT, NETWORKS, MAX_NETWORKS, CONTROL_SIZE } = layout;
    expect({ seed, mask, pool, limit, networks }).toEqual({
      seed: SEED,
      mask: MASK,
      pool: POOL,
      limit: LIMIT,
      networks: NETWORKS,
    });
    expect(size).toBe(4 * (NETWORKS + MAX_NETWORKS));
    // As large as a page of the largest kind.
    expect(CONTROL_SIZE).toBe(65_536);
  });

  it('in its entries', () => {
    const { SEQUENCE, HASH, LENGTHS, FLAGS, COUNTS, ADDITIONAL, TTL, PLACES, ROTATION } = layout;
    const { TURN, UNTIL, STORED, HITS, HITS_EDNS, KEY } = layout;
    const { size, ...entry } = struct('entry');
    expect(entry).toEqual({
      ...{
        sequence: SEQUENCE,
        hash: HASH,
        key_length: LENGTHS,
        length: LENGTHS + 0.5,
        flags: FLAGS,
        marks: FLAGS + 0.5,
      },
      ...{ answers: COUNTS, authorities: COUNTS + 0.5, additional: ADDITIONAL, rotating: ADDITIONAL + 0.5, ttl: TTL },
      ...{ ttls: PLACES, owners: PLACES + 0.5, rotation_start: ROTATION, rotation_size: ROTATION + 0.5, turn: TURN },
      ...{ until: UNTIL, stored: STORED, hits: HITS, hits_edns: HITS_EDNS },
    });
    expect(size).toBe(KEY);
  });

  it('in its sets and slabs', () => {
    expect(source).toContain(`struct set { struct way ways[${layout.WAYS}]; };`);
    expect(source).toContain(`#define ENTRY ${layout.LARGEST}\n`);
    expect(source).toContain(`#define MARK_SPELLING ${layout.SPELLING}\n`);
    expect(source).toContain(`#define MARK_NOTED ${layout.NOTED}\n`);
    expect(source).toContain(`#define KEY_WORDS (${layout.KEY_HEAD / 4} + MAX_NAME / 4)\n`);
    expect([layout.SET_WORDS, layout.SET_SIZE]).toEqual([32, 128]);
    expect([layout.SLAB, layout.UNIT, layout.TOUCHED]).toEqual([65_536, 64, 16_383]);
    // A reader takes as much as the longest entry, wherever one begins.
    expect(layout.SLAB_END).toBeGreaterThanOrEqual(layout.LARGEST);
    expect([...layout.SIZES]).toEqual([...layout.SIZES].sort((a, b) => a - b));
    expect(layout.SIZES.at(-1)).toBe(layout.LARGEST);
    expect(layout.SIZES.filter((size) => size % layout.UNIT !== 0)).toEqual([]);
  });

  it.each([
    { sets: 512, start: 65_536 + 2 * 65_536 },
    { sets: 100, start: 65_536 + 65_536 },
    { sets: 257, start: 65_536 + 2 * 65_536 },
  ])('the pool begins behind an index of $sets sets', ({ sets, start }) => expect(layout.poolStart(sets)).toBe(start));

  it.each([
    { pool: 1, sets: 512 },
    { pool: 512 * 4 * 128, sets: 512 },
    { pool: 512 * 4 * 128 + 1, sets: 1024 },
  ])('a pool of $pool bytes has $sets sets', ({ pool, sets }) => expect(layout.setsFor(pool)).toBe(sets));

  it.each([
    { key: 24, places: 0, records: 0, size: 88 },
    { key: 25, places: 2, records: 16, size: 64 + 32 + 4 + 16 },
  ])('an entry of a key of $key bytes has $size', ({ key, places, records, size }) =>
    expect(layout.entrySize(key, places, records)).toBe(size),
  );
});
