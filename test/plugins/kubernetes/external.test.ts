import { describe, expect, it } from 'vitest';
import type { ProvidesExternalServices } from '../../../src/chain/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, service, slice } from '../../support/kube.js';
import { clusterOf } from './cluster-of.js';

const headless = { clusterIP: 'None', clusterIPs: ['None'] };
const ports = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
];
const balanced = (name: string, ingress: object[]): Manifest => ({
  ...service(name),
  status: { loadBalancer: { ingress } },
});
const OBJECTS = [
  namespace('default'),
  service('web', { externalIPs: ['192.0.2.1', '2001:db8::1'], ports }),
  service('inside'),
  service('db', headless),
  slice('db', ['10.0.0.1', '10.0.0.2']),
  service('dns', { externalIPs: ['192.0.2.53'] }),
  slice('dns', ['10.0.0.53']),
  service('dns-headless', headless),
  slice('dns-headless', ['10.0.0.54']),
  balanced('lb', [{ ip: '192.0.2.9' }, { hostname: 'lb.example.org' }]),
];

const cluster = async (options = '', objects = OBJECTS): Promise<ProvidesExternalServices> =>
  (await clusterOf(objects, { options })).handler as unknown as ProvidesExternalServices;

const told = async (name: string, heads = true): Promise<unknown> => {
  const found = (await cluster()).external(name.split('.'), heads);
  return typeof found === 'string' ? found : found.map(({ host, port, label }) => `${host} ${port} ${label}`);
};

describe('services outside', () => {
  it.each([
    { name: 'web.default', want: ['192.0.2.1 80 web.default', '192.0.2.1 53 web.default', '2001:db8::1 80 web.default', '2001:db8::1 53 web.default'] },
    { name: '_http._tcp.web.default', want: ['192.0.2.1 80 web.default', '2001:db8::1 80 web.default'] },
    { name: '_dns._tcp.web.default', want: 'no-name' },
    { name: 'lb.default', want: ['192.0.2.9 80 lb.default', 'lb.example.org 80 lb.default'] },
    { name: 'inside.default', want: 'no-name' },
    { name: 'nosuch.default', want: 'no-name' },
    { name: 'default', want: 'no-data' },
    { name: 'nosuch', want: 'no-name' },
    { name: 'a.b.c.web.default', want: 'no-name' },
    { name: 'db.default', want: ['10.0.0.1 80 10-0-0-1.db.default', '10.0.0.2 80 10-0-0-2.db.default'] },
    { name: '10-0-0-2.db.default', want: ['10.0.0.2 80 10-0-0-2.db.default'] },
    { name: '10-0-0-3.db.default', want: 'no-name' },
    { name: 'db.default', heads: false, want: 'no-name' },
  ])('$name: $want', async ({ name, heads, want }) => expect(await told(name, heads)).toEqual(want)); // prettier-ignore

  it.each([
    { ip: '192.0.2.1', want: ['web.default'] },
    { ip: '10.96.0.1', want: [] },
  ])('of $ip', async ({ ip, want }) => expect((await cluster()).externalLabels(ip)).toEqual(want));

  it('tells when an outside address has changed last', async () => {
    const { source, handler, block } = await clusterOf([namespace('default'), service('inside')]);
    const outside = handler as unknown as ProvidesExternalServices;
    expect(outside.externalSerial).toBe(0);
    source.apply(service('inside', { externalIPs: ['192.0.2.7'] }));
    const first = Math.floor(block.clock.now() / 1000);
    expect(outside.externalSerial).toBe(first);
    block.clock.advance(5000);
    source.apply(service('other'));
    expect(outside.externalSerial).toBe(first);
    source.apply(service('inside'));
    expect(outside.externalSerial).toBe(first + 5);
    expect(outside.externalLabels('192.0.2.7')).toEqual([]);
  });
});
