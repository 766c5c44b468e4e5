import { describe, expect, it } from 'vitest';
import type { ProvidesExternalServices, TransfersZones, ZoneTransfer } from '../../../src/chain/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { texts } from '../../support/dns.js';
import { namespace, service, slice } from '../../support/kube.js';
import { clusterOf } from './cluster-of.js';

const headless = { clusterIP: 'None', clusterIPs: ['None'] };
const ports = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: '', port: 81, protocol: 'UDP' },
];
const OBJECTS: Manifest[] = [
  namespace('default'),
  service('web', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1'], ports }),
  service('db', { ...headless, ports }),
  slice('db', ['10.0.0.1', '10.0.0.2']),
  service('ext', {
    type: 'ExternalName',
    externalName: 'www.example.org',
    clusterIP: undefined,
    clusterIPs: undefined,
  }),
  service('ip', { type: 'ExternalName', externalName: '192.0.2.1', clusterIP: undefined, clusterIPs: undefined }),
];

const transfer = async (
  zone: string,
  known?: number,
  options = '',
  objects = OBJECTS,
  own: readonly string[] = [],
): Promise<string[] | string> => {
  const { handler } = await clusterOf(objects, { options });
  Object.assign(handler, { ownAddresses: own });
  const source = handler as unknown as TransfersZones;
  const found = source.zoneTransfer(zone, undefined);
  if (found === undefined || found === 'unready') return String(found);
  const asked = known === undefined ? found : (source.zoneTransfer(zone, known + found.serial) as ZoneTransfer);
  return texts([...asked.records]).map((one) => one.replace(/ \d+ 7200 /, ' SERIAL 7200 '));
};

const SOA = (zone: string): string => `${zone} 5 IN SOA ns.dns.${zone} hostmaster.${zone} SERIAL 7200 1800 86400 5`;
const C = 'svc.cluster.local.';

describe('a transfer of a cluster', () => {
  it('has its services by name', async () =>
    expect(await transfer('cluster.local.')).toEqual([
      SOA('cluster.local.'),
      `db.default.${C} 5 IN A 10.0.0.1`,
      `10-0-0-1.db.default.${C} 5 IN A 10.0.0.1`,
      `_http._tcp.db.default.${C} 5 IN SRV 0 50 80 10-0-0-1.db.default.${C}`,
      `db.default.${C} 5 IN A 10.0.0.2`,
      `10-0-0-2.db.default.${C} 5 IN A 10.0.0.2`,
      `_http._tcp.db.default.${C} 5 IN SRV 0 50 80 10-0-0-2.db.default.${C}`,
      `ext.default.${C} 5 IN CNAME www.example.org.`,
      `web.default.${C} 5 IN A 10.96.0.1`,
      `web.default.${C} 5 IN AAAA fd00::1`,
      `web.default.${C} 5 IN SRV 0 100 80 web.default.${C}`,
      `_http._tcp.web.default.${C} 5 IN SRV 0 100 80 web.default.${C}`,
      `web.default.${C} 5 IN SRV 0 100 81 web.default.${C}`,
      SOA('cluster.local.'),
    ]));

  it('has its name servers first', async () =>
    expect(await transfer('cluster.local.', undefined, '', [namespace('default')], ['192.0.2.53'])).toEqual([
      SOA('cluster.local.'),
      'cluster.local. 5 IN NS ns.dns.cluster.local.',
      'ns.dns.cluster.local. 5 IN A 192.0.2.53',
      SOA('cluster.local.'),
    ]));

  it.each([
    { name: 'of one of a hundred', count: 100, ports, want: ' SRV 0 1 80 ' },
    { name: 'of one of more, which is no less', count: 101, ports, want: ' SRV 0 1 80 ' },
    { name: 'nothing without a name', count: 1, ports: [{ port: 80, protocol: 'TCP' }], want: undefined },
    { name: 'nothing without a number', count: 1, ports: [{ name: 'http', protocol: 'TCP' }], want: undefined },
  ])('has ports of endpoints by their weight: $name', async ({ count, ports: given, want }) => {
    const addresses = Array.from({ length: count }, (_, i) => `10.0.0.${i}`);
    const objects = [namespace('default'), service('db', headless), slice('db', addresses, { ports: given })];
    const told = (await transfer('cluster.local.', undefined, '', objects)) as string[];
    const srv = told.filter((one) => one.includes(' SRV '));
    expect(srv).toHaveLength(want === undefined ? 0 : count);
    for (const one of srv) expect(one).toContain(want);
  });

  it('has services of one name by their namespaces', async () => {
    const objects = ['b', 'c', 'a'].flatMap((name) => [
      namespace(name),
      service('web', {}, { namespace: name }),
      service(`web-${name}`, {}, { namespace: name }),
    ]);
    const told = await transfer('cluster.local.', undefined, '', objects);
    const names = (told as string[]).filter((one) => one.includes(' IN A ')).map((one) => one.split('.svc')[0]);
    expect(names).toEqual(['web.a', 'web.b', 'web.c', 'web-a.a', 'web-b.b', 'web-c.c']);
  });

  it('has no services of namespaces that are not answered for', async () =>
    expect(await transfer('cluster.local.', undefined, 'namespaces other')).toEqual([
      SOA('cluster.local.'),
      SOA('cluster.local.'),
    ]));

  it('has nothing new for who has its serial, and all for any other', async () => {
    expect(await transfer('cluster.local.', 0)).toEqual([SOA('cluster.local.')]);
    expect((await transfer('cluster.local.', -1)).length).toBe(14);
  });

  it('has nothing but its head for a reverse zone', async () =>
    expect(await transfer('in-addr.arpa.')).toEqual([SOA('in-addr.arpa.'), SOA('in-addr.arpa.')]));

  it('is of zones only', async () => expect(await transfer(C)).toBe('undefined'));
});

describe('names outside', () => {
  it('are those of services, ports and endpoints', async () => {
    const objects = [
      namespace('default'),
      service('web', { externalIPs: ['192.0.2.1'], ports }),
      service('db', { ...headless, ports }),
      slice('db', ['10.0.0.1']),
      service('inside'),
    ];
    const { handler } = await clusterOf(objects);
    const cluster = handler as unknown as ProvidesExternalServices;
    const names = (heads: boolean): string[] => cluster.externalNames(heads).map((labels) => labels.join('.'));
    expect(names(false)).toEqual(['web.default', '_http._tcp.web.default']);
    expect(names(true)).toEqual([
      'web.default',
      '_http._tcp.web.default',
      'db.default',
      '_http._tcp.db.default',
      '10-0-0-1.db.default',
    ]);
  });
});
