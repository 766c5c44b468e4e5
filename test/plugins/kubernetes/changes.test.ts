import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, pod, service, slice } from '../../support/kube.js';
import { clusterOf, type ClusterOf } from './cluster-of.js';

const S = 'default.svc.cluster.local.';
const moved = (name: string, ip: string): Manifest => service(name, { clusterIP: ip, clusterIPs: [ip] });
const headless = (name: string): Manifest => service(name, { clusterIP: 'None', clusterIPs: ['None'] });
const answerOf = (told: string): string =>
  told.replace(/ \S+ 7200 1800 86400 5/, '').replace(/^(\w+) cluster\.local\..*/, '$1');

interface Row {
  name: string;
  objects: Manifest[];
  options?: string;
  question: [name: string, type?: string];
  before: string;
  change: (cluster: ClusterOf) => void;
  after: string;
}

describe('what changes is answered anew', () => {
  it.each<Row>([
    {
      name: 'a service gets another address',
      objects: [service('web')],
      question: [`web.${S}`],
      before: `NOERROR web.${S} 5 IN A 10.96.0.1`,
      change: ({ source }) => source.apply(moved('web', '10.96.0.9')),
      after: `NOERROR web.${S} 5 IN A 10.96.0.9`,
    },
    {
      name: 'its old address has no name',
      objects: [service('web')],
      options: 'fallthrough in-addr.arpa',
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      before: `NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR web.${S}`,
      change: ({ source }) => source.apply(moved('web', '10.96.0.9')),
      after: 'REFUSED',
    },
    {
      name: 'its new address has one',
      objects: [service('web')],
      options: 'fallthrough in-addr.arpa',
      question: ['9.0.96.10.in-addr.arpa.', 'PTR'],
      before: 'REFUSED',
      change: ({ source }) => source.apply(moved('web', '10.96.0.9')),
      after: `NOERROR 9.0.96.10.in-addr.arpa. 5 IN PTR web.${S}`,
    },
    {
      name: 'a service comes',
      objects: [],
      question: [`web.${S}`],
      before: 'NXDOMAIN',
      change: ({ source }) => source.apply(service('web')),
      after: `NOERROR web.${S} 5 IN A 10.96.0.1`,
    },
    {
      name: 'a service goes',
      objects: [service('web')],
      question: [`web.${S}`],
      before: `NOERROR web.${S} 5 IN A 10.96.0.1`,
      change: ({ source }) => source.delete('Service', 'default', 'web'),
      after: 'NXDOMAIN',
    },
    {
      name: 'a second family comes',
      objects: [service('web')],
      question: [`web.${S}`, 'AAAA'],
      before: 'NOERROR',
      change: ({ source }) => source.apply(service('web', { clusterIPs: ['10.96.0.1', 'fd00::1'] })),
      after: `NOERROR web.${S} 5 IN AAAA fd00::1`,
    },
    {
      name: 'a service turns into an alias in place',
      objects: [service('web')],
      question: [`web.${S}`, 'CNAME'],
      before: 'NOERROR',
      change: ({ source }) => source.apply(service('web', { type: 'ExternalName', externalName: 'example.org' })),
      after: `NOERROR web.${S} 5 IN CNAME example.org.`,
    },
    {
      name: 'and its port is gone',
      objects: [service('web')],
      question: [`_http._tcp.web.${S}`],
      before: `NOERROR _http._tcp.web.${S} 5 IN A 10.96.0.1`,
      change: ({ source }) => source.apply(service('web', { type: 'ExternalName', externalName: 'example.org' })),
      after: 'NXDOMAIN',
    },
    {
      name: 'a slice before its service',
      objects: [slice('db', ['10.0.0.1'])],
      question: [`db.${S}`],
      before: 'NXDOMAIN',
      change: ({ source }) => source.apply(headless('db')),
      after: `NOERROR db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'an endpoint comes',
      objects: [headless('db'), slice('db', ['10.0.0.1'])],
      question: [`db.${S}`],
      before: `NOERROR db.${S} 5 IN A 10.0.0.1`,
      change: ({ source }) => source.apply(slice('db', ['10.0.0.1', '10.0.0.2'])),
      after: `NOERROR db.${S} 5 IN A 10.0.0.1, db.${S} 5 IN A 10.0.0.2`,
    },
    {
      name: 'an endpoint is no longer ready',
      objects: [headless('db'), slice('db', ['10.0.0.1'])],
      question: [`10-0-0-1.db.${S}`],
      before: `NOERROR 10-0-0-1.db.${S} 5 IN A 10.0.0.1`,
      change: ({ source }) =>
        source.apply(slice('db', [], { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] })),
      after: 'NXDOMAIN',
    },
    {
      name: 'an endpoint gets a hostname',
      objects: [headless('db'), slice('db', ['10.0.0.1'])],
      question: ['1.0.0.10.in-addr.arpa.', 'PTR'],
      before: `NOERROR 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.db.${S}`,
      change: ({ source }) =>
        source.apply(slice('db', [], { endpoints: [{ addresses: ['10.0.0.1'], hostname: 'db-0' }] })),
      after: `NOERROR 1.0.0.10.in-addr.arpa. 5 IN PTR db-0.db.${S}`,
    },
    {
      name: 'one of two services of an address goes',
      objects: [slice('a', ['10.0.0.1']), slice('b', ['10.0.0.1'])],
      question: ['1.0.0.10.in-addr.arpa.', 'PTR'],
      before: `NOERROR 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.a.${S}, 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.b.${S}`,
      change: ({ source }) => source.delete('EndpointSlice', 'default', 'a-a'),
      after: `NOERROR 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.b.${S}`,
    },
    {
      name: 'the last ready endpoint goes, with ignore empty_service',
      options: 'ignore empty_service',
      objects: [service('web'), slice('web', ['10.0.0.1'])],
      question: [`web.${S}`],
      before: `NOERROR web.${S} 5 IN A 10.96.0.1`,
      change: ({ source }) => source.delete('EndpointSlice', 'default', 'web-a'),
      after: 'NXDOMAIN',
    },
    {
      name: 'a namespace goes',
      objects: [service('web')],
      question: [`web.${S}`],
      before: `NOERROR web.${S} 5 IN A 10.96.0.1`,
      change: ({ source }) => source.delete('Namespace', '', 'default'),
      after: 'NXDOMAIN',
    },
    {
      name: 'with its pods',
      options: 'pods insecure',
      objects: [],
      question: ['10-0-0-1.default.pod.cluster.local.'],
      before: 'NOERROR 10-0-0-1.default.pod.cluster.local. 5 IN A 10.0.0.1',
      change: ({ source }) => source.delete('Namespace', '', 'default'),
      after: 'NXDOMAIN',
    },
    {
      name: 'a namespace comes',
      objects: [service('web', {}, { namespace: 'new' })],
      question: ['web.new.svc.cluster.local.'],
      before: 'NXDOMAIN',
      change: ({ source }) => source.apply(namespace('new')),
      after: 'NOERROR web.new.svc.cluster.local. 5 IN A 10.96.0.1',
    },
    {
      name: 'a verified pod comes',
      options: 'pods verified',
      objects: [],
      question: ['10-0-0-1.default.pod.cluster.local.'],
      before: 'NXDOMAIN',
      change: ({ source }) => source.apply(pod('a', '10.0.0.1')),
      after: 'NOERROR 10-0-0-1.default.pod.cluster.local. 5 IN A 10.0.0.1',
    },
    {
      name: 'a verified pod goes',
      options: 'pods verified',
      objects: [pod('a', '10.0.0.1')],
      question: ['10-0-0-1.default.pod.cluster.local.'],
      before: 'NOERROR 10-0-0-1.default.pod.cluster.local. 5 IN A 10.0.0.1',
      change: ({ source }) => source.delete('Pod', 'default', 'a'),
      after: 'NXDOMAIN',
    },
  ])('$name', async ({ objects, options, question, before, change, after }) => {
    const cluster = await clusterOf([namespace('default'), ...objects], options === undefined ? {} : { options });
    for (let times = 0; times < 2; times++) expect(answerOf(await cluster.told(...question))).toBe(before);
    change(cluster);
    for (let times = 0; times < 2; times++) expect(answerOf(await cluster.told(...question))).toBe(after);
  });
});

describe('what did not change', () => {
  const NAMES = [
    [`other.${S}`, 'A'],
    [`other.${S}`, 'SRV'],
    [`_http._tcp.other.${S}`, 'SRV'],
    [`10-0-0-5.other.${S}`, 'A'],
    ['5.0.0.10.in-addr.arpa.', 'PTR'],
    ['2.0.96.10.in-addr.arpa.', 'PTR'],
  ] as const;

  it('stays as it was made', async () => {
    const cluster = await clusterOf([
      namespace('default'),
      service('web'),
      moved('other', '10.96.0.2'),
      slice('web', ['10.0.0.1']),
      slice('other', ['10.0.0.5']),
    ]);
    const made = await Promise.all(NAMES.map(([name, type]) => cluster.ask(name, type)));
    cluster.source.apply(moved('web', '10.96.0.9'));
    cluster.source.delete('EndpointSlice', 'default', 'web-a');
    cluster.source.apply(pod('a', '10.0.0.5'));
    const again = await Promise.all(NAMES.map(([name, type]) => cluster.ask(name, type)));
    again.forEach((reply, i) => expect(reply).toBe(made[i]));
  });

  it('is forgotten when serving ends', async () => {
    const cluster = await clusterOf([namespace('default'), service('web')]);
    await cluster.block.run('stop');
    expect([cluster.store.changes.active, cluster.store.serviceChanges.active]).toEqual([false, false]);
  });
});

describe('what a reply promises', () => {
  it.each([
    {
      name: 'addresses, while the service is as it was',
      question: [`web.${S}`, 'A'],
      after: { web: true, other: false },
    },
    { name: 'ports', question: [`_http._tcp.web.${S}`, 'SRV'], after: { web: true, other: false } },
    { name: 'an endpoint', question: [`10-0-0-1.web.${S}`, 'A'], after: { web: true, other: false } },
    { name: 'a pointer', question: ['1.0.96.10.in-addr.arpa.', 'PTR'], after: { web: true, other: false } },
    {
      name: 'no data, until anything changes: the serial does too',
      question: [`web.${S}`, 'AAAA'],
      after: { web: true, other: true },
    },
    { name: 'no name', question: [`nosuch.${S}`, 'A'], after: { web: true, other: true } },
    {
      name: 'the version, for ever',
      question: ['dns-version.cluster.local.', 'TXT'],
      after: { web: false, other: false },
    },
  ] as const)('$name', async ({ question: [name, type], after }) => {
    for (const changed of ['web', 'other'] as const) {
      const cluster = await clusterOf([
        namespace('default'),
        service('web'),
        moved('other', '10.96.0.2'),
        slice('web', ['10.0.0.1']),
      ]);
      const { lease } = (await cluster.ask(name, type)) as Reply;
      expect([lease?.until, lease?.revoked]).toEqual([Infinity, false]);
      cluster.source.apply(service(changed, { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] }));
      expect(lease!.revoked).toBe(after[changed]);
    }
  });

  it.each([
    { name: 'an alias', question: [`out.${S}`, 'A'] },
    { name: 'a spelling of the zone', question: ['nosuch.default.svc.Cluster.Local.', 'A'] },
    { name: 'name servers', question: ['cluster.local.', 'SOA'] },
  ])('nothing: $name', async ({ question: [name, type] }) => {
    const cluster = await clusterOf([
      namespace('default'),
      service('out', { type: 'ExternalName', externalName: 'example.org' }),
    ]);
    expect(((await cluster.ask(name!, type)) as Reply).lease).toBeUndefined();
  });

  it('ends with the serving', async () => {
    const cluster = await clusterOf([namespace('default'), service('web')], { options: 'pods insecure' });
    const leases = [];
    for (const name of [`web.${S}`, '10-0-0-1.default.pod.cluster.local.'])
      leases.push(((await cluster.ask(name)) as Reply).lease!);
    expect(leases.map(({ revoked }) => revoked)).toEqual([false, false]);
    await cluster.block.run('stop');
    expect(leases.map(({ revoked }) => revoked)).toEqual([true, true]);
  });
});

describe('the serial', () => {
  const serial = async (cluster: ClusterOf): Promise<number> =>
    Number(/hostmaster\S+ (\d+)/.exec(await cluster.told(`nosuch.${S}`))![1]);

  it('is the time of the last change to something that is answered with', async () => {
    const cluster = await clusterOf([namespace('default')]);
    expect(await serial(cluster)).toBe(0);
    cluster.source.apply(service('web'));
    const first = await serial(cluster);
    expect(first).toBe(Math.floor(cluster.block.clock.now() / 1000));
    cluster.block.clock.advance(5000);
    cluster.source.apply(namespace('more'));
    expect(await serial(cluster)).toBe(first);
    cluster.source.apply(slice('web', ['10.0.0.1']));
    expect(await serial(cluster)).toBe(first + 5);
  });
});

describe('names that clients think up', () => {
  it('are kept up to a bound, and found again after it', async () => {
    const cluster = await clusterOf([namespace('default'), service('web')], { options: 'pods insecure' });
    const name = (i: number): string => `10-${i >> 16}-${(i >> 8) & 255}-${i & 255}.default.pod.cluster.local.`;
    const first = (await cluster.ask(name(0))) as Reply;
    for (let i = 1; i <= 16_384; i++) await cluster.ask(name(i));
    const again = (await cluster.ask(name(0))) as Reply;
    expect(again).not.toBe(first);
    expect(again.records).toEqual(first.records);
    expect(await cluster.ask(name(16_384))).toBe(await cluster.ask(name(16_384)));
  });
});
