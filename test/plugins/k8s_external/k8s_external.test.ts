import { describe, expect, it } from 'vitest';
import type { Handler, ProvidesExternalServices, TransfersZones } from '../../../src/chain/index.js';
import { k8sExternal } from '../../../src/plugins/k8s_external/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary, texts } from '../../support/dns.js';

/** A cluster with one service of each kind. */
const cluster: Handler & ProvidesExternalServices = {
  name: 'kubernetes',
  handle: () => reply(),
  externalTtl: 5,
  externalSerial: 1_753_833_600,
  external: (labels, headless) => {
    const name = labels.join('.');
    if (name === 'ns') return 'no-data';
    if (name === 'web.ns')
      return [
        { host: '192.0.2.1', port: 80, label: 'web.ns' },
        { host: '192.0.2.1', port: 443, label: 'web.ns' },
        { host: '2001:db8::1', port: 80, label: 'web.ns' },
      ];
    if (name === 'lb.ns') return [{ host: 'lb.example.org', port: 80, label: 'lb.ns' }];
    if (name === 'portless.ns') return [{ host: '192.0.2.9', port: undefined, label: 'portless.ns' }];
    return name === 'db.ns' && headless ? [{ host: '10.0.0.1', port: 5432, label: 'db-0.db.ns' }] : 'no-name';
  },
  externalNames: (headless) => [
    ['web', 'ns'],
    ['_http', '_tcp', 'web', 'ns'],
    ['lb', 'ns'],
    ...(headless ? [['db', 'ns']] : []),
  ],
  externalLabels: (ip) => (ip === '192.0.2.1' ? ['web.ns', 'other.ns'] : []),
  externalServers: (headless) => (headless ? ['10.0.0.9'] : ['192.0.2.53', '2001:db8::53']),
};

async function ask(qname: string, type = 'A', options: string[] = []): Promise<unknown> {
  const made = setup(k8sExternal, `k8s_external ext.test 2.0.192.in-addr.arpa {\n${options.join('\n')}\n}`, {
    ask: (own) =>
      own.name === 'lb.example.org.' && own.typeName === 'A'
        ? reply({ flags: 0x200, answer: ['lb.example.org. 9 IN A 198.51.100.1'] })
        : reply(),
  });
  made.block.chain = [...made.handlers, cluster];
  await made.block.run('start');
  return summary(await made.ask(query(qname, type), () => reply({ rcode: 5 })));
}

const soa = (zone = 'ext.test.', apex = 'dns', ttl = 5): string =>
  `${zone} ${ttl} IN SOA ns1.${apex}.${zone} hostmaster.${apex}.${zone} 1753833600 7200 1800 86400 ${ttl}`;
const yes = (...answer: string[]): object => ({ rcode: 'NOERROR', flags: 'aa', answer });
const NODATA = { rcode: 'NOERROR', flags: 'aa', authority: [soa()] };
const NXDOMAIN = { rcode: 'NXDOMAIN', flags: 'aa', authority: [soa()] };

