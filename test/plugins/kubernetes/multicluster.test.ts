import { afterEach, describe, expect, it } from 'vitest';
import { Server } from '../../../src/server/server.js';
import { TestLog } from '../../support/block.js';
import { texts } from '../../support/dns.js';
import { FakeApi, type Manifest } from '../../support/fake-api.js';
import { namespace, service, slice, until } from '../../support/kube.js';
import { SOA, clusterOf } from './cluster-of.js';

const ZONE = 'clusterset.local.';
const S = `default.svc.${ZONE}`;
const ARGS = 'cluster.local clusterset.local';
const OPTIONS = 'multicluster clusterset.local';
const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];

const imported = (name: string, spec: Record<string, unknown>): Manifest => ({
  apiVersion: 'multicluster.x-k8s.io/v1alpha1',
  kind: 'ServiceImport',
  metadata: { name, namespace: 'default' },
  spec: { ports, ...spec },
});
const importedSlice = (name: string, cluster: string, address: string, hostname?: string): Manifest =>
  slice(name, [], {
    metadata: {
      name: `${name}-${cluster}`,
      namespace: 'default',
      labels: { 'multicluster.kubernetes.io/service-name': name, 'multicluster.kubernetes.io/source-cluster': cluster },
    },
    endpoints: [{ addresses: [address], conditions: { ready: true }, hostname }],
  });

const OBJECTS = [
  namespace('default'),
  service('local'),
  imported('web', { type: 'ClusterSetIP', ips: ['10.42.0.1', 'fd00::1'] }),
  importedSlice('web', 'east', '10.1.0.1'),
  imported('db', { type: 'Headless' }),
  importedSlice('db', 'east', '10.1.0.2', 'db-0'),
  importedSlice('db', 'west', '10.2.0.2', 'db-0'),
  imported('empty', { type: 'Headless' }),
];
// No service of a cluster has changed later than the imports.
const NODATA = `NOERROR ${SOA.replaceAll('cluster.local.', ZONE)}`;
const DENIED = `NXDOMAIN ${SOA.replaceAll('cluster.local.', ZONE)}`;

describe('a zone of several clusters', () => {
  it.each([
    { name: `web.${S}`, want: `NOERROR web.${S} 5 IN A 10.42.0.1` },
    { name: `web.${S}`, type: 'AAAA', want: `NOERROR web.${S} 5 IN AAAA fd00::1` },
    { name: `_http._tcp.web.${S}`, want: `NOERROR _http._tcp.web.${S} 5 IN A 10.42.0.1` },
    { name: `_dns._tcp.web.${S}`, want: DENIED },
    { name: `db.${S}`, want: `NOERROR db.${S} 5 IN A 10.1.0.2, db.${S} 5 IN A 10.2.0.2` },
    { name: `db-0.west.db.${S}`, want: `NOERROR db-0.west.db.${S} 5 IN A 10.2.0.2` },
    { name: `db-0.north.db.${S}`, want: DENIED },
    { name: `db-0.db.${S}`, want: DENIED },
    { name: `10-1-0-1.east.web.${S}`, want: `NOERROR 10-1-0-1.east.web.${S} 5 IN A 10.1.0.1` },
    {
      name: `db.${S}`,
      type: 'SRV',
      want:
        `NOERROR db.${S} 5 IN SRV 0 50 80 db-0.east.db.${S}, db.${S} 5 IN SRV 0 50 80 db-0.west.db.${S} + ` +
        `db-0.east.db.${S} 5 IN A 10.1.0.2, db-0.west.db.${S} 5 IN A 10.2.0.2`,
    },
    { name: `web.${S}`, type: 'TXT', want: NODATA },
    { name: `empty.${S}`, want: DENIED },
    { name: `local.${S}`, want: DENIED },
    { name: S, want: NODATA },
    { name: `dns-version.${ZONE}`, type: 'TXT', want: `NOERROR dns-version.${ZONE} 28800 IN TXT "1.1.0"` },
    { name: 'local.default.svc.cluster.local.', want: 'NOERROR local.default.svc.cluster.local. 5 IN A 10.96.0.1' },
    { name: 'web.default.svc.cluster.local.', want: `NXDOMAIN ${SOA}` },
  ])('$name $type', async ({ name, type, want }) => {
    const cluster = await clusterOf(OBJECTS, { args: ARGS, options: OPTIONS });
    for (let times = 0; times < 2; times++) expect(await cluster.told(name, type)).toBe(want);
  });

  it('follows imports and their endpoints', async () => {
    const cluster = await clusterOf(OBJECTS, { args: ARGS, options: OPTIONS });
    expect(await cluster.told(`web.${S}`)).toBe(`NOERROR web.${S} 5 IN A 10.42.0.1`);
    cluster.source.apply(imported('web', { type: 'ClusterSetIP', ips: ['10.42.0.9'] }));
    expect(await cluster.told(`web.${S}`)).toBe(`NOERROR web.${S} 5 IN A 10.42.0.9`);
    cluster.source.apply(importedSlice('db', 'west', '10.2.0.7', 'db-0'));
    expect(await cluster.told(`db-0.west.db.${S}`)).toBe(`NOERROR db-0.west.db.${S} 5 IN A 10.2.0.7`);
    cluster.source.delete('EndpointSlice', 'default', 'db-west');
    expect(await cluster.told(`db.${S}`)).toBe(`NOERROR db.${S} 5 IN A 10.1.0.2`);
  });

  it('has no import without an endpoint where empty services are ignored', async () => {
    const cluster = await clusterOf([...OBJECTS, imported('bare', { type: 'ClusterSetIP', ips: ['10.42.0.2'] })], {
      args: ARGS,
      options: `${OPTIONS}\nignore empty_service`,
    });
    expect(await cluster.told(`bare.${S}`)).toBe(DENIED);
    expect(await cluster.told(`web.${S}`)).toBe(`NOERROR web.${S} 5 IN A 10.42.0.1`);
  });
});

describe('an API with several clusters', () => {
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of cleanup.splice(0).reverse()) await step();
  });

  it('is asked for imports, and for slices also without endpoints of its own', async () => {
    const fake = await new FakeApi(OBJECTS).start();
    cleanup.push(() => fake.stop());
    const corefile = `.:0 {\n bind 127.0.0.1\n kubernetes ${ARGS} {\n endpoint ${fake.url}\n ${OPTIONS}\n noendpoints\n }\n}`;
    const server = await Server.create({ corefile, log: new TestLog() });
    cleanup.push(() => server.stop());
    const told = async (name: string): Promise<string> =>
      texts((await server.inject({ name, type: 1 }))!.answer).join(', ');
    expect(await told(`db-0.west.db.${S}`)).toBe(`db-0.west.db.${S} 5 IN A 10.2.0.2`);
    fake.delete('ServiceImport', 'default', 'web');
    let last = 'something';
    await until(() => {
      void told(`web.${S}`).then((got) => (last = got));
      return last === '';
    }, 'the import to be gone');
  });
});
