import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { whoami } from '../../../src/plugins/whoami/setup.js';
import { query, summary, type QuestionOptions } from '../../support/dns.js';
import { setup } from '../../support/block.js';

const long = `${`${'a'.repeat(62)}.`.repeat(3)}${'b'.repeat(61)}.`;

describe('whoami', () => {
  const rows: { name: string; qname: string; type?: string; options?: QuestionOptions; additional: string[] }[] = [
    {
      name: 'IPv4 over UDP',
      qname: 'example.org.',
      additional: ['example.org. 0 IN A 127.0.0.1', '_udp.example.org. 0 IN SRV 0 0 40212 .'],
    },
    {
      name: 'IPv6 over TCP',
      qname: 'example.org.',
      options: { remote: '2001:db8::7', port: 53, transport: 'tcp' },
      additional: ['example.org. 0 IN AAAA 2001:db8::7', '_tcp.example.org. 0 IN SRV 0 0 53 .'],
    },
    {
      name: 'a link-local client, its interface dropped',
      qname: 'a.',
      options: { remote: 'fe80::1%eth0' },
      additional: ['a. 0 IN AAAA fe80::1', '_udp.a. 0 IN SRV 0 0 40212 .'],
    },
    {
      name: 'any type',
      qname: 'example.org.',
      type: 'MX',
      additional: ['example.org. 0 IN A 127.0.0.1', '_udp.example.org. 0 IN SRV 0 0 40212 .'],
    },
    {
      name: "the client's spelling and class",
      qname: 'ExAmple.org.',
      options: { class: 3 },
      additional: ['ExAmple.org. 0 CH A 127.0.0.1', '_udp.ExAmple.org. 0 CH SRV 0 0 40212 .'],
    },
    { name: 'the root', qname: '.', additional: ['. 0 IN A 127.0.0.1', '_udp. 0 IN SRV 0 0 40212 .'] },
    { name: 'a name without room for a label', qname: long, additional: [`${long} 0 IN A 127.0.0.1`] },
  ];
  it.each(rows)('$name', ({ qname, type, options, additional }) => {
    const outcome = setup(whoami, 'whoami').ask(query(qname, type ?? 'A', options)) as Outcome;
    expect(summary(outcome)).toEqual({ rcode: 'NOERROR', flags: 'aa', additional });
  });

  it.each([
    { name: 'an argument', text: 'whoami x', error: "Corefile:2: whoami: got 1 argument ('x'), allowed: no argument" },
    { name: 'a block', text: 'whoami {\n}', error: 'Corefile:2: whoami: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(whoami, text)).toThrow(error);
  });
});
