import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/lib/cidr.js';
import { hashWords } from '../../src/fastpath/key-hash.js';
import { MAX_KEY, QueryKey } from '../../src/fastpath/query-key.js';
import { query } from '../support/dns.js';
import { keyOf } from '../support/shared-answer.js';

const plain = query('www.example.org.').bytes;
const withOpt = query('www.example.org.', 'A', { edns: 1232 }).bytes;
const OPT = withOpt.length - 11;

function changed(bytes: Buffer, ...changes: [at: number, octet: number][]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, octet] of changes) copy[at] = octet;
  return copy;
}

/** A question for a name of so many octets, made of labels of at most 63. */
function long(octets: number): Buffer {
  const name: number[] = [];
  while (octets - name.length > 1) {
    const label = Math.min(63, octets - name.length - 2);
    name.push(label, ...Buffer.alloc(label, 'a'));
  }
  return Buffer.concat([plain.subarray(0, 12), Buffer.from([...name, 0, 0, 1, 0, 1])]);
}

const reads = (bytes: Buffer): boolean => new QueryKey().read(bytes, 0, bytes.length, false);

describe('the common form', () => {
  it.each([
    { name: 'a plain query', bytes: plain },
    { name: 'an OPT record at the end', bytes: withOpt },
    { name: 'DO', bytes: query('www.example.org.', 'A', { edns: 1232, do: true }).bytes },
    { name: 'the root', bytes: query('.', 'NS').bytes },
    { name: 'capitals', bytes: query('WWW.example.org.').bytes },
    { name: 'a name of 255 octets', bytes: long(255) },
    { name: 'no RD', bytes: query('www.example.org.', 'A', { rd: false }).bytes },
    { name: 'the bit that is reserved', bytes: changed(plain, [3, 0x40]) },
  ])('$name', ({ bytes }) => {
    expect(reads(bytes)).toBe(true);
  });

  it.each([
    { name: 'a response', bytes: changed(plain, [2, 0x81]) },
    { name: 'another opcode', bytes: changed(plain, [2, 0x21]) },
    { name: 'AA', bytes: changed(plain, [2, 0x05]) },
    { name: 'TC', bytes: changed(plain, [2, 0x03]) },
    { name: 'no question', bytes: changed(plain, [5, 0]) },
    { name: 'two questions', bytes: changed(plain, [5, 2]) },
    { name: '257 questions', bytes: changed(plain, [4, 1]) },
    { name: 'a record in the answer', bytes: changed(plain, [7, 1]) },
    { name: '256 records in the answer', bytes: changed(plain, [6, 1]) },
    { name: 'a record in the authority', bytes: changed(plain, [9, 1]) },
    { name: 'an additional record that is missing', bytes: changed(plain, [11, 1]) },
    { name: 'two additional records', bytes: changed(withOpt, [11, 2]) },
    { name: '257 additional records', bytes: changed(withOpt, [10, 1]) },
    { name: 'an additional record that is no OPT', bytes: changed(withOpt, [OPT + 2, 42]) },
    { name: 'an OPT record with a name', bytes: changed(withOpt, [OPT, 1]) },
    { name: 'an OPT type beyond 255', bytes: changed(withOpt, [OPT + 1, 1]) },
    { name: 'another version', bytes: changed(withOpt, [OPT + 6, 1]) },
    {
      name: 'options',
      bytes: query('www.example.org.', 'A', { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8) }] }).bytes,
    },
    { name: 'an OPT record that says it has options', bytes: changed(withOpt, [OPT + 10, 4]) },
    { name: 'something behind the OPT record', bytes: Buffer.concat([withOpt, Buffer.alloc(1)]) },
    { name: 'something behind the question', bytes: Buffer.concat([plain, Buffer.alloc(11)]) },
    { name: 'an OPT record that nobody counted', bytes: changed(withOpt, [11, 0]) },
    { name: 'an OPT record cut short', bytes: withOpt.subarray(0, -1) },
    { name: 'a pointer in the name', bytes: changed(plain, [12, 0xc0], [13, 0]) },
    { name: 'a label of a reserved type', bytes: changed(plain, [12, 0x40]) },
    { name: 'a name cut short', bytes: plain.subarray(0, 20) },
    { name: 'a name without an end', bytes: plain.subarray(0, -5) },
    { name: 'a question cut short', bytes: plain.subarray(0, -1) },
    { name: 'a name of 256 octets', bytes: long(256) },
    { name: 'a runt', bytes: plain.subarray(0, 11) },
    { name: 'a header alone', bytes: plain.subarray(0, 12) },
    { name: 'nothing', bytes: Buffer.alloc(0) },
  ])('is not $name', ({ bytes }) => {
    expect(reads(bytes)).toBe(false);
  });

  it('is read from the middle of other octets, and not beyond its length', () => {
    const key = new QueryKey();
    const within = Buffer.concat([Buffer.alloc(100, 0xff), withOpt, Buffer.alloc(100, 0xff)]);
    expect(key.read(within, 100, withOpt.length, false)).toBe(true);
    expect({ opt: key.opt, end: key.questionEnd }).toEqual({ opt: OPT, end: OPT });
    expect(key.read(within, 100, withOpt.length - 1, false)).toBe(false);
    expect(key.read(within, 100, withOpt.length + 1, false)).toBe(false);
  });
});

