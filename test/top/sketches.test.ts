import { describe, expect, it } from 'vitest';
import { NameReader } from '../../src/top/name-reader.js';
import { SpaceSaving } from '../../src/top/space-saving.js';
import { Suffixes } from '../../src/top/suffixes.js';
import { Thinning } from '../../src/top/thinning.js';
import { encodeName, readLowerName } from '../../src/wire/index.js';

const SEED = [0x1234_5678, 0x9abc_def0] as const;

function nameOf(text: string): NameReader {
  const reader = new NameReader(SEED);
  reader.read(encodeName(text), 0);
  reader.readTails();
  return reader;
}

describe('of a flood', () => {
  it('what is more than so many a second is left out, but for one of eight that stands for the others', () => {
    const thinning = new Thinning(3);
    const times = (many: number, count = 1): number[] => Array.from({ length: many }, () => thinning.times(count));
    expect(times(3)).toEqual([1, 1, 1]);
    expect(times(16)).toEqual([0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8]);
    thinning.tick();
    expect(times(5)).toEqual([1, 1, 1, 0, 0]);
  });

  it('what comes in numbers of eight or more is never left out', () => {
    const thinning = new Thinning(0);
    expect([7, 8, 100].map((count) => thinning.times(count))).toEqual([0, 1, 1]);
  });
});

describe('the heaviest keys', () => {
  /** A key of two bytes in the set of even or of odd hashes. */
  const sketch = (
    capacity = 8,
  ): { all: SpaceSaving; add: (hash: number, weight: number, hash2?: number) => number } => {
    const all = new SpaceSaving({ capacity, keySize: 4, sums: 1 });
    return {
      all,
      add: (hash, weight, hash2 = 7) => all.add(hash, hash2, Buffer.from([9, hash, hash2, 9]), 1, 2, weight),
    };
  };

  it('are counted, and found by both of their hashes', () => {
    const { all, add } = sketch();
    expect(all.find(0, 0)).toBe(-1);
    const slots = [add(1, 2), add(2, 3), add(1, 4, 8)];
    expect(add(1, 5)).toBe(slots[0]);
    expect([all.find(1, 7), all.find(2, 7), all.find(1, 8)]).toEqual(slots);
    expect([all.find(2, 8), all.find(3, 7)]).toEqual([-1, -1]);
    expect(slots.map((slot) => [all.count(slot), all.error(slot), all.sure(slot), ...all.key(slot)])).toEqual([
      [7, 0, 7, 1, 7],
      [3, 0, 3, 2, 7],
      [4, 0, 4, 1, 8],
    ]);
    expect(all.heaviest()).toEqual([slots[0], slots[2], slots[1]]);
    expect(all.heaviest((slot) => -all.count(slot))).toEqual([slots[1], slots[2], slots[0]]);
  });

  it('put one that is new in the place of the lightest, whose count may be its own', () => {
    const { all, add } = sketch();
    for (let hash = 1; hash <= 8; hash++) all.addTo(0, add(hash, 10 - (hash % 3)), 1);
    const slot = add(20, 5);
    expect([all.count(slot), all.error(slot), all.sure(slot), all.sum(0, slot)]).toEqual([13, 8, 5, 0]);
    expect([all.find(2, 7), all.find(20, 7)]).toEqual([-1, slot]);
    all.addTo(0, slot, 3);
    all.scale(0.5);
    expect([all.count(slot), all.error(slot), all.sum(0, slot)]).toEqual([6.5, 4, 1.5]);
    expect(all.heaviest()).toHaveLength(8);
  });

  it('stay in their set, whatever comes to another', () => {
    const { all, add } = sketch(16);
    for (let hash = 0; hash < 18; hash += 2) add(hash, hash + 1);
    expect([all.find(16, 7) >= 0, all.find(0, 7)]).toEqual([true, -1]);
    for (let hash = 1; hash < 17; hash += 2) add(hash, 1);
    expect(all.heaviest()).toHaveLength(16);
    for (let hash = 1; hash < 17; hash++) expect(all.find(hash, 7), String(hash)).toBeGreaterThanOrEqual(0);
  });

  it('take the memory that their size says', () =>
    // Two hashes of 4 bytes, count, error and sum of 8, a key of 4 and its length, eight times.
    expect(sketch().all.memory).toBe(8 * (2 * 4 + 3 * 8 + 4 + 1)));
});

