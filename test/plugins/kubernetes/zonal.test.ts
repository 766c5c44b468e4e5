import { describe, expect, it } from 'vitest';
import type { ProvidesMetadata } from '../../../src/chain/index.js';
import { query } from '../../support/dns.js';
import { namespace, service, slice } from '../../support/kube.js';
import { SOA, clusterOf } from './cluster-of.js';

const endpoint = (address: string, zone?: string, ready = true): unknown => ({
  addresses: [address],
  conditions: { ready },
  zone,
});
const OBJECTS = [
  namespace('default'),
  service('db', { clusterIP: 'None', clusterIPs: ['None'] }),
  slice('db', [], {
    endpoints: [endpoint('10.0.0.1', 'us-1a'), endpoint('10.0.0.2', 'Eu.Site'), endpoint('10.0.0.3')],
  }),
  service('empty', { clusterIP: 'None', clusterIPs: ['None'] }),
  slice('empty', [], { endpoints: [endpoint('10.0.0.9', 'us-1a', false)] }),
  service('web'),
  slice('web', [], { endpoints: [endpoint('10.0.0.7', 'us-1a')] }),
  service('alias', { type: 'ExternalName', externalName: 'a.test', clusterIP: undefined, clusterIPs: undefined }),
];
const DB = 'db.default.svc.cluster.local.';
const addresses = (name: string, ...last: number[]): string =>
  `NOERROR ${last.map((octet) => `${name} 5 IN A 10.0.0.${octet}`).join(', ')}`;
const NODATA = `NOERROR ${SOA}`;
const DENIED = `NXDOMAIN ${SOA}`;

describe('names with a zone', () => {
  it.each([
    { name: `us-1a.pin._zone.${DB}`, want: addresses(`us-1a.pin._zone.${DB}`, 1) },
    { name: `eu.site.pin._zone.${DB}`, want: addresses(`eu.site.pin._zone.${DB}`, 2) },
    { name: `us-1b.pin._zone.${DB}`, want: NODATA },
    { name: `us-1b.prefer._zone.${DB}`, want: addresses(`us-1b.prefer._zone.${DB}`, 1, 2, 3) },
    { name: `us-1a.prefer._zone.${DB}`, want: addresses(`us-1a.prefer._zone.${DB}`, 1) },
    {
      name: `us-1a.pin._zone.${DB}`,
      type: 'SRV',
      want: `NOERROR us-1a.pin._zone.${DB} 5 IN SRV 0 100 80 10-0-0-1.${DB} + 10-0-0-1.${DB} 5 IN A 10.0.0.1`,
    },
    { name: `us-1a.pin._zone.${DB}`, type: 'AAAA', want: NODATA },
    { name: `us-1a.pin._zone.${DB}`, type: 'TXT', want: NODATA },
    { name: `us-1a.pin._zone.${DB}`, type: 'HTTPS', want: NODATA },
    { name: 'us-1a.pin._zone.empty.default.svc.cluster.local.', want: NODATA },
    { name: 'us-1a.prefer._zone.empty.default.svc.cluster.local.', want: NODATA },
    { name: 'us-1a.pin._zone.web.default.svc.cluster.local.', want: DENIED },
    { name: 'us-1a.pin._zone.alias.default.svc.cluster.local.', want: DENIED },
    { name: 'us-1a.pin._zone.none.default.svc.cluster.local.', want: DENIED },
    { name: `us-1a.near._zone.${DB}`, want: DENIED },
  ])('$name $type', async ({ name, type, want }) => {
    const cluster = await clusterOf(OBJECTS, { options: 'zonal' });
    // The second time from what was kept.
    for (let times = 0; times < 2; times++) expect(await cluster.told(name, type)).toBe(want);
  });

  it('do not exist without the option', async () =>
    expect(await (await clusterOf(OBJECTS)).told(`us-1a.pin._zone.${DB}`)).toBe(DENIED));

  it('follow their endpoints', async () => {
    const cluster = await clusterOf(OBJECTS, { options: 'zonal' });
    const name = `us-1a.pin._zone.${DB}`;
    expect(await cluster.told(name)).toBe(addresses(name, 1));
    cluster.source.apply(slice('db', [], { endpoints: [endpoint('10.0.0.4', 'us-1a')] }));
    expect(await cluster.told(name)).toBe(addresses(name, 4));
    cluster.source.apply(slice('db', [], { endpoints: [endpoint('10.0.0.4', 'us-1b')] }));
    expect(await cluster.told(name)).toBe(NODATA);
  });

  it.each([
    { options: 'zonal', name: `us-1a.pin._zone.${DB}`, want: 'us-1a' },
    { options: 'zonal', name: DB, want: '' },
    { options: '', name: DB, want: undefined },
  ])('are metadata: $name with $options', async ({ options, name, want }) => {
    const { handler } = await clusterOf(OBJECTS, { options });
    const labels = (handler as unknown as ProvidesMetadata).metadata();
    expect(labels['kubernetes/zone']?.(query(name), 'kubernetes/zone')).toBe(want);
  });
});
