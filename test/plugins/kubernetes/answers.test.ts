import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { query, reply } from '../../support/dns.js';
import { namespace, pod, service, slice } from '../../support/kube.js';
import { SOA, clusterOf, type ClusterOfOptions } from './cluster-of.js';

const S = 'default.svc.cluster.local.';
const DENIED = `NXDOMAIN ${SOA}`;
const NODATA = `NOERROR ${SOA}`;
const headless = (name: string, spec: Record<string, unknown> = {}): Manifest =>
  service(name, { clusterIP: 'None', clusterIPs: ['None'], ...spec });
const external = (name: string, externalName: string): Manifest =>
  service(name, { type: 'ExternalName', externalName, clusterIP: undefined, clusterIPs: undefined, ports: undefined });
const endpoint = (address: string, rest: Record<string, unknown> = {}): unknown => ({
  addresses: [address],
  conditions: { ready: true },
  ...rest,
});
const second = (manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, name: `${manifest.metadata.name}2` },
});

/** Any object, for the serial. */
const SEED = service('seed', { clusterIP: '10.96.255.255', clusterIPs: ['10.96.255.255'] });

interface Row extends ClusterOfOptions {
  name: string;
  objects: Manifest[];
  question: [name: string, type?: string];
  want: string;
}

const run = async ({ objects, question, want, ...options }: Row): Promise<void> => {
  const cluster = await clusterOf([namespace('default'), SEED, ...objects], options);
  // The second time from what was kept.
  for (let times = 0; times < 2; times++) expect(await cluster.told(...question)).toBe(want);
};