describe('a name', () => {
  it('is read in lower case, label by label', () => {
    const { bytes, length, labels, starts } = nameOf('AZ@[.az.Example.');
    expect(readLowerName(bytes, 0)).toBe('az\\@[.az.example.');
    expect([length, labels, ...starts.subarray(0, 4)]).toEqual([17, 3, 0, 5, 8, 16]);
    expect(Buffer.from(bytes.subarray(0, length))).toEqual(Buffer.from(encodeName('az\\@[.az.example.')));
  });

  it('of 127 labels is read whole', () => {
    const { labels, starts, length } = nameOf('a.'.repeat(127));
    expect([labels, starts[126], starts[127], length]).toEqual([127, 252, 254, 255]);
  });

  it('of 127 labels has hashes of its longest beginnings and of all of its ends', () => {
    const [one, other] = [nameOf(`${'a.'.repeat(126)}b.`), nameOf('a.'.repeat(127))];
    expect([one.head(126), one.head2(126)]).toEqual([other.head(126), other.head2(126)]);
    expect(one.head(127)).not.toBe(other.head(127));
    expect(one.head2(127)).not.toBe(other.head2(127));
    expect([one.tail(126), one.tail2(126)]).toEqual([nameOf('x.b.').tail(1), nameOf('x.b.').tail2(1)]);
  });

  it.each([
    { name: 'the last letter of a label', one: 'x.ab.c.', other: 'x.ad.c.' },
    { name: 'the only letter of a label', one: 'x.a.c.', other: 'x.b.c.' },
    { name: 'where a label ends', one: 'x.ab.cd.', other: 'x.abc.d.' },
  ])('has another end with another one for $name', ({ one, other }) => {
    expect(nameOf(one).tail(1)).not.toBe(nameOf(other).tail(1));
    expect(nameOf(one).tail2(1)).not.toBe(nameOf(other).tail2(1));
  });

  it('has a hash of each beginning and each end, the same in all names', () => {
    const [one, other] = [nameOf('a.b.c.d.'), nameOf('a.b.x.c.d.')];
    const heads = (name: NameReader, labels: number): number[] => [name.head(labels), name.head2(labels)];
    const tails = (name: NameReader, labels: number): number[] => [name.tail(labels), name.tail2(labels)];
    for (const labels of [1, 2]) expect(heads(one, labels)).toEqual(heads(other, labels));
    for (const labels of [2, 3]) expect(tails(one, labels)).toEqual(tails(other, labels + 1));
    expect(heads(one, 2)).toEqual(heads(nameOf('A.B.'), 2));
    const all = [0, 1, 2, 3, 4].flatMap((labels) => [heads(one, labels), heads(other, labels + 1)]);
    expect(new Set(all.map(String)).size).toBe(8);
    for (const part of [0, 1]) expect(new Set(all.map((pair) => pair[part])).size).toBe(8);
    const ends = [0, 1, 2, 3].map((labels) => tails(one, labels));
    for (const part of [0, 1]) expect(new Set(ends.map((pair) => pair[part])).size).toBe(4);
  });

  it.each([
    { name: 'abcde.', cut: 0, want: 'abcde.' },
    { name: 'abcdef.', cut: 0, want: '....' },
    { name: 'x.abc.d.', cut: 0, want: '...abc.d.' },
    { name: 'x.abc.d.', cut: 1, want: 'abc.d.' },
    { name: 'x.y.abc.d.', cut: 1, want: '...abc.d.' },
  ])('is counted without its beginning where it has no room: $name without $cut labels', ({ name, cut, want }) => {
    const sketch = new SpaceSaving({ capacity: 8, keySize: 8, sums: 0 });
    const reader = nameOf(name);
    const slot = reader.countIn(sketch, cut, 2);
    const key = sketch.key(slot);
    const text = key.length > 1 && key[0] === 0 ? `...${readLowerName(key, 1)}` : readLowerName(key, 0);
    expect([text, sketch.count(slot), key.length <= 8]).toEqual([want, 2, true]);
    // The same name is the same key, and a name that is cut alike another.
    expect(reader.countIn(sketch, cut, 1)).toBe(slot);
    expect(nameOf(`q${name}`).countIn(sketch, cut, 1)).toBe(cut === 0 ? slot + 1 : slot);
    expect(reader.isIn(sketch)).toBe(cut === 0);
  });
});

