import { describe, expect, it } from 'vitest';
import {
  NO_RECORDS,
  encodeRecords,
  packRecords,
  packedAnswers,
  packedLength,
  unpackRecords,
} from '../../src/wire/index.js';
import { rrs } from '../support/dns.js';

const a = 'www.example.org. 300 IN A 198.51.100.1';
const soa = 'example.org. 300 IN SOA ns.example.org. host.example.org. 1 7200 3600 86400 300';
const many = Array.from({ length: 40 }, (_, i) => `www.example.org. 300 IN A 192.0.2.${i}`);

describe('packed records', () => {
  it.each([
    { name: 'one answer', answer: [a] },
    {
      name: 'aliases and addresses',
      answer: ['www.example.org. 60 IN CNAME a.example.net.', 'a.example.net. 9 IN A 192.0.2.255'],
    },
    { name: 'a denial', authority: [soa] },
    { name: 'all sections', answer: [a], authority: [soa], additional: ['ns.example.org. 1 IN AAAA 2001:db8::ff'] },
    { name: 'data of no length and of the root', answer: ['. 0 IN NS .', '. 4294967295 IN TYPE65280 \\# 0'] },
    { name: 'data of more than 255 octets', answer: [`a. 7 IN TXT "${'x'.repeat(255)}" "${'y'.repeat(40)}"`, a] },
    { name: 'none', answer: [] },
  ])('are what they were: $name', ({ answer = [], authority = [], additional = [] }) => {
    const records = encodeRecords({
      answer: rrs(...answer),
      authority: rrs(...authority),
      additional: rrs(...additional),
    });
    const packed = packRecords(records);
    expect(typeof packed).toBe('string');
    expect(unpackRecords(packed)).toEqual({ ...records, bytes: Buffer.from(records.bytes) });
    expect([packedAnswers(packed), packedLength(packed)]).toEqual([answer.length, records.bytes.length]);
  });

  // A record of the root has 11 octets before its data.
  it.each([
    { octets: 512, packed: true },
    { octets: 513, packed: false },
  ])('may have 512 octets: $octets, $packed', ({ octets, packed }) => {
    const data = 'ab'.repeat(octets - 11);
    const answer = rrs(`. 1 IN TYPE65280 \\# ${octets - 11} ${data}`);
    const records = encodeRecords({ answer, authority: [], additional: [] });
    expect([records.bytes.length, typeof packRecords(records) === 'string']).toEqual([octets, packed]);
  });

  const long = encodeRecords({ answer: rrs(...many), authority: [], additional: [] });
  it.each([
    { name: 'long ones', records: long },
    { name: 'those that take over a spelling', records: { ...NO_RECORDS, owners: [] } },
    { name: 'more than 255 of a section', records: { ...NO_RECORDS, additionals: 256 } },
  ])('are left as they are: $name', ({ records }) => {
    expect(packRecords(records)).toBe(records);
    expect(unpackRecords(records)).toBe(records);
    expect([packedAnswers(records), packedLength(records)]).toEqual([records.answers, records.bytes.length]);
  });
});
