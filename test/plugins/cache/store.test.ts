import { describe, expect, it } from 'vitest';
import { Entry } from '../../../src/plugins/cache/entry.js';
import type { CacheType } from '../../../src/plugins/cache/options.js';
import { Store } from '../../../src/plugins/cache/store.js';
import { query, reply } from '../../support/dns.js';

const entry = (name: string, type: CacheType = 'success', stored = 0, qtype = 'A'): Entry =>
  new Entry(query(name, qtype), reply(), 60, type, 'answer', stored);
const held = (store: Store, ...names: string[]): string[] =>
  names.filter((name) => store.get(query(name)) !== undefined);

describe('Store', () => {
  it('lets the entry go that was put in first when nothing was used', () => {
    const store = new Store({ success: 2, denial: 2 });
    expect(['a.', 'b.', 'c.'].map((name) => store.put(entry(name)))).toEqual([false, false, true]);
    expect(held(store, 'a.', 'b.', 'c.')).toEqual(['b.', 'c.']);
    expect(store.size('success')).toBe(2);
  });

  it.each([
    { name: 'an entry that was used stays', at: 1000, want: ['a.', 'c.'] },
    { name: 'the order is kept to the second', at: 999, want: ['b.', 'c.'] },
  ])('$name', ({ at, want }) => {
    const store = new Store({ success: 2, denial: 2 });
    store.put(entry('a.'));
    store.put(entry('b.'));
    store.touch(store.get(query('a.'))!, at);
    store.put(entry('c.'));
    expect(held(store, 'a.', 'b.', 'c.')).toEqual(want);
  });

  it('bounds each type by itself', () => {
    const store = new Store({ success: 1, denial: 2 });
    store.put(entry('a.', 'denial'));
    store.put(entry('b.', 'denial'));
    expect(store.put(entry('c.', 'success'))).toBe(false);
    expect(store.put(entry('d.', 'success'))).toBe(true);
    expect(held(store, 'a.', 'b.', 'c.', 'd.')).toEqual(['a.', 'b.', 'd.']);
  });

  it.each<{ name: string; types: [CacheType, CacheType]; sizes: [number, number] }>([
    { name: 'of the same type', types: ['success', 'success'], sizes: [1, 0] },
    { name: 'of the other type', types: ['success', 'denial'], sizes: [0, 1] },
  ])('replaces the entry of a question by one $name, which is no eviction', ({ types, sizes }) => {
    const store = new Store({ success: 1, denial: 1 });
    store.put(entry('a.', types[0]));
    const later = entry('a.', types[1]);
    expect(store.put(later)).toBe(false);
    expect(store.get(query('a.'))).toBe(later);
    expect([store.size('success'), store.size('denial')]).toEqual(sizes);
  });

  it('keeps no trace of types that were evicted', () => {
    const store = new Store({ success: 1, denial: 1 });
    for (const type of ['A', 'AAAA', 'MX']) store.put(entry('a.', 'success', 0, type));
    expect(['A', 'AAAA', 'MX'].map((type) => store.get(query('a.', type)) !== undefined)).toEqual([false, false, true]);
    expect((store as unknown as { variants: Map<number, unknown> }).variants.size).toBe(1);
  });
});

describe('what an entry promises', () => {
  const standing = (store: Store, name: string) => store.get(query(name))!.standing(false, undefined);

  it('ends when another takes its place', () => {
    const store = new Store({ success: 2, denial: 2 });
    store.put(entry('a.'));
    const promised = standing(store, 'a.');
    expect(promised.revoked).toBe(false);
    store.put(entry('a.', 'denial'));
    expect(promised.revoked).toBe(true);
  });

  it('ends when it has to leave', () => {
    const store = new Store({ success: 1, denial: 1 });
    store.put(entry('a.'));
    const promised = standing(store, 'a.');
    store.put(entry('b.'));
    expect(promised.revoked).toBe(true);
  });

  it.each([
    { name: 'its whole time', policy: undefined, until: 60_000 },
    { name: 'until it may be fetched anew', policy: { amount: 1, gap: 1, percentage: 25 }, until: 45_000 },
  ])('holds for $name', ({ policy, until }) => {
    expect(entry('a.').standing(false, policy).until).toBe(until);
  });
});