describe('k8s_external', () => {
  it.each<{ name: string; qname: string; type?: string; options?: string[]; want: object }>([
    { name: 'an address', qname: 'Web.ns.ext.test.', want: yes('Web.ns.ext.test. 5 IN A 192.0.2.1') },
    { name: 'an IPv6 address', qname: 'web.ns.ext.test.', type: 'AAAA', want: yes('web.ns.ext.test. 5 IN AAAA 2001:db8::1') },
    { name: 'the longest TTL', qname: 'web.ns.ext.test.', options: ['ttl 3600'], want: yes('web.ns.ext.test. 3600 IN A 192.0.2.1') },
    { name: 'a TTL', qname: 'web.ns.ext.test.', options: ['ttl 17'], want: yes('web.ns.ext.test. 17 IN A 192.0.2.1') },
    {
      name: 'services',
      qname: 'web.ns.ext.test.',
      type: 'SRV',
      options: ['ttl 17'],
      want: {
        ...yes('web.ns.ext.test. 5 IN SRV 0 33 80 web.ns.ext.test.', 'web.ns.ext.test. 5 IN SRV 0 33 443 web.ns.ext.test.'),
        additional: ['web.ns.ext.test. 17 IN A 192.0.2.1', 'web.ns.ext.test. 17 IN AAAA 2001:db8::1'],
      },
    },
    { name: 'another type', qname: 'web.ns.ext.test.', type: 'TXT', want: NODATA },
    { name: 'a namespace', qname: 'ns.ext.test.', want: NODATA },
    { name: 'no such name', qname: 'nosuch.ns.ext.test.', want: NXDOMAIN },
    { name: 'no such name, asked further on', qname: 'nosuch.ns.ext.test.', options: ['fallthrough'], want: { rcode: 'REFUSED', flags: 'ra' } },
    { name: 'no such name in another zone than those asked further on', qname: 'nosuch.ns.ext.test.', options: ['fallthrough a.test'], want: NXDOMAIN },
    { name: 'a name of a load balancer', qname: 'lb.ns.ext.test.', want: { ...yes('lb.ns.ext.test. 5 IN CNAME lb.example.org.', 'lb.example.org. 9 IN A 198.51.100.1'), flags: 'aa,tc' } },
    {
      name: 'a service at a load balancer',
      qname: 'lb.ns.ext.test.',
      type: 'SRV',
      want: { ...yes('lb.ns.ext.test. 5 IN SRV 0 100 80 lb.example.org.'), additional: ['lb.example.org. 9 IN A 198.51.100.1'] },
    },
    { name: 'no port', qname: 'portless.ns.ext.test.', type: 'SRV', want: NODATA },
    { name: 'a headless service, not asked for', qname: 'db.ns.ext.test.', want: NXDOMAIN },
    {
      name: 'a headless service',
      qname: 'db.ns.ext.test.',
      type: 'SRV',
      options: ['headless'],
      want: { ...yes('db.ns.ext.test. 5 IN SRV 0 100 5432 db-0.db.ns.ext.test.'), additional: ['db-0.db.ns.ext.test. 5 IN A 10.0.0.1'] },
    },
    { name: 'the SOA record', qname: 'ext.test.', type: 'SOA', want: yes(soa()) },
    { name: 'another apex', qname: 'ext.test.', type: 'SOA', options: ['apex NS', 'ttl 9'], want: yes(soa('ext.test.', 'ns', 9)) },
    {
      name: 'the name server',
      qname: 'Ext.test.',
      type: 'NS',
      want: { ...yes('ext.test. 5 IN NS ns1.dns.ext.test.'), additional: ['ns1.dns.Ext.test. 5 IN A 192.0.2.53', 'ns1.dns.Ext.test. 5 IN AAAA 2001:db8::53'] },
    },
    { name: 'no other type at the zone', qname: 'ext.test.', type: 'A', want: NODATA },
    { name: "the name server's address", qname: 'ns1.dns.ext.test.', want: yes('ns1.dns.ext.test. 5 IN A 192.0.2.53') },
    { name: "the name server's address, headless", qname: 'ns1.dns.ext.test.', options: ['headless'], want: yes('ns1.dns.ext.test. 5 IN A 10.0.0.9') },
    { name: 'the label above the name server', qname: 'dns.ext.test.', want: NODATA },
    { name: 'another name there', qname: 'ns2.dns.ext.test.', want: NXDOMAIN },
    { name: 'the name server elsewhere there', qname: 'ns1.a.dns.ext.test.', want: NXDOMAIN },
    { name: 'a longer name there', qname: 'a.ns1.dns.ext.test.', want: NXDOMAIN },
    {
      name: 'an address backwards',
      qname: '1.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: yes('1.2.0.192.in-addr.arpa. 5 IN PTR web.ns.ext.test.', '1.2.0.192.in-addr.arpa. 5 IN PTR other.ns.ext.test.'),
    },
    { name: 'no such address', qname: '7.2.0.192.in-addr.arpa.', type: 'PTR', want: { ...NXDOMAIN, authority: [soa('2.0.192.in-addr.arpa.')] } },
    { name: 'another zone', qname: 'example.org.', want: { rcode: 'REFUSED', flags: 'ra' } },
  ])('$name', async ({ qname, type, options, want }) => expect(await ask(qname, type, options)).toEqual(want)); // prettier-ignore

  it('refuses to start without a cluster', async () => {
    const { block } = setup(k8sExternal, 'k8s_external ext.test');
    await expect(block.run('start')).rejects.toThrow(
      'Corefile:2: k8s_external: got no kubernetes in this server block',
    );
  });

  it.each([
    {
      name: 'another option',
      text: 'k8s_external {\nfoo\n}',
      error: "3: k8s_external: unknown option 'foo'; allowed: apex",
    },
    { name: 'no TTL', text: 'k8s_external {\nttl\n}', error: '3: k8s_external: ttl: got no argument' },
    {
      name: 'too long a TTL',
      text: 'k8s_external {\nttl 3601\n}',
      error: "3: k8s_external: ttl: got '3601', allowed: whole sec",
    },
    { name: 'a negative TTL', text: 'k8s_external {\nttl -1\n}', error: "3: k8s_external: ttl: got '-1'" },
    { name: 'no apex', text: 'k8s_external {\napex\n}', error: '3: k8s_external: apex: got no argument' },
    {
      name: 'an apex that is no label',
      text: 'k8s_external {\napex a..b\n}',
      error: "3: k8s_external: apex: got 'a..b'",
    },
    {
      name: 'headless with more',
      text: 'k8s_external {\nheadless yes\n}',
      error: '3: k8s_external: headless: got 1 arg',
    },
  ])('refuses $name', ({ text, error }) => expect(() => setup(k8sExternal, text)).toThrow(`Corefile:${error}`));
});

