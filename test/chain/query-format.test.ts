import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/chain/index.js';
import { COMBINED_LOG_FORMAT, COMMON_LOG_FORMAT, compileFormat } from '../../src/chain/index.js';
import { Flag } from '../../src/wire/index.js';
import { query, reply, type QuestionOptions } from '../support/dns.js';

const a = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `www.example.org. 300 IN A 192.0.2.${i}`);

interface Row {
  name: string;
  format: string;
  qname?: string;
  type?: string;
  options?: QuestionOptions;
  reply?: Reply | undefined;
  elapsed?: number;
  want: string;
}

describe('compileFormat', () => {
  const rows: Row[] = [
    {
      name: 'the common format',
      format: COMMON_LOG_FORMAT,
      options: { id: 29008, edns: 1232 },
      reply: reply({ answer: a(1) }),
      elapsed: 1.3,
      want: '127.0.0.1:40212 - 29008 "A IN www.example.org. udp 44 false 1232" NOERROR qr,rd,ra 64 0.0013s',
    },
    {
      name: 'the combined format',
      format: COMBINED_LOG_FORMAT,
      options: { transport: 'tcp', do: true, edns: 4096, remote: '::1', port: 50759 },
      reply: reply({ rcode: 3 }),
      elapsed: 37.990251,
      want: '[::1]:50759 - 4660 "A IN www.example.org. tcp 44 true 65535" NXDOMAIN qr,rd,ra 33 0.037990251s "0"',
    },
    {
      name: 'no reply',
      format: COMMON_LOG_FORMAT,
      elapsed: 2.33467,
      want: '127.0.0.1:40212 - 4660 "A IN www.example.org. udp 33 false 512" - - 0 0.00233467s',
    },
    { name: 'the name in lower case', format: '{name}', qname: 'WWW.Example.ORG.', want: 'www.example.org.' },
    { name: 'a type without a name', format: '{type}', type: 'TYPE65280', want: 'TYPE65280' },
    { name: 'other classes', format: '{class}', options: { class: 3 }, want: 'CH' },
    { name: 'the address asked', format: '{local}', want: '127.0.0.1' },
    { name: 'the buffer size without EDNS', format: '{>bufsize}', want: '512' },
    { name: 'a buffer size below the least', format: '{>bufsize}', options: { edns: 100 }, want: '512' },
    { name: 'an rcode without a name', format: '{rcode}', reply: reply({ rcode: 12 }), want: '12' },
    {
      name: 'all flags, RD and CD from the query',
      format: '{>rflags}',
      options: { cd: true },
      reply: reply({ flags: Flag.AA | Flag.TC | Flag.RA | Flag.AD | Flag.Z }),
      want: 'qr,aa,tc,rd,ra,z,ad,cd',
    },
    {
      name: 'no flags but QR',
      format: '{>rflags}',
      options: { rd: false },
      reply: reply({ flags: Flag.RD | Flag.CD }),
      want: 'qr',
    },
    {
      name: 'TC for a reply that will be cut short',
      format: '{>rflags} {rsize}',
      reply: reply({ answer: a(40) }),
      want: 'qr,tc,rd,ra 1273',
    },
    {
      name: 'no TC for a reply that fits once compressed',
      format: '{>rflags} {rsize}',
      reply: reply({ answer: a(20) }),
      want: 'qr,rd,ra 653',
    },
    {
      name: 'no TC where the client takes the reply',
      format: '{>rflags}',
      options: { edns: 1284 },
      reply: reply({ answer: a(40) }),
      want: 'qr,rd,ra',
    },
    {
      name: 'the size with the OPT record of an upstream',
      format: '{rsize}',
      options: { edns: 1232 },
      reply: reply({ answer: a(1) }).withEdns({ udpSize: 1232, version: 0, do: false, options: [] }),
      want: '75',
    },
    { name: 'metadata, of which there is none', format: '{/forward/upstream}', want: '-' },
    {
      name: 'braces that are no placeholder',
      format: '{ {name} } {nosuch} {>nosuch} } {',
      want: '{ www.example.org. } {nosuch} {>nosuch} } {',
    },
    { name: 'JSON around placeholders', format: '{"name":"{name}"}', want: '{"name":"www.example.org."}' },
    { name: 'no placeholder at all', format: 'asked', want: 'asked' },
    { name: 'no time', format: '{duration}', elapsed: 0, want: '0s' },
    { name: 'less than a microsecond', format: '{duration}', elapsed: 0.0005, want: '0.0000005s' },
    { name: 'nanoseconds, rounded', format: '{duration}', elapsed: 0.0234567891, want: '0.000023457s' },
    { name: 'whole seconds', format: '{duration}', elapsed: 2000, want: '2s' },
  ];
  it.each(rows)('writes $name', ({ format, qname, type, options, reply: got, elapsed, want }) => {
    expect(compileFormat(format)(query(qname ?? 'www.example.org.', type, options), got, elapsed ?? 0)).toBe(want);
  });
});