describe('the key', () => {
  const bytesOf = (bytes: Buffer, ipv6 = false): string => {
    const key = keyOf({ bytes }, ipv6);
    return `${key.hash} ${Buffer.from(key.bytes.subarray(0, key.length)).toString('hex')}`;
  };

  it.each([
    { name: 'id', other: query('www.example.org.', 'A', { id: 99 }).bytes },
    { name: 'RD', other: query('www.example.org.', 'A', { rd: false }).bytes },
    { name: 'an OPT record without DO', other: withOpt },
    { name: 'another size', other: query('www.example.org.', 'A', { edns: 4096 }).bytes },
    { name: 'letters', other: query('wWw.EXAMPLE.oRg.').bytes },
  ])('is the same whatever the $name', ({ other }) => {
    expect(bytesOf(other)).toBe(bytesOf(plain));
  });

  it('is another for each name, type, class, DO, CD, AD and family', () => {
    const others = [
      plain,
      query('ww.example.org.').bytes,
      query('www.example.org.', 'AAAA').bytes,
      query('www.example.org.', 'A', { class: 3 }).bytes,
      query('www.example.org.', 'A', { edns: 1232, do: true }).bytes,
      query('www.example.org.', 'A', { cd: true }).bytes,
      query('www.example.org.', 'A', { ad: true }).bytes,
      query('www.example.org.', 'A', { ad: true, cd: true, edns: 512, do: true }).bytes,
    ];
    const keys = others.flatMap((bytes) => [bytesOf(bytes), bytesOf(bytes, true)]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('fits its memory at its longest', () => {
    const key = keyOf({ bytes: long(255) });
    key.addNetwork(new Uint8Array(16), 0, 128);
    expect(key.length).toBe(MAX_KEY);
    expect(keyOf({ bytes: long(255) }).length).toBe(MAX_KEY - 16);
    expect(key.hash).not.toBe(0);
  });

  it.each([
    { name: 'www.example.org.', capitals: false },
    { name: 'wWw.example.org.', capitals: true },
    { name: 'www.example.orG.', capitals: true },
    { name: `${'a'.repeat(63)}.0-9_[.org.`, capitals: false },
    { name: '.', capitals: false },
  ])('knows of capitals in $name', ({ name, capitals }) => {
    expect(keyOf(query(name)).hasCapitals).toBe(capitals);
  });

  it('does not take types and classes for capitals', () => {
    expect(keyOf({ bytes: changed(plain, [plain.length - 3, 0x41], [plain.length - 1, 0x42]) }).hasCapitals).toBe(
      false,
    );
  });
});

describe('the network of the client', () => {
  const keyed = (address: string, bits: number): { text: string; hash: number } => {
    const key = new QueryKey();
    const { bytes } = query('a.example.');
    key.read(bytes, 0, bytes.length, address.includes(':'));
    key.addNetwork(parseIp(address)!, 0, bits);
    return { text: Buffer.from(key.bytes.subarray(0, key.length)).toString('hex'), hash: key.hash };
  };
  it.each([
    { name: 'one IPv4 address', a: '192.0.2.1', b: '192.0.2.2', bits: 32, same: false },
    { name: 'a /24', a: '192.0.2.1', b: '192.0.2.254', bits: 24, same: true },
    { name: 'two /24', a: '192.0.2.1', b: '192.0.3.1', bits: 24, same: false },
    { name: 'a /20', a: '192.0.2.1', b: '192.0.15.1', bits: 20, same: true },
    { name: 'two /20', a: '192.0.2.1', b: '192.0.16.1', bits: 20, same: false },
    { name: 'a /64', a: '2001:db8::1', b: '2001:db8::2:0:0:1', bits: 64, same: true },
    { name: 'two /64', a: '2001:db8:0:1::1', b: '2001:db8:0:2::1', bits: 64, same: false },
  ])('$name: the same key is $same', ({ a, b, bits, same }) => {
    expect(keyed(a, bits).text === keyed(b, bits).text).toBe(same);
    expect(keyed(a, bits).hash === keyed(b, bits).hash).toBe(same);
  });

  it('leaves what the name is made of as it is', () => {
    const key = new QueryKey();
    const { bytes } = query('a.example.');
    key.read(bytes, 0, bytes.length, false);
    key.addNetwork(Buffer.from('AAAA'), 0, 32);
    expect(key.hasCapitals).toBe(false);
  });
});

describe('the hash', () => {
  const hash = (name: string, seed: number): number => keyOf(query(name), false, [seed, 5]).hash;

  it('is HalfSipHash-1-3', () => {
    const words = new Int32Array(new Uint8Array(32).map((_, i) => i).buffer);
    expect(hashWords(words.slice(), 4, 0x03020100, 0x07060504)).toBe(halfSip([...words].slice(0, 4)));
    expect(hashWords(words.slice(), 0, 0x03020100, 0x07060504)).toBe(halfSip([]));
  });

  it('depends on the seed: names that share a slot in one process do not in another', () => {
    const names = Array.from({ length: 400 }, (_, i) => `n${i}.example.org.`);
    const slots = (seed: number): Map<number, string[]> => {
      const bySlot = new Map<number, string[]>();
      for (const name of names) {
        const slot = hash(name, seed) & 0xff;
        bySlot.set(slot, [...(bySlot.get(slot) ?? []), name]);
      }
      return bySlot;
    };
    const crowded = [...slots(1).values()].sort((a, b) => b.length - a.length)[0]!;
    expect(crowded.length).toBeGreaterThan(3);
    expect(new Set(crowded.map((name) => hash(name, 2) & 0xff)).size).toBeGreaterThan(crowded.length / 2);
  });
});

/** The same in big numbers, as it is published: four words of state, a round for each word, three at the end. */
function halfSip(words: readonly number[]): number {
  const mask = 0xffffffffn;
  const rotated = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask;
  let [v0, v1, v2, v3] = [0x03020100n, 0x07060504n, 0x6c796765n ^ 0x03020100n, 0x74656462n ^ 0x07060504n];
  const round = (): void => {
    v0 = (v0 + v1) & mask;
    v1 = rotated(v1, 5n) ^ v0;
    v0 = rotated(v0, 16n);
    v2 = (v2 + v3) & mask;
    v3 = rotated(v3, 8n) ^ v2;
    v0 = (v0 + v3) & mask;
    v3 = rotated(v3, 7n) ^ v0;
    v2 = (v2 + v1) & mask;
    v1 = rotated(v1, 13n) ^ v2;
    v2 = rotated(v2, 16n);
  };
  for (const word of [...words, words.length]) {
    const m = BigInt(word >>> 0);
    v3 ^= m;
    round();
    v0 ^= m;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 3; i++) round();
  return Number(BigInt.asIntN(32, v1 ^ v3));
}