describe('services', () => {
  it.each<Row>([
    {
      name: 'one without ports has its address',
      objects: [service('web', { ports: [] })],
      question: [`web.${S}`],
      want: `NOERROR web.${S} 5 IN A 10.96.0.1`,
    },
    {
      name: 'and no SRV record',
      objects: [service('web', { ports: [] })],
      question: [`web.${S}`, 'SRV'],
      want: NODATA,
    },
    {
      name: 'one without an address yet exists',
      objects: [service('web', { clusterIP: '', clusterIPs: [] })],
      question: [`web.${S}`],
      want: NODATA,
    },
    {
      name: 'in another type its name is there',
      objects: [service('web')],
      question: [`web.${S}`, 'MX'],
      want: NODATA,
    },
    { name: 'TXT at a service is no data', objects: [service('web')], question: [`web.${S}`, 'TXT'], want: NODATA },
    { name: 'TXT at a namespace is no data', objects: [], question: [S, 'TXT'], want: NODATA },
    { name: 'TXT at the zone is no data', objects: [], question: ['cluster.local.', 'TXT'], want: NODATA },
    { name: 'SOA below the zone is no data', objects: [], question: [`web.${S}`, 'SOA'], want: NODATA },
    { name: 'a transfer is refused', objects: [], question: ['cluster.local.', 'AXFR'], want: 'REFUSED' },
    {
      name: 'a transfer of a known name is refused',
      objects: [service('web')],
      question: [`web.${S}`, 'IXFR'],
      want: 'REFUSED',
    },
    {
      name: 'one in a namespace that is not there',
      objects: [service('web', {}, { namespace: 'gone' })],
      question: ['web.gone.svc.cluster.local.'],
      want: DENIED,
    },
    {
      name: 'its endpoint by address',
      objects: [service('web'), slice('web', ['10.0.0.1'])],
      question: [`10-0-0-1.web.${S}`],
      want: `NOERROR 10-0-0-1.web.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'with TTL 0',
      options: 'ttl 0',
      objects: [service('web')],
      question: [`web.${S}`],
      want: `NOERROR web.${S} 0 IN A 10.96.0.1`,
    },
    {
      name: 'by a port of any protocol',
      objects: [service('web')],
      question: [`_http._.web.${S}`, 'SRV'],
      want: `NOERROR _http._.web.${S} 5 IN SRV 0 100 80 web.${S} + web.${S} 5 IN A 10.96.0.1`,
    },
    { name: 'a name outside the zones goes on', objects: [], question: ['example.org.'], want: 'REFUSED' },
    {
      name: 'a name that is not there goes on with fallthrough',
      options: 'fallthrough',
      objects: [],
      question: [`web.${S}`],
      want: 'REFUSED',
    },
    {
      name: 'but not outside its zones',
      options: 'fallthrough other.test',
      objects: [],
      question: [`web.${S}`],
      want: DENIED,
    },
    {
      name: 'no data does not go on',
      options: 'fallthrough',
      objects: [service('web')],
      question: [`web.${S}`, 'AAAA'],
      want: NODATA,
    },
    {
      name: 'the root as a zone',
      args: '.',
      objects: [service('web')],
      question: ['web.default.svc.'],
      want: 'NOERROR web.default.svc. 5 IN A 10.96.0.1',
    },
    {
      name: 'a second zone',
      args: 'cluster.local other.test',
      objects: [service('web')],
      question: ['web.default.svc.other.test.'],
      want: 'NOERROR web.default.svc.other.test. 5 IN A 10.96.0.1',
    },
    {
      name: 'SOA of TTL at most 300',
      options: 'ttl 3600',
      objects: [service('web')],
      question: ['cluster.local.', 'SOA'],
      want: `NOERROR ${SOA.replace('5 IN', '300 IN').replace(/ 5$/, ' 3600')}`,
    },
    {
      name: 'two ports of one name',
      objects: [
        service('dns', {
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP' },
            { name: 'dns', port: 53, protocol: 'TCP' },
          ],
        }),
      ],
      question: [`dns.${S}`, 'SRV'],
      want: `NOERROR dns.${S} 5 IN SRV 0 50 53 dns.${S} + dns.${S} 5 IN A 10.96.0.1`,
    },
  ])('$name', run);

  it.each([
    { options: 'namespaces default', ask: `web.${S}`, want: `NOERROR web.${S} 5 IN A 10.96.0.1` },
    { options: 'namespaces default', ask: 'web.other.svc.cluster.local.', want: DENIED },
    { options: '', ask: 'web.other.svc.cluster.local.', want: 'NOERROR web.other.svc.cluster.local. 5 IN A 10.96.0.2' },
  ])('$ask with $options', async ({ options, ask, want }) => {
    const cluster = await clusterOf(
      [
        namespace('default'),
        namespace('other'),
        service('web'),
        service('web', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, { namespace: 'other' }),
      ],
      { options },
    );
    expect(await cluster.told(ask)).toBe(want);
  });
});

describe('headless services', () => {
  const named = slice('db', [], {
    endpoints: [
      endpoint('10.0.0.1', { hostname: 'db-0' }),
      endpoint('10.0.0.2', { hostname: 'db-1', conditions: { ready: false } }),
      endpoint('10.0.0.3', { conditions: {} }),
    ],
  });
  it.each<Row>([
    {
      name: 'ready endpoints, and those that do not say',
      objects: [headless('db'), named],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1, db.${S} 5 IN A 10.0.0.3`,
    },
    {
      name: 'one that is not ready has no name',
      objects: [headless('db'), named],
      question: [`db-1.db.${S}`],
      want: DENIED,
    },
    {
      name: 'one with a hostname has no other name',
      objects: [headless('db'), named],
      question: [`10-0-0-1.db.${S}`],
      want: DENIED,
    },
    {
      name: 'several slices',
      objects: [headless('db'), slice('db', ['10.0.0.1']), second(slice('db', ['10.0.0.2']))],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1, db.${S} 5 IN A 10.0.0.2`,
    },
    {
      name: 'an address in two slices once',
      objects: [headless('db'), slice('db', ['10.0.0.1']), second(slice('db', ['10.0.0.1']))],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'terminating but ready, as published by the service',
      objects: [
        headless('db', { publishNotReadyAddresses: true }),
        slice('db', [], {
          endpoints: [endpoint('10.0.0.1', { conditions: { ready: true, serving: false, terminating: true } })],
        }),
      ],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'dual stack',
      objects: [headless('db'), slice('db', ['10.0.0.1']), second(slice('db', ['fd00::1'], { addressType: 'IPv6' }))],
      question: [`db.${S}`, 'SRV'],
      want: `NOERROR db.${S} 5 IN SRV 0 50 80 10-0-0-1.db.${S}, db.${S} 5 IN SRV 0 50 80 fd00--1.db.${S} + 10-0-0-1.db.${S} 5 IN A 10.0.0.1, fd00--1.db.${S} 5 IN AAAA fd00::1`,
    },
    {
      name: 'an address that ends in colons',
      objects: [headless('db'), slice('db', ['fd00::'], { addressType: 'IPv6' })],
      question: [`fd00--0.db.${S}`, 'AAAA'],
      want: `NOERROR fd00--0.db.${S} 5 IN AAAA fd00::`,
    },
    {
      name: 'slices without ports',
      objects: [headless('db', { ports: [] }), slice('db', ['10.0.0.1'], { ports: [] })],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'slices without ports have no SRV record',
      objects: [headless('db', { ports: [] }), slice('db', ['10.0.0.1'], { ports: null })],
      question: [`db.${S}`, 'SRV'],
      want: NODATA,
    },
    {
      name: 'a slice for every port has no SRV record',
      objects: [headless('db'), slice('db', ['10.0.0.1'], { ports: [{ name: 'http', protocol: 'TCP' }] })],
      question: [`db.${S}`, 'SRV'],
      want: NODATA,
    },
    { name: 'without endpoints it is not there', objects: [headless('db')], question: [`db.${S}`], want: DENIED },
    {
      name: 'noendpoints',
      options: 'noendpoints',
      objects: [headless('db'), slice('db', ['10.0.0.1'])],
      question: [`db.${S}`],
      want: DENIED,
    },
    {
      name: 'endpoint_pod_names',
      options: 'endpoint_pod_names',
      objects: [
        headless('db'),
        slice('db', [], { endpoints: [endpoint('10.0.0.1', { targetRef: { kind: 'Pod', name: 'db-abc' } })] }),
      ],
      question: [`db-abc.db.${S}`],
      want: `NOERROR db-abc.db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'endpoint_pod_names of a long name',
      options: 'endpoint_pod_names',
      objects: [
        headless('db'),
        slice('db', [], { endpoints: [endpoint('10.0.0.1', { targetRef: { kind: 'Pod', name: 'p'.repeat(64) } })] }),
      ],
      question: [`10-0-0-1.db.${S}`],
      want: `NOERROR 10-0-0-1.db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'endpoint_pod_names goes behind a hostname',
      options: 'endpoint_pod_names',
      objects: [
        headless('db'),
        slice('db', [], {
          endpoints: [endpoint('10.0.0.1', { hostname: 'a', targetRef: { kind: 'Pod', name: 'db-abc' } })],
        }),
      ],
      question: [`a.db.${S}`],
      want: `NOERROR a.db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'ignore empty_service leaves them alone',
      options: 'ignore empty_service',
      objects: [headless('db'), slice('db', ['10.0.0.1'])],
      question: [`db.${S}`],
      want: `NOERROR db.${S} 5 IN A 10.0.0.1`,
    },
    {
      name: 'ignore empty_service, no slice',
      options: 'ignore empty_service',
      objects: [service('web')],
      question: [`web.${S}`],
      want: DENIED,
    },
    {
      name: 'ignore empty_service, nothing ready',
      options: 'ignore empty_service',
      objects: [
        service('web'),
        slice('web', [], { endpoints: [endpoint('10.0.0.1', { conditions: { ready: false } })] }),
      ],
      question: [`web.${S}`],
      want: DENIED,
    },
    {
      name: 'ignore empty_service, one ready',
      options: 'ignore empty_service',
      objects: [service('web'), slice('web', ['10.0.0.1'])],
      question: [`web.${S}`],
      want: `NOERROR web.${S} 5 IN A 10.96.0.1`,
    },
  ])('$name', run);

  it('with more endpoints than a message holds are cut off, and say so', async () => {
    const addresses = Array.from({ length: 6000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    const cluster = await clusterOf([namespace('default'), headless('big'), slice('big', addresses)]);
    const got = (await cluster.ask(`big.${S}`)) as Reply;
    expect(got.truncated).toBe(true);
    expect(got.answerCount).toBeGreaterThan(4000);
  });
});

describe('pods', () => {
  const P = 'default.pod.cluster.local.';
  it.each<Row>([
    { name: 'disabled', objects: [pod('a', '10.0.0.1')], question: [`10-0-0-1.${P}`], want: DENIED },
    { name: 'disabled, the namespace', objects: [], question: [P], want: DENIED },
    {
      name: 'insecure, any address',
      options: 'pods insecure',
      objects: [],
      question: [`10-0-0-9.${P}`],
      want: `NOERROR 10-0-0-9.${P} 5 IN A 10.0.0.9`,
    },
    { name: 'insecure, no address', options: 'pods insecure', objects: [], question: [`web-0.${P}`], want: DENIED },
    {
      name: 'insecure, a leading zero is no address',
      options: 'pods insecure',
      objects: [],
      question: [`10-0-0-01.${P}`],
      want: DENIED,
    },
    {
      name: 'insecure, SRV',
      options: 'pods insecure',
      objects: [],
      question: [`10-0-0-9.${P}`, 'SRV'],
      want: `NOERROR 10-0-0-9.${P} 5 IN SRV 0 100 0 10-0-0-9.${P} + 10-0-0-9.${P} 5 IN A 10.0.0.9`,
    },
    {
      name: 'verified',
      options: 'pods verified',
      objects: [pod('a', '10.0.0.1')],
      question: [`10-0-0-1.${P}`],
      want: `NOERROR 10-0-0-1.${P} 5 IN A 10.0.0.1`,
    },
    {
      name: 'verified, IPv6',
      options: 'pods verified',
      objects: [pod('a', 'fd00::1')],
      question: [`fd00--1.${P}`, 'AAAA'],
      want: `NOERROR fd00--1.${P} 5 IN AAAA fd00::1`,
    },
    {
      name: 'verified, no such pod',
      options: 'pods verified',
      objects: [pod('a', '10.0.0.1')],
      question: [`10-0-0-2.${P}`],
      want: DENIED,
    },
    {
      name: 'verified, a pod of another namespace',
      options: 'pods verified',
      objects: [namespace('other'), pod('a', '10.0.0.1', {}, { metadata: { namespace: 'other' } })],
      question: [`10-0-0-1.${P}`],
      want: DENIED,
    },
    { name: 'verified, the namespace', options: 'pods verified', objects: [], question: [P], want: NODATA },
  ])('$name', run);
});

describe('aliases', () => {
  const elsewhere: ClusterOfOptions = {
    ask: (asked) =>
      asked.name === 'www.example.org.'
        ? reply({ answer: [`www.example.org. 300 IN ${asked.type === 28 ? 'AAAA 2001:db8::1' : 'A 192.0.2.1'}`] })
        : reply({ rcode: 3 }),
  };
  it.each<Row>([
    {
      name: 'A',
      ...elsewhere,
      objects: [external('out', 'www.example.org')],
      question: [`out.${S}`],
      want: `NOERROR out.${S} 5 IN CNAME www.example.org., www.example.org. 300 IN A 192.0.2.1`,
    },
    {
      name: 'AAAA',
      ...elsewhere,
      objects: [external('out', 'www.example.org.')],
      question: [`out.${S}`, 'AAAA'],
      want: `NOERROR out.${S} 5 IN CNAME www.example.org., www.example.org. 300 IN AAAA 2001:db8::1`,
    },
    {
      name: 'CNAME is not followed',
      objects: [external('out', 'www.example.org')],
      question: [`out.${S}`, 'CNAME'],
      want: `NOERROR out.${S} 5 IN CNAME www.example.org.`,
    },
    { name: 'SRV', objects: [external('out', 'www.example.org')], question: [`out.${S}`, 'SRV'], want: NODATA },
    {
      name: 'a target that does not exist is told all the same',
      ...elsewhere,
      objects: [external('out', 'nowhere.example.org')],
      question: [`out.${S}`],
      want: `NOERROR out.${S} 5 IN CNAME nowhere.example.org.`,
    },
    {
      name: 'a service within the zone',
      objects: [service('web'), external('out', `web.${S}`)],
      question: [`out.${S}`],
      want: `NOERROR out.${S} 5 IN CNAME web.${S}, web.${S} 5 IN A 10.96.0.1`,
    },
    {
      name: 'an alias to an alias',
      ...elsewhere,
      objects: [external('a', `b.${S}`), external('b', 'www.example.org')],
      question: [`a.${S}`],
      want: `NOERROR a.${S} 5 IN CNAME b.${S}, b.${S} 5 IN CNAME www.example.org., www.example.org. 300 IN A 192.0.2.1`,
    },
    {
      name: 'no such name within the zone',
      objects: [external('out', `nosuch.${S}`)],
      question: [`out.${S}`],
      want: NODATA,
    },
    {
      name: 'nothing of the type within the zone',
      objects: [service('web'), external('out', `web.${S}`)],
      question: [`out.${S}`, 'AAAA'],
      want: NODATA,
    },
    { name: 'itself', objects: [external('out', `OUT.${S}`)], question: [`out.${S}`], want: NODATA },
    {
      name: 'a circle',
      objects: [external('a', `b.${S}`), external('b', `a.${S}`)],
      question: [`a.${S}`],
      want: NODATA,
    },
    { name: 'an address is no alias', objects: [external('out', '192.0.2.1')], question: [`out.${S}`], want: DENIED },
    { name: 'no target', objects: [external('out', '')], question: [`out.${S}`], want: DENIED },
    {
      name: 'a target that is no name',
      objects: [external('out', `${'a'.repeat(64)}.test`)],
      question: [`out.${S}`],
      want: DENIED,
    },
    {
      name: 'a port of one',
      objects: [external('out', 'www.example.org')],
      question: [`_http._tcp.out.${S}`],
      want: DENIED,
    },
  ])('$name', run);

  it('waits for a target that has to be waited for, and passes TC on', async () => {
    const cluster = await clusterOf([namespace('default'), external('out', 'www.example.org')], {
      ask: (asked) =>
        Promise.resolve(Reply.of(0x200, 0, { answer: reply({ answer: [`${asked.name} 60 IN A 192.0.2.7`] }).answer })),
    });
    const got = (await cluster.ask(`out.${S}`)) as Reply;
    expect([got.truncated, got.answerCount]).toEqual([true, 2]);
  });
});

describe('addresses backwards', () => {
  const inGone = (manifest: Manifest): Manifest => ({
    ...manifest,
    metadata: { ...manifest.metadata, namespace: 'gone' },
  });
  const web = service('web');
  const other = service('other', {}, { namespace: 'gone' });
  it.each<Row>([
    {
      name: 'a service',
      objects: [web],
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      want: `NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR web.${S}`,
    },
    {
      name: 'a service goes before endpoints',
      objects: [web, service('b', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }), slice('b', ['10.96.0.1'])],
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      want: `NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR web.${S}`,
    },
    {
      name: 'an endpoint of two services',
      objects: [slice('a', ['10.0.0.1']), slice('b', ['10.0.0.1'])],
      question: ['1.0.0.10.in-addr.arpa.', 'PTR'],
      want: `NOERROR 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.a.${S}, 1.0.0.10.in-addr.arpa. 5 IN PTR 10-0-0-1.b.${S}`,
    },
    {
      name: 'an endpoint that is not ready',
      objects: [slice('a', [], { endpoints: [endpoint('10.0.0.1', { conditions: { ready: false } })] })],
      question: ['1.0.0.10.in-addr.arpa.', 'PTR'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    {
      name: 'an unknown address with fallthrough',
      options: 'fallthrough in-addr.arpa',
      objects: [],
      question: ['9.9.9.9.in-addr.arpa.', 'PTR'],
      want: 'REFUSED',
    },
    {
      name: 'a part of an address',
      objects: [],
      question: ['96.10.in-addr.arpa.', 'PTR'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    {
      name: 'an address asked for by another type',
      objects: [web],
      question: ['1.0.96.10.in-addr.arpa.'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    { name: 'PTR of a service name', objects: [web], question: [`web.${S}`, 'PTR'], want: NODATA },
    {
      name: 'noendpoints',
      options: 'noendpoints',
      objects: [slice('a', ['10.0.0.1'])],
      question: ['1.0.0.10.in-addr.arpa.', 'PTR'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    {
      name: 'a namespace that was not chosen',
      options: 'namespaces default',
      objects: [namespace('gone'), other, slice('web', ['10.96.0.1'])],
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      want: `NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR 10-96-0-1.web.${S}`,
    },
    {
      name: 'an endpoint of a namespace that was not chosen',
      options: 'namespaces default',
      objects: [namespace('gone'), inGone(slice('web', ['10.0.0.9']))],
      question: ['9.0.0.10.in-addr.arpa.', 'PTR'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    {
      name: 'a namespace that labels leave out has them all the same',
      options: 'namespace_labels team=a',
      objects: [namespace('gone'), other],
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      want: 'NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR other.gone.svc.cluster.local.',
    },
    {
      name: 'the version in a reverse zone',
      objects: [],
      question: ['dns-version.in-addr.arpa.', 'TXT'],
      want: 'NOERROR dns-version.in-addr.arpa. 28800 IN TXT "1.1.0"',
    },
    ...['ns.dns.in-addr.arpa.', 'svc.in-addr.arpa.', 'pod.in-addr.arpa.'].map((name) => ({
      name: `${name} is there and has nothing`,
      objects: [],
      question: [name] as [string],
      want: `NOERROR ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    })),
    {
      name: 'no service in a reverse zone',
      objects: [web],
      question: ['web.default.svc.in-addr.arpa.'],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', 'in-addr.arpa.')}`,
    },
    ...['PTR', 'TXT'].map((type) => ({
      name: `no ${type} of the name server`,
      objects: [],
      question: ['ns.dns.cluster.local.', type] as [string, string],
      want: DENIED,
    })),
    {
      name: 'in the root zone',
      args: '.',
      objects: [web],
      question: ['1.0.96.10.in-addr.arpa.', 'PTR'],
      want: 'NOERROR 1.0.96.10.in-addr.arpa. 5 IN PTR web.default.svc.',
    },
  ])('$name', run);
});

it('refuses a transfer of a name that was answered before', async () => {
  const cluster = await clusterOf([namespace('default'), service('web')]);
  expect(await cluster.told(`web.${S}`)).toMatch(/^NOERROR/);
  for (const type of ['AXFR', 'IXFR']) expect(await cluster.told(`web.${S}`, type)).toBe('REFUSED');
});

describe('name servers', () => {
  const bound = { index: 0, label: 'dns://10.0.0.5:53', scheme: 'dns', address: '10.0.0.5', port: 53 };
  const serve = async (objects: Manifest[], served = bound) => {
    const cluster = await clusterOf([namespace('default'), ...objects]);
    cluster.block.served = [served];
    await cluster.block.hooks.start[0]!();
    return cluster;
  };
  it.each([
    {
      name: 'without a service',
      objects: [],
      ask: ['cluster.local.', 'NS'],
      want: 'NOERROR cluster.local. 5 IN NS ns.dns.cluster.local. + ns.dns.cluster.local. 5 IN A 10.0.0.5',
    },
    {
      name: 'its address',
      objects: [],
      ask: ['ns.dns.cluster.local.', 'A'],
      want: 'NOERROR ns.dns.cluster.local. 5 IN A 10.0.0.5',
    },
    { name: 'its IPv6 address', objects: [], ask: ['ns.dns.cluster.local.', 'AAAA'], want: `NOERROR ${SOA}` },
    {
      name: 'through a service',
      objects: [service('dns'), slice('dns', ['10.0.0.5'])],
      ask: ['cluster.local.', 'NS'],
      want: `NOERROR cluster.local. 5 IN NS dns.${S} + dns.${S} 5 IN A 10.96.0.1`,
    },
    {
      name: 'the address of that service',
      objects: [service('dns'), slice('dns', ['10.0.0.5'])],
      ask: ['ns.dns.cluster.local.', 'A'],
      want: 'NOERROR ns.dns.cluster.local. 5 IN A 10.96.0.1',
    },
    {
      name: 'through a headless service',
      objects: [headless('dns'), slice('dns', ['10.0.0.5', '10.0.0.6'])],
      ask: ['cluster.local.', 'NS'],
      want: `NOERROR cluster.local. 5 IN NS 10-0-0-5.dns.${S}, cluster.local. 5 IN NS 10-0-0-6.dns.${S} + 10-0-0-5.dns.${S} 5 IN A 10.0.0.5, 10-0-0-6.dns.${S} 5 IN A 10.0.0.6`,
    },
  ])('$name', async ({ objects, ask, want }) => {
    // The serial is 0 where there is no object but a namespace.
    const serial = objects.length === 0 ? '0' : '1753833600';
    expect(await (await serve(objects)).told(ask[0]!, ask[1])).toBe(want.replace('1753833600', serial));
  });

  it('are none on the loopback interface, and all addresses of the host where all are served', async () => {
    const loopback = await serve([], { ...bound, address: '127.0.0.1' });
    expect(await loopback.told('cluster.local.', 'NS')).toBe(`NOERROR ${SOA.replace('1753833600', '0')}`);
    const every = await clusterOf([namespace('default')], {
      network: {
        interfaces: () => [
          { device: 'lo', address: '127.0.0.1', loopback: true },
          { device: 'eth0', address: '192.0.2.5', loopback: false },
          { device: 'eth0', address: 'fe80::1', loopback: false },
          { device: 'eth0', address: '2001:db8::5', loopback: false },
        ],
      } as never,
    });
    every.block.served = [{ ...bound, address: '' }];
    await every.block.hooks.start[0]!();
    expect(await every.told('ns.dns.cluster.local.')).toBe('NOERROR ns.dns.cluster.local. 5 IN A 192.0.2.5');
    expect(await every.told('ns.dns.cluster.local.', 'AAAA')).toBe(
      'NOERROR ns.dns.cluster.local. 5 IN AAAA 2001:db8::5',
    );
  });
});

describe('letter case', () => {
  const objects = [namespace('default'), service('web')];
  const Z = 'Cluster.LOCAL.';
  it.each([
    {
      name: 'the owner of an answer',
      ask: [`WEB.default.SVC.${Z}`],
      want: `NOERROR WEB.default.SVC.${Z} 5 IN A 10.96.0.1`,
    },
    {
      name: 'the zone in a denial',
      ask: [`nosuch.default.svc.${Z}`],
      want: `NXDOMAIN ${SOA.replaceAll('cluster.local.', Z)}`,
    },
    {
      name: 'the zone in no data',
      ask: [`web.default.svc.${Z}`, 'AAAA'],
      want: `NOERROR ${SOA.replaceAll('cluster.local.', Z)}`,
    },
    {
      name: 'the zone of targets',
      ask: [`web.default.svc.${Z}`, 'SRV'],
      want: `NOERROR web.default.svc.${Z} 5 IN SRV 0 100 80 web.default.svc.${Z} + web.default.svc.${Z} 5 IN A 10.96.0.1`,
    },
    {
      name: 'but not the rest of targets',
      ask: [`WEB.${S}`, 'SRV'],
      want: `NOERROR WEB.${S} 5 IN SRV 0 100 80 web.${S} + web.${S} 5 IN A 10.96.0.1`,
    },
    { name: 'SOA', ask: [Z, 'SOA'], want: `NOERROR ${SOA.replaceAll('cluster.local.', Z)}` },
    { name: 'dns-version', ask: [`DNS-version.${Z}`, 'TXT'], want: `NOERROR DNS-version.${Z} 28800 IN TXT "1.1.0"` },
  ])('$name', async ({ ask, want }) => {
    const cluster = await clusterOf(objects);
    for (const name of [ask[0]!.toLowerCase(), ask[0]!]) await cluster.ask(name, ask[1]);
    expect(await cluster.told(ask[0]!, ask[1])).toBe(want);
    // And whoever writes it in lower case gets it so.
    expect(await cluster.told(ask[0]!.toLowerCase(), ask[1])).toBe(
      want.toLowerCase().replaceAll(/noerror|nxdomain| in (a|txt|soa|srv) /g, (word) => word.toUpperCase()),
    );
  });
});

describe('what is kept', () => {
  it('is one reply for everybody who asks', async () => {
    const cluster = await clusterOf([namespace('default'), service('web'), headless('db'), slice('db', ['10.0.0.1'])], {
      options: 'pods insecure',
    });
    for (const [name, type] of [
      [`web.${S}`, 'A'],
      [`web.${S}`, 'AAAA'],
      [`web.${S}`, 'SRV'],
      [`10-0-0-1.db.${S}`, 'A'],
      ['1.0.96.10.in-addr.arpa.', 'PTR'],
      ['1-2-3-4.default.pod.cluster.local.', 'A'],
      [`no.${S}`, 'A'],
    ] as const) {
      expect(cluster.handler.handle(query(name, type), () => reply())).toBe(
        cluster.handler.handle(query(name, type), () => reply()),
      );
    }
  });
});