describe('ends of names that do not exist', () => {
  const none = (): boolean => false;
  const keys = (sketch: SpaceSaving): string[] =>
    sketch
      .heaviest()
      .map((slot) => `${readLowerName(sketch.key(slot), 0)} ${sketch.count(slot)}`)
      .sort();
  /** A walk of a client that means `web` labels, and asks for them as such. */
  const confirmed = (suffixes: Suffixes, name: string, labels: number, times = 1): number[] =>
    Array.from({ length: times }, () => suffixes.add(nameOf(name), 1, 2, (cut) => cut === labels));

  it('are counted from the top-level domain on, up to eight labels, without the name itself', () => {
    const suffixes = new Suffixes();
    expect(suffixes.add(nameOf('a.b.c.'), 1, 2, none)).toBe(0);
    expect(keys(suffixes.missing)).toEqual(['b.c. 2', 'c. 2']);
    suffixes.scale(0.5);
    expect(keys(suffixes.missing)).toEqual(['b.c. 1', 'c. 1']);
    const long = new Suffixes();
    long.add(nameOf('9.8.7.6.5.4.3.2.1.'), 1, 1, none);
    expect(keys(long.missing)).toHaveLength(8);
    const longer = new Suffixes();
    longer.add(nameOf('10.9.8.7.6.5.4.3.2.1.'), 1, 1, none);
    expect(keys(longer.missing)).toHaveLength(8);
  });

  it('are search domains where the beginning is asked for, and from the third time on without', () => {
    const suffixes = new Suffixes();
    expect(confirmed(suffixes, 'www.example.corp.test.', 2, 2)).toEqual([2, 2]);
    expect(suffixes.add(nameOf('ftp.example.corp.test.'), 1, 2, none)).toBe(0);
    expect(confirmed(suffixes, 'www.example.corp.test.', 2)).toEqual([2]);
    expect(suffixes.add(nameOf('ftp.example.corp.test.'), 1, 2, none)).toBe(2);
    expect(keys(suffixes.searched)).toEqual(['corp.test. 8']);
    // A single label before it is what a client means by itself.
    expect(suffixes.add(nameOf('example.corp.test.'), 1, 2, none)).toBe(0);
    suffixes.scale(0.5);
    expect(keys(suffixes.searched)).toEqual(['corp.test. 4']);
  });

  it('are of the name that was read last, which is no end of its own', () => {
    const suffixes = new Suffixes();
    const reader = new NameReader(SEED);
    const add = (name: string, asked: (cut: number) => boolean = none): number => {
      reader.read(encodeName(name), 0);
      return suffixes.add(reader, 1, 2, asked);
    };
    for (let i = 0; i < 3; i++) expect(add('www.example.corp.test.', (cut) => cut === 2)).toBe(2);
    expect(add('a.b.')).toBe(0);
    expect(add('a.b.c.', (cut) => cut === 3)).toBe(0);
    expect(keys(suffixes.missing)).toEqual([
      'b. 2',
      'b.c. 2',
      'c. 2',
      'corp.test. 6',
      'example.corp.test. 6',
      'test. 6',
    ]);
  });

  it('are kept whole up to 95 bytes', () => {
    const suffixes = new Suffixes();
    // 63 + 1 and 29 + 1 bytes and the root make 95; one more leaves the last label and the sign of that.
    suffixes.add(nameOf(`x.${'a'.repeat(63)}.${'b'.repeat(29)}.`), 1, 1, none);
    suffixes.add(nameOf(`x.${'c'.repeat(63)}.${'d'.repeat(30)}.`), 1, 1, none);
    const lengths = suffixes.missing.heaviest().map((slot) => suffixes.missing.key(slot).length);
    expect(lengths.sort((a, b) => a - b)).toEqual([31, 32, 33, 95]);
  });

  it.each([
    { domain: 'svc.cluster.local.', name: 'web.shop.svc.cluster.local.', want: 0 },
    { domain: 'svc.cluster.local.', name: 'a.web.shop.svc.cluster.local.', want: 2 },
    { domain: 'cluster.local.', name: 'web.shop.svc.cluster.local.', want: 0 },
    { domain: 'cluster.local.', name: 'web.shop.svd.cluster.local.', want: 2 },
    { domain: 'shop.svc.cluster.local.', name: 'www.web.shop.svc.cluster.local.', want: 2 },
  ])('of $domain, $name may be no walk but a service', ({ domain, name, want }) => {
    const suffixes = new Suffixes();
    confirmed(suffixes, `www.example.${domain}`, 2, 3);
    expect(suffixes.add(nameOf(name), 1, 2, none)).toBe(want);
  });

  it('are looked at one by one 5000 times a second', () => {
    const suffixes = new Suffixes();
    const name = nameOf('a.b.');
    const count = (times: number): number => {
      for (let i = 0; i < times; i++) suffixes.add(name, 1, 1, none);
      return suffixes.missing.count(suffixes.missing.heaviest()[0]!);
    };
    expect([count(5000), count(7), count(1)]).toEqual([5000, 5000, 5008]);
    suffixes.tick();
    expect(count(1)).toBe(5009);
  });
});
