import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { local } from '../../../src/plugins/local/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

const OFF = 'local {\nlocalhost_prefix off\n}';
const soa = (zone: string): string => `${zone} 604800 IN SOA localhost. root.localhost. 1 0 0 0 604800`;
const yes = (...answer: string[]): unknown => ({ rcode: 'NOERROR', flags: '', answer });
const nodata = (zone: string): unknown => ({ rcode: 'NOERROR', flags: '', authority: [soa(zone)] });
const no = (zone: string): unknown => ({ rcode: 'NXDOMAIN', flags: '', authority: [soa(zone)] });
const PASSED = { rcode: 'REFUSED', flags: 'ra' };

describe('local', () => {
  it.each([
    { qname: 'localhost.', want: yes('localhost. 604800 IN A 127.0.0.1') },
    { qname: 'LocalHost.', type: 'AAAA', want: yes('LocalHost. 604800 IN AAAA ::1') },
    { qname: 'localhost.', type: 'SOA', want: yes(soa('localhost.')) },
    { qname: 'localhost.', type: 'NS', want: yes('localhost. 604800 IN NS localhost.') },
    { qname: 'localhost.', type: 'TXT', want: nodata('localhost.') },
    { qname: 'a.b.localhost.', want: yes('a.b.localhost. 604800 IN A 127.0.0.1') },
    { qname: 'a.localhost.', type: 'SOA', want: nodata('a.localhost.') },
    { qname: 'localhost.example.org.', type: 'AAAA', want: yes('localhost.example.org. 604800 IN AAAA ::1') },
    { qname: 'localhost.example.org.', type: 'MX', want: nodata('localhost.example.org.') },
    { qname: 'localhost.example.org.', text: OFF, want: PASSED },
    { qname: 'a.localhost.', text: OFF, want: yes('a.localhost. 604800 IN A 127.0.0.1') },
    { qname: 'a.localhost.', text: `local\n${OFF}\nlocal`, want: yes('a.localhost. 604800 IN A 127.0.0.1') },
    { qname: 'mylocalhost.', want: PASSED },
    { qname: 'localhosts.', want: PASSED },
    { qname: '127.in-addr.arpa.', type: 'SOA', want: yes(soa('127.in-addr.arpa.')) },
    { qname: '127.in-addr.arpa.', type: 'NS', want: yes('127.in-addr.arpa. 604800 IN NS localhost.') },
    { qname: '127.in-addr.arpa.', want: nodata('127.in-addr.arpa.') },
    {
      qname: '1.0.0.127.in-addr.arpa.',
      type: 'PTR',
      want: yes('1.0.0.127.in-addr.arpa. 604800 IN PTR localhost.'),
    },
    { qname: '1.0.0.127.in-addr.arpa.', type: 'TXT', want: nodata('127.in-addr.arpa.') },
    { qname: '2.0.0.127.IN-ADDR.arpa.', type: 'PTR', want: no('127.IN-ADDR.arpa.') },
    { qname: '9.255.in-addr.arpa.', want: no('255.in-addr.arpa.') },
    { qname: '0.in-addr.arpa.', type: 'AAAA', want: nodata('0.in-addr.arpa.') },
    { qname: '1.in-addr.arpa.', type: 'PTR', want: PASSED },
    { qname: 'localhost.', questionClass: 3, want: PASSED },
  ])('$qname $type $text', ({ qname, type, text, questionClass, want }) => {
    const asked = query(qname, type, { class: questionClass });
    expect(summary(setup(local, text ?? 'local').ask(asked, () => reply({ rcode: 5 })) as Outcome)).toEqual(want);
  });

  it('counts and reports names under localhost and localhost in a domain', async () => {
    const { block, ask } = setup(local, 'local');
    for (const name of ['localhost.', 'a.localhost.', 'localhost.example.org.', '127.in-addr.arpa.'])
      void ask(query(name, 'A', { remote: '192.0.2.9' }));
    expect(await block.metrics.text()).toMatch(/^coredns_local_localhost_requests_total 2$/m);
    expect(block.log.lines).toEqual([
      '[DEBUG] plugin/local: Intercepting localhost query for "a.localhost." A, from 192.0.2.9',
      '[DEBUG] plugin/local: Intercepting localhost query for "localhost.example.org." A, from 192.0.2.9',
    ]);
  });

  it.each([
    { name: 'an argument', text: 'local x', error: "2: local: got 1 argument ('x'), allowed: no argument" },
    { name: 'another option', text: 'local {\nprefix on\n}', error: "3: local: unknown option 'prefix'" },
    {
      name: 'neither on nor off',
      text: 'local {\nlocalhost_prefix maybe\n}',
      error: "3: local: localhost_prefix: got 'maybe', allowed: on, off",
    },
    {
      name: 'nothing said',
      text: 'local {\nlocalhost_prefix\n}',
      error: '3: local: localhost_prefix: got no argument',
    },
  ])('refuses $name', ({ text, error }) => expect(() => setup(local, text)).toThrow(`Corefile:${error}`));
});
