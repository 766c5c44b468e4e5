import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kind, RecordTable, USUAL_KINDS, isSettled } from '../../../src/plugins/loadbalance/record-table.js';
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
    {
      name: 'a type above 255 is no address',
      records: encoded(['a. 5 IN TYPE257 \\# 1 00', 'a. 5 IN TYPE257 \\# 1 01']),
      want: true,
    },
  ])('$name', ({ records, want }) => {
    expect(isSettled(records)).toBe(want);
  });
});

/** The records with those of `order` in its places. */
function reordered(records: EncodedRecords, order: readonly number[]): EncodedRecords {
  const table = new RecordTable();
  table.load(records);
  table.sort(0, order.length, (place) => order.indexOf(place));
  return table.result();
}

describe('RecordTable', () => {
  it('groups by kind, each kind in its order', () => {
    const table = new RecordTable();
    table.load(encoded([M, B, T, A, C]));
    table.group(0, 5, USUAL_KINDS);
    expect(texts(decodeRecords(table.result()).answer)).toEqual([C, T, B, A, M]);
  });

  it('tells kind, owner and data of a place', () => {
    const table = new RecordTable();
    table.load(encoded([A, M]));
    table.swap(0, 1);
    expect([table.kind(0), table.kind(1)]).toEqual([Kind.EXCHANGE, Kind.ADDRESS]);
    expect([...table.owner(1)]).toEqual([1, 0x61, 0]);
    expect([...table.data(1)]).toEqual([192, 0, 2, 1]);
  });

  it('moves whole records and the places of their TTLs', () => {
    const records = reordered(encoded([A, B, M], [T], [C]), [2, 0, 1]);
    const { answer, authority, additional } = decodeRecords(records);
    expect(texts(answer)).toEqual([M, A, B]);
    expect([texts(authority), texts(additional)]).toEqual([[T], [C]]);
    expect(records.ttls.map((ttl) => Buffer.from(records.bytes).readUInt32BE(ttl))).toEqual([5, 5, 60, 7, 5]);
  });

  it('takes owner marks along', () => {
    const records = encoded([A, B, A]);
    const [first, second] = [encoded([A]).bytes.length, encoded([B]).bytes.length];
    expect(reordered({ ...records, owners: [0, first + second] }, [1, 0, 2]).owners).toEqual([second, second + first]);
  });

  it('gives back what has not moved', () => {
    const records = encoded([A, B]);
    expect(reordered(records, [0, 1])).toBe(records);
  });

  it('leaves what it was loaded with as it was', () => {
    const records = encoded([A, B]);
    const before = Buffer.from(records.bytes);
    reordered(records, [1, 0]);
    expect(Buffer.from(records.bytes)).toEqual(before);
  });

  it('holds any number of records', () => {
    const many = Array.from({ length: 300 }, (_, i) => `a. 5 IN A 192.0.${i >> 8}.${i & 255}`);
    expect(
      texts(
        decodeRecords(
          reordered(
            encoded(many),
            many.map((_, i) => many.length - 1 - i),
          ),
        ).answer,
      ),
    ).toEqual(many.toReversed());
  });

  it('any order of any records reads as the records in that order', () => {
    const pool = [A, B, C, M, T];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(pool, { minLength: 1 }).chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray(
              list.map((_, i) => i),
              { minLength: list.length },
            ),
          ),
        ),
        ([list, order]) => {
          expect(texts(decodeRecords(reordered(encoded(list), order)).answer)).toEqual(order.map((i) => list[i]));
        },
      ),
    );
  });
});
