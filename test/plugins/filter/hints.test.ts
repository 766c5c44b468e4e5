import { describe, expect, it } from 'vitest';
import { IPV4_HINT, IPV6_HINT, withoutHint } from '../../../src/plugins/filter/hints.js';
import { Type, type Rr } from '../../../src/wire/index.js';

/** An HTTPS record of a target and parameters: a key and its value each. */
const https = (...parameters: [key: number, value: readonly number[]][]): Rr => {
  const parts = parameters.map(([key, value]) => [
    key >> 8,
    key & 255,
    value.length >> 8,
    value.length & 255,
    ...value,
  ]);
  return { name: 'a.', type: Type.HTTPS, class: 1, ttl: 5, rdata: Buffer.from([0, 1, 1, 0x61, 0, ...parts.flat()]) };
};
const keys = (...list: number[]): number[] => list.flatMap((key) => [key >> 8, key & 255]);
const V4 = [IPV4_HINT, [192, 0, 2, 1]] as const;
const V6 = [IPV6_HINT, Array<number>(16).fill(7)] as const;
const LONG = [5, Array<number>(300).fill(9)] as const;
/** 130 keys, the hint's among them. */
const MANY = [IPV4_HINT, ...Array.from({ length: 129 }, (_, i) => 0x1234 + i)];

describe('a record without its hints', () => {
  it.each([
    { name: 'one of two', record: https([...V4], [...V6]), want: https([...V6]) },
    { name: 'behind a long one', record: https([...LONG], [...V4]), want: https([...LONG]) },
    { name: 'beside a key of two bytes', record: https([0x0106, [1]], [...V4]), want: https([0x0106, [1]]) },
    { name: 'from the mandatory keys', record: https([0, keys(1, 4, 0x0104)], [...V4]), want: https([0, keys(1, 0x0104)]) },
    { name: 'from many mandatory keys', record: https([0, keys(...MANY)], [...V4]), want: https([0, keys(...MANY.slice(1))]) },
    { name: 'from the only mandatory key', record: https([0, keys(4)], [...V4]), want: https() },
  ])('loses it $name', ({ record, want }) => expect(withoutHint(record, IPV4_HINT)).toEqual(want)); // prettier-ignore

  it.each([
    { name: 'no parameters', record: https() },
    { name: 'other ones', record: https([1, [2, 0x68, 0x32]], [...V6]) },
    { name: 'half a key', record: https([...V4], [0, []]) },
  ])('stays itself with $name', ({ name, record }) => {
    const cut = name === 'half a key' ? { ...record, rdata: record.rdata.subarray(0, -1) } : record;
    expect(withoutHint(cut, IPV4_HINT)).toBe(cut);
  });
});
