import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/chain/index.js';
import { memoryLimit } from '../../../src/lib/memory-limit.js';
import { ByteBudget, budgetOf } from '../../../src/plugins/cache/byte-budget.js';
import { CacheEntry, keptOf } from '../../../src/plugins/cache/entry.js';
import type { CacheType } from '../../../src/plugins/cache/options.js';
import { Store } from '../../../src/plugins/cache/store.js';
import { query, reply } from '../../support/dns.js';

const entry = (name: string, type: CacheType = 'success', stored = 0, qtype = 'A'): CacheEntry =>
  new CacheEntry(keptOf(query(name, qtype), reply()), 60, type, 'answer', stored);
const held = (store: Store, ...names: string[]): string[] =>
  names.filter((name) => store.get(query(name)) !== undefined);

describe('Store', () => {
  it('lets the entry go that was put in first when nothing was used', () => {
    const store = new Store({ success: 2, denial: 2 }, new ByteBudget(1 << 30));
    expect(['a.', 'b.', 'c.'].map((name) => store.put(entry(name)))).toEqual([0, 0, 1]);
    expect(held(store, 'a.', 'b.', 'c.')).toEqual(['b.', 'c.']);
    expect(store.size('success')).toBe(2);
  });

  it.each([
    { name: 'an entry that was used stays', at: 1000, want: ['a.', 'c.'] },
    { name: 'the order is kept to the second', at: 999, want: ['b.', 'c.'] },
  ])('$name', ({ at, want }) => {
    const store = new Store({ success: 2, denial: 2 }, new ByteBudget(1 << 30));
    store.put(entry('a.'));
    store.put(entry('b.'));
    store.touch(store.get(query('a.'))!, at);
    store.put(entry('c.'));
    expect(held(store, 'a.', 'b.', 'c.')).toEqual(want);
  });

  it('keeps questions of other classes apart, whatever their types', () => {
    const store = new Store({ success: 9, denial: 9 }, new ByteBudget(1 << 30));
    store.put(new CacheEntry(keptOf(query('a.', 'TYPE32769', { class: 3 }), reply()), 60, 'success', 'answer', 0));
    const found = [3, 4].map((number) => store.get(query('a.', number === 3 ? 'TYPE32769' : 'A', { class: number })));
    expect(found.map((one) => one !== undefined)).toEqual([true, false]);
  });

  it('bounds each type by itself', () => {
    const store = new Store({ success: 1, denial: 2 }, new ByteBudget(1 << 30));
    store.put(entry('a.', 'denial'));
    store.put(entry('b.', 'denial'));
    expect(store.put(entry('c.', 'success'))).toBe(0);
    expect(store.put(entry('d.', 'success'))).toBe(1);
    expect(held(store, 'a.', 'b.', 'c.', 'd.')).toEqual(['a.', 'b.', 'd.']);
  });

  it.each<{ name: string; types: [CacheType, CacheType]; sizes: [number, number] }>([
    { name: 'of the same type', types: ['success', 'success'], sizes: [1, 0] },
    { name: 'of the other type', types: ['success', 'denial'], sizes: [0, 1] },
  ])('replaces the entry of a question by one $name, which is no eviction', ({ types, sizes }) => {
    const store = new Store({ success: 1, denial: 1 }, new ByteBudget(1 << 30));
    store.put(entry('a.', types[0]));
    const later = entry('a.', types[1]);
    expect(store.put(later)).toBe(0);
    expect(store.get(query('a.'))).toBe(later);
    expect([store.size('success'), store.size('denial')]).toEqual(sizes);
  });

  it('keeps no trace of types that were evicted', () => {
    const store = new Store({ success: 1, denial: 1 }, new ByteBudget(1 << 30));
    for (const type of ['A', 'AAAA', 'MX']) store.put(entry('a.', 'success', 0, type));
    expect(['A', 'AAAA', 'MX'].map((type) => store.get(query('a.', type)) !== undefined)).toEqual([false, false, true]);
    expect((store as unknown as { variants: Map<number, unknown> }).variants.size).toBe(1);
  });
});

