import { describe, expect, it } from 'vitest';
import { whyDue } from '../../../src/plugins/sign/due.js';
import { readSource } from '../../../src/plugins/sign/source.js';

const NOW = Date.UTC(2026, 5, 15, 12);
const [SECOND, DAY] = [1000, 86_400_000];
/** A time as RRSIG records have it: YYYYMMDDHHmmSS. */
const stamp = (at: number): string => new Date(at).toISOString().replace(/[-:T]|\..*/g, '');
const SOA = 'e. 60 IN SOA ns.e. m.e. 1 1 1 1 1\n';
const A = 'e. 60 IN A 192.0.2.1\n';

/** A signature that began and ends so long from now. */
const signature = (begins: number, ends: number, type = 'SOA'): string =>
  `e. 60 IN RRSIG ${type} 8 1 60 ${stamp(NOW + ends)} ${stamp(NOW + begins)} 1 e. AAAA\n`;
const GOOD = signature(-DAY, 20 * DAY);
const why = (text: string): string | undefined => whyDue('db.e', () => Buffer.from(text), NOW);

describe('a signed zone', () => {
  it.each([
    { name: 'in the middle of its time', text: SOA + GOOD },
    { name: 'that begins now', text: SOA + signature(0, 20 * DAY) },
    { name: 'as old as it may be', text: SOA + signature(-6 * DAY, 20 * DAY) },
    { name: 'with as little left as it may have', text: SOA + signature(-DAY, 7 * DAY) },
    { name: 'with an old signature of another type', text: SOA + signature(-60 * DAY, -30 * DAY, 'A') + GOOD },
    { name: 'whose signature is the last that is looked at', text: SOA + A.repeat(98) + GOOD },
  ])('is left as it is: one $name', ({ text }) => expect(why(text)).toBeUndefined());

  it.each([
    {
      name: 'from the future',
      text: SOA + signature(SECOND, 20 * DAY),
      reason: 'its signature begins in the future, at 2026-06-15T12:00:01.000Z',
    },
    {
      name: 'a second too old',
      text: SOA + signature(-6 * DAY - SECOND, 20 * DAY),
      reason: 'its signature began more than 6 days ago, at 2026-06-09T11:59:59.000Z',
    },
    {
      name: 'that ends a second too soon',
      text: SOA + signature(-DAY, 7 * DAY - SECOND),
      reason: 'its signature ends in less than 7 days, at 2026-06-22T11:59:59.000Z',
    },
    {
      name: 'with one signature that is too old',
      text: SOA + GOOD + signature(-7 * DAY, 20 * DAY),
      reason: 'its signature began more than 6 days ago, at 2026-06-08T12:00:00.000Z',
    },
    {
      name: 'whose signature comes too late',
      text: SOA + A.repeat(99) + GOOD,
      reason: 'no RRSIG record of the SOA record is among its first 100 records',
    },
    {
      name: 'with a signature of another type only',
      text: SOA + signature(-DAY, 20 * DAY, 'A'),
      reason: 'no RRSIG record of the SOA record is among its first 100 records',
    },
    { name: 'that cannot be understood', text: 'e. 60 IN SOA x\n', reason: 'db.e:1' },
  ])('is signed again: one $name', ({ text, reason }) => expect(why(text)).toContain(reason));
});

it.each([
  { records: 499, pauses: 0 },
  { records: 500, pauses: 1 },
  { records: 1000, pauses: 2 },
])('a zone of $records records is read with $pauses pauses for what else is to be done', ({ records, pauses }) => {
  const others = Array.from({ length: records - 1 }, (_, i) => `a${i}.e. 60 IN A 192.0.2.1\n`);
  const reading = readSource('db.e', 'e.', () => Buffer.from(SOA + others.join('')));
  let count = 0;
  while (reading.next().done !== true) count++;
  expect(count).toBe(pauses);
});
