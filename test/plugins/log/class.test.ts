import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import { classOf, typeOf } from '../../../src/plugins/log/class.js';
import { Flag, Type, type Rr } from '../../../src/wire/index.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const soa = 'example.org. 300 IN SOA ns.example.org. host.example.org. 1 2 3 4 5';

/** A signature that is valid from `from` to `to`, in seconds counted from the test's time. */
function rrsig(from: number, to: number): Rr {
  const rdata = Buffer.alloc(40);
  rdata.writeUInt32BE((SECONDS + to) % 2 ** 32, 8);
  rdata.writeUInt32BE((SECONDS + from + 2 ** 32) % 2 ** 32, 12);
  return { name: 'a.', type: Type.RRSIG, class: 1, ttl: 5, rdata };
}
const signed = (signature: Rr): Reply =>
  Reply.of(Flag.RA, 0, { answer: [...reply({ answer: ['a. 5 IN A 192.0.2.1'] }).answer, signature] });
const notify = (): ReturnType<typeof query> =>
  query('a.').withMessage((message) => ({ ...message, flags: message.flags | (4 << 11) }));

describe('classOf', () => {
  const rows: {
    name: string;
    type?: string;
    options?: QuestionOptions;
    reply: Reply | undefined;
    want: [string, string];
  }[] = [
    { name: 'records', reply: reply({ answer: ['a. 5 IN A 192.0.2.1'] }), want: ['success', 'NOERROR'] },
    {
      name: 'records beside an SOA',
      reply: reply({ answer: ['a. 5 IN A 192.0.2.1'], authority: [soa] }),
      want: ['success', 'NOERROR'],
    },
    { name: 'a delegation', reply: reply({ authority: ['a. 5 IN NS ns.a.'] }), want: ['success', 'DELEGATION'] },
    { name: 'NOERROR with nothing', reply: reply(), want: ['success', 'NOERROR'] },
    { name: 'NODATA', reply: reply({ authority: [soa] }), want: ['denial', 'NODATA'] },
    { name: 'NXDOMAIN', reply: reply({ rcode: 3, authority: [soa] }), want: ['denial', 'NXDOMAIN'] },
    { name: 'NXDOMAIN without an SOA', reply: reply({ rcode: 3 }), want: ['denial', 'NXDOMAIN'] },
    {
      name: 'NXDOMAIN behind an alias',
      reply: reply({ rcode: 3, answer: ['a. 5 IN CNAME b.'], authority: [soa] }),
      want: ['error', 'OTHERERROR'],
    },
    { name: 'NOTIMP', reply: reply({ rcode: 4 }), want: ['error', 'SERVERERROR'] },
    { name: 'SERVFAIL', reply: reply({ rcode: 2 }), want: ['error', 'SERVERERROR'] },
    { name: 'REFUSED', reply: reply({ rcode: 5, authority: [soa] }), want: ['error', 'OTHERERROR'] },
    { name: 'no reply', reply: undefined, want: ['error', 'OTHERERROR'] },
    { name: 'a zone transfer', type: 'AXFR', reply: reply({ answer: [soa] }), want: ['error', 'META'] },
    { name: 'a transfer of changes', type: 'IXFR', reply: reply({ answer: [soa] }), want: ['error', 'META'] },
    {
      name: 'a signature that is valid since half of all times ago',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(-(2 ** 31), 10)),
      want: ['error', 'OTHERERROR'],
    },
    {
      name: 'a signature that is valid until half of all times on',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(-10, 2 ** 31)),
      want: ['error', 'OTHERERROR'],
    },
    {
      name: 'a signature out of time, which the client did not ask for',
      reply: signed(rrsig(-20, -10)),
      want: ['success', 'NOERROR'],
    },
    {
      name: 'a signature out of time',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(-20, -10)),
      want: ['error', 'OTHERERROR'],
    },
    {
      name: 'a signature before its time',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(10, 20)),
      want: ['error', 'OTHERERROR'],
    },
    {
      name: 'a valid signature',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(-10, 10)),
      want: ['success', 'NOERROR'],
    },
    {
      name: 'a signature that is valid across the year 2106',
      options: { edns: 1232, do: true },
      reply: signed(rrsig(-10, 2 ** 31 - 1)),
      want: ['success', 'NOERROR'],
    },
  ];
  it.each(rows)('$name: $want', ({ type, options, reply: got, want }) => {
    const found = typeOf(query('a.', type, options), got, NOW);
    expect([classOf(found), found]).toEqual(want);
  });

  it('tells a NOTIFY', () => {
    expect(typeOf(notify(), reply({ answer: [soa] }), NOW)).toBe('META');
  });
});
