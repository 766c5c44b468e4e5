import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupKinds, isSettled, ownerAt, reorder } from '../../../src/plugins/loadbalance/order.js';
import { decodeRecords, encodeRecords, type EncodedRecords } from '../../../src/wire/index.js';
import { rrs, texts } from '../../support/dns.js';

const A = 'a. 5 IN A 192.0.2.1';
const B = 'b.example. 60 IN AAAA 2001:db8::1';
const C = 'c. 5 IN CNAME a.';
const M = 'm. 5 IN MX 10 mail.example.';
const T = 't. 7 IN TXT "text"';
const encoded = (answer: string[], authority: string[] = [], additional: string[] = []): EncodedRecords =>
  encodeRecords({ answer: rrs(...answer), authority: rrs(...authority), additional: rrs(...additional) });

describe('isSettled', () => {
  it.each([
    { name: 'no records', records: encoded([]), want: true },
    { name: 'one address', records: encoded([A]), want: true },
    { name: 'one of each kind in the usual order', records: encoded([C, T, A, M]), want: true },
    { name: 'several of kinds that are not shuffled', records: encoded([C, C, T, T, A]), want: true },
    { name: 'one address in each section', records: encoded([A], [A], [A]), want: true },
    { name: 'two addresses', records: encoded([A, B]), want: false },
    { name: 'two mail exchanges', records: encoded([M, M]), want: false },
    { name: 'two addresses at the end', records: encoded([A], [], [A, B]), want: false },
    { name: 'an alias behind an address', records: encoded([A, C]), want: false },
    { name: 'a type above 255 is no address', records: encoded(['a. 5 IN TYPE257 \\# 1 00', 'a. 5 IN TYPE257 \\# 1 01']), want: true },
  ])('$name', ({ records, want }) => {
    expect(isSettled(records)).toBe(want);
  });
});

describe('groupKinds', () => {
  it('puts aliases first, then the rest, addresses, mail exchanges', () => {
    expect(groupKinds(encoded([M, B, T, A, C, M]), 0, 6)).toEqual([4, 2, 1, 3, 0, 5]);
  });
});

describe('reorder', () => {
  it('moves whole records and the places of their TTLs', () => {
    const records = reorder(encoded([A, B, M], [T], [C]), [2, 0, 1, 3, 4]);
    const { answer, authority, additional } = decodeRecords(records);
    expect(texts(answer)).toEqual([M, A, B]);
    expect([texts(authority), texts(additional)]).toEqual([[T], [C]]);
    expect(records.ttls.map((ttl) => Buffer.from(records.bytes).readUInt32BE(ttl))).toEqual([5, 5, 60, 7, 5]);
  });

  it('takes owner marks along', () => {
    const records = encoded([A, B, A]);
    const moved = reorder({ ...records, owners: [0, ownerAt(records, 2)] }, [1, 0, 2]);
    expect(moved.owners).toEqual([ownerAt(moved, 1), ownerAt(moved, 2)]);
  });

  it('gives back what is in order already', () => {
    const records = encoded([A, B]);
    expect(reorder(records, [0, 1])).toBe(records);
  });

  it('leaves its argument as it was', () => {
    const records = encoded([A, B]);
    const before = Buffer.from(records.bytes);
    reorder(records, [1, 0]);
    expect(Buffer.from(records.bytes)).toEqual(before);
  });

  it('any order of any records reads as the records in that order', () => {
    const pool = [A, B, C, M, T];
    fc.assert(fc.property(fc.shuffledSubarray(pool, { minLength: 1 }).chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list.map((_, i) => i), { minLength: list.length }))), ([list, order]) => {
      expect(texts(decodeRecords(reorder(encoded(list), order)).answer)).toEqual(order.map((i) => list[i]));
    }));
  });
});