describe('what an entry promises', () => {
  const lease = (store: Store, name: string) => store.get(query(name))!.lease(false, undefined);

  it('ends when another takes its place', () => {
    const store = new Store({ success: 2, denial: 2 }, new ByteBudget(1 << 30));
    store.put(entry('a.'));
    const promised = lease(store, 'a.');
    expect(promised.revoked).toBe(false);
    store.put(entry('a.', 'denial'));
    expect(promised.revoked).toBe(true);
  });

  it('ends when it has to leave', () => {
    const store = new Store({ success: 1, denial: 1 }, new ByteBudget(1 << 30));
    store.put(entry('a.'));
    const promised = lease(store, 'a.');
    store.put(entry('b.'));
    expect(promised.revoked).toBe(true);
  });

  it.each([
    { name: 'its whole time', policy: undefined, until: 60_000 },
    { name: 'until it may be fetched anew', policy: { amount: 1, gap: 1, percentage: 25 }, until: 45_000 },
  ])('holds for $name', ({ policy, until }) => {
    expect(entry('a.').lease(false, policy).until).toBe(until);
  });
});

describe('bytes', () => {
  it('are bounded over all caches: the longest unused entries of the one that keeps more leave', () => {
    const budget = new ByteBudget(20 * entry('n00.').size);
    const [one, other] = [0, 1].map(() => new Store({ success: 1000, denial: 1000 }, budget));
    for (let i = 0; i < 15; i++) expect(one!.put(entry(`n${10 + i}.`))).toBe(0);
    for (let i = 0; i < 5; i++) expect(other!.put(entry(`m${10 + i}.`, 'denial'))).toBe(0);
    expect(one!.put(entry('n30.', 'denial'))).toBe(1);
    expect(held(one!, 'n10.', 'n11.', 'n30.')).toEqual(['n11.', 'n30.']);
    expect(one!.put(entry('n31.'))).toBe(1);
    expect(held(one!, 'n11.', 'n12.', 'n30.', 'n31.')).toEqual(['n12.', 'n30.', 'n31.']);
    expect(held(other!, 'm10.', 'm14.')).toEqual(['m10.', 'm14.']);
    expect(budget.used).toBeLessThanOrEqual(budget.limit);
  });

  it('are given back by the type that takes them, while it has others', () => {
    const budget = new ByteBudget(2 * entry('a.').size);
    const store = new Store({ success: 9, denial: 9 }, budget);
    store.put(entry('a.', 'denial'));
    store.put(entry('b.'));
    store.put(entry('c.'));
    expect(held(store, 'a.', 'b.', 'c.')).toEqual(['a.', 'c.']);
  });

  it('shrink by a tenth of what is kept, over all caches, and may grow again later', () => {
    const budget = new ByteBudget(20 * entry('n00.').size);
    const [one, other] = [0, 1].map(() => new Store({ success: 1000, denial: 1000 }, budget));
    for (let i = 0; i < 20; i++) one!.put(entry(`n${10 + i}.`));
    budget.shrink();
    expect([one!.size('success'), other!.size('success')]).toEqual([18, 0]);
    expect(one!.put(entry('n50.'))).toBe(1);
    budget.relax();
    expect([one!.put(entry('n51.')), one!.put(entry('n52.')), one!.put(entry('n53.'))]).toEqual([0, 0, 1]);
  });

  it('of replaced entries and of a cache that ends are free again', () => {
    const budget = new ByteBudget(1 << 20);
    const store = new Store({ success: 4, denial: 4 }, budget);
    for (let i = 0; i < 10; i++) store.put(entry('a.'));
    for (let i = 0; i < 10; i++) store.put(entry(`n${i}.`));
    expect(budget.used).toBe(4 * entry('n0.').size);
    store.clear();
    expect([budget.used, store.size('success')]).toEqual([0, 0]);
  });

  it.each([
    { name: 'a small container', limit: 128 << 20, want: 32 << 20 },
    { name: 'a large container', limit: 4 * 2 ** 30, want: 2 ** 30 },
    { name: 'no container', limit: 0, want: 256 << 20 },
    { name: 'a limit beyond the machine', limit: 2 ** 63, want: 256 << 20 },
  ])('are by default a quarter of the memory, 256 MiB where there is no limit: $name', ({ limit, want }) => {
    expect(memoryLimit(limit, 8 * 2 ** 30)).toBe(want);
  });

  it('are bounded for all blocks of a server together, and for each server apart', () => {
    const [one, other] = [{} as Runtime, {} as Runtime];
    expect(budgetOf(one)).toBe(budgetOf(one));
    expect(budgetOf(other)).not.toBe(budgetOf(one));
  });

  it('counts a reply of many records with what they take', () => {
    const many = reply({ answer: Array.from({ length: 1000 }, (_, i) => `a. 60 IN A 10.0.${i >> 8}.${i & 255}`) });
    expect(new CacheEntry(keptOf(query('a.'), many), 60, 'success', 'answer', 0).size).toBeGreaterThan(1000 * 17);
  });
});
