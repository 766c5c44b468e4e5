import { describe, expect, it } from 'vitest';
import { showsNoSpelling, withOwners } from '../../src/fastpath/spelling.js';
import { query } from '../support/dns.js';

const wire = (name: string): Uint8Array => {
  const { bytes, questionEnd } = query(name);
  return bytes.subarray(12, questionEnd - 4);
};

describe('an answer that shows nothing of the spelling', () => {
  it.each([
    { name: 'WwW.eXample.oRG.', records: '....', shows: false },
    { name: 'WwW.eXample.oRG.', records: '3www7example3org', shows: false },
    { name: 'WwW.eXample.oRG.', records: 'TXT of other Capitals', shows: false },
    { name: 'WwW.eXample.oRG.', records: '..WwW..', shows: true },
    { name: 'WwW.eXample.oRG.', records: '..7eXample3org', shows: true },
    { name: 'WwW.eXample.oRG.', records: 'a part: Xam', shows: true },
    { name: 'Ab.eXample.oRG.', records: 'Ab', shows: true },
    { name: 'A.b.eXample.oRG.', records: '', shows: true, why: 'a label that could not tell' },
    { name: 'WwW.example.oRG.', records: '', shows: true, why: 'a label that could not tell' },
    { name: 'www.example.org.', records: '', shows: true, why: 'no label that could tell' },
    { name: 'a.eXample.', records: '', shows: true, why: 'a label that could not tell, of one letter' },
    { name: '\\[b.', records: '', shows: true, why: 'no capital, but what follows the last one' },
    { name: 'X.1.2-3.oRG.', records: '', shows: false },
    { name: 'Ab.Zy.', records: '', shows: false },
  ])('$name, $records: it may show it is $shows', ({ name, records, shows }) => {
    expect(showsNoSpelling(wire(name), Buffer.from(records))).toBe(!shows);
  });
});

it('owners get the name that is given', () => {
  const records = Buffer.from('xxABCxxABC');
  expect(Buffer.from(withOwners(records, [2, 7], Buffer.from('abc'))).toString()).toBe('xxabcxxabc');
  expect(records.toString()).toBe('xxABCxxABC');
  expect(withOwners(records, [], Buffer.from('abc'))).toBe(records);
});
