import { describe, expect, it } from 'vitest';
import { DROP, Reply, ReplyLease, type Outcome } from '../../../src/chain/index.js';
import { minimal } from '../../../src/plugins/minimal/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

const SOA = 'example.org. 60 IN SOA ns.example.org. host.example.org. 1 2 3 4 5';
const NS = 'example.org. 60 IN NS ns.example.org.';
const ADDITIONAL = ['ns.example.org. 60 IN A 192.0.2.53'];
const answer = ['a. 60 IN A 192.0.2.1'];
const through = (made: Outcome, type = 'A'): Outcome =>
  setup(minimal, 'minimal').ask(query('a.', type), () => made) as Outcome;

describe('minimal', () => {
  it.each([
    { name: 'an answer', made: reply({ answer, authority: [NS], additional: ADDITIONAL }), want: { answer } },
    { name: 'a success without answers', made: reply({ additional: ADDITIONAL }), want: {} },
  ])('leaves only the answer section of $name', ({ made, want }) => {
    expect(summary(through(made))).toEqual({ rcode: 'NOERROR', flags: 'ra', ...want });
  });

  it.each([
    { name: 'an answer without more', made: reply({ answer }) },
    { name: 'NODATA', made: reply({ authority: [SOA], additional: ADDITIONAL }) },
    { name: 'NXDOMAIN', made: reply({ rcode: 3, authority: [SOA] }) },
    { name: 'a referral', made: reply({ authority: [NS], additional: ADDITIONAL }) },
    { name: 'an error', made: reply({ rcode: 5, additional: ADDITIONAL }) },
    { name: 'a failure', made: Reply.failure(2) },
    { name: 'silence', made: DROP as Outcome },
    { name: 'a zone transfer', made: reply({ answer, additional: ADDITIONAL }), type: 'AXFR' },
  ])('leaves $name as it is', ({ made, type }) => expect(through(made, type)).toBe(made));

  it('keeps flags, TTLs and how long it stays right, and leaves out EDNS options', () => {
    const lease = new ReplyLease(Infinity);
    const edns = { udpSize: 1232, version: 0, do: false, options: [{ code: 15, data: Buffer.of(0, 3) }] };
    const { records } = reply({ answer, additional: ADDITIONAL });
    const got = through(Reply.ofRecords(0x400, 0, records, 7, edns, lease)) as Reply;
    expect(got).toMatchObject({ flags: 0x8400, lease, edns: undefined });
    expect(summary(got)).toEqual({ rcode: 'NOERROR', flags: 'aa', answer: ['a. 7 IN A 192.0.2.1'] });
  });

  it.each([
    { name: 'an argument', text: 'minimal x', error: "minimal: got 1 argument ('x'), allowed: no argument" },
    { name: 'a block', text: 'minimal {\n}', error: 'minimal: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(minimal, text)).toThrow(`Corefile:2: ${error}`);
  });
});