describe('a transfer', () => {
  const transfer = async (zone: string, known?: number, options = ''): Promise<string[] | undefined> => {
    const made = setup(k8sExternal, `k8s_external ext.test {\nttl 9\n${options}\n}`);
    made.block.chain = [...made.handlers, cluster];
    await made.block.run('start');
    const found = (made.handlers[0] as unknown as TransfersZones).zoneTransfer(zone, known);
    return found === undefined || found === 'unready' ? undefined : texts([...found.records]);
  };
  const server = 'ns1.dns.ext.test.';
  const head = [soa('ext.test.', 'dns', 9), `ext.test. 9 IN NS ${server}`];

  it('has all services', async () =>
    expect(await transfer('ext.test.')).toEqual([
      ...head,
      `${server} 9 IN A 192.0.2.53`,
      `${server} 9 IN AAAA 2001:db8::53`,
      'web.ns.ext.test. 9 IN A 192.0.2.1',
      'web.ns.ext.test. 9 IN AAAA 2001:db8::1',
      'web.ns.ext.test. 5 IN SRV 0 33 80 web.ns.ext.test.',
      'web.ns.ext.test. 5 IN SRV 0 33 443 web.ns.ext.test.',
      'lb.ns.ext.test. 5 IN CNAME lb.example.org.',
      head[0],
    ]));

  it('has endpoints with headless', async () =>
    expect((await transfer('ext.test.', 1, 'headless'))!.slice(-3, -1)).toEqual([
      'db.ns.ext.test. 9 IN A 10.0.0.1',
      'db.ns.ext.test. 5 IN SRV 0 100 5432 db-0.db.ns.ext.test.',
    ]));

  it('has nothing new for who has as much', async () => {
    expect(await transfer('ext.test.', 1_753_833_600)).toEqual([head[0]]);
    expect(await transfer('ext.test.', 1_753_833_601)).toEqual([head[0]]);
    expect(await transfer('a.ext.test.')).toBeUndefined();
  });
});
