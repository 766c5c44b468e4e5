import { describe, expect, it } from 'vitest';
import { reply } from '../../support/dns.js';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, service, slice } from '../../support/kube.js';
import { SOA, clusterOf, type ClusterOfOptions } from './cluster-of.js';

const NODATA = `NOERROR ${SOA}`;
const DENIED = `NXDOMAIN ${SOA}`;
const EXT = 'ext.default.svc.cluster.local.';
const headless = (name: string): Manifest => service(name, { clusterIP: 'None', clusterIPs: ['None'] });
const names = (hosts: readonly string[], rest: Record<string, unknown> = {}): Manifest =>
  slice('ext', hosts, { addressType: 'FQDN', ...rest });
const addresses = {
  ...slice('ext', ['10.0.0.1']),
  metadata: { name: 'ext-b', namespace: 'default', labels: { 'kubernetes.io/service-name': 'ext' } },
};

interface Row {
  readonly name: string;
  readonly slices: readonly Manifest[];
  readonly question: readonly [name: string, type?: string];
  readonly want: string;
}

/** What lies outside the zone. */
const ask: ClusterOfOptions['ask'] = (asked) =>
  asked.name === 'a.example.org.' && asked.typeName === 'A'
    ? reply({ answer: ['a.example.org. 60 IN A 192.0.2.1'] })
    : reply({ rcode: 3 });

describe('endpoints that are known by a name', () => {
  it.each<Row>([
    {
      name: 'are aliases',
      slices: [names(['a.example.org'])],
      question: [EXT],
      want: `NOERROR ${EXT} 5 IN CNAME a.example.org., a.example.org. 60 IN A 192.0.2.1`,
    },
    {
      name: 'are told without addresses too',
      slices: [names(['a.example.org'])],
      question: [EXT, 'AAAA'],
      want: `NOERROR ${EXT} 5 IN CNAME a.example.org.`,
    },
    {
      name: 'have a name of their own',
      slices: [names(['a.example.org', 'b.example.org'])],
      question: [`a-example-org.${EXT}`],
      want: `NOERROR a-example-org.${EXT} 5 IN CNAME a.example.org., a.example.org. 60 IN A 192.0.2.1`,
    },
    {
      name: 'and no other',
      slices: [names(['a.example.org'])],
      question: [`b-example-org.${EXT}`],
      want: DENIED,
    },
    {
      name: 'asked for as aliases, the first is told',
      slices: [names(['a.example.org', 'b.example.org'])],
      question: [EXT, 'CNAME'],
      want: `NOERROR ${EXT} 5 IN CNAME a.example.org.`,
    },
    {
      name: 'stand beside those with addresses',
      slices: [addresses, names(['a.example.org'])],
      question: [EXT],
      want: `NOERROR ${EXT} 5 IN A 10.0.0.1, ${EXT} 5 IN CNAME a.example.org., a.example.org. 60 IN A 192.0.2.1`,
    },
    {
      name: 'are told for each port',
      slices: [
        names(['a.example.org'], { ports: [80, 81].map((port) => ({ name: `p${port}`, port, protocol: 'TCP' })) }),
      ],
      question: [EXT, 'AAAA'],
      want: `NOERROR ${EXT} 5 IN CNAME a.example.org., ${EXT} 5 IN CNAME a.example.org.`,
    },
    {
      name: 'in the zone are followed there',
      slices: [names(['web.default.svc.cluster.local'])],
      question: [EXT],
      want: `NOERROR ${EXT} 5 IN CNAME web.default.svc.cluster.local., web.default.svc.cluster.local. 5 IN A 10.96.0.1`,
    },
    { name: 'in a circle come to nothing', slices: [names([EXT.slice(0, -1)])], question: [EXT], want: NODATA },
    { name: 'have no SRV record', slices: [names(['a.example.org'])], question: [EXT, 'SRV'], want: NODATA },
    { name: 'have no text', slices: [names(['a.example.org'])], question: [EXT, 'TXT'], want: NODATA },
    { name: 'are no names at all', slices: [names(['a b', '192.0.2.1'])], question: [EXT], want: DENIED },
  ])('$name', async ({ slices, question, want }) => {
    const objects = [namespace('default'), service('web'), headless('ext'), ...slices];
    const cluster = await clusterOf(objects, { ask });
    for (let times = 0; times < 2; times++) expect(await cluster.told(...question)).toBe(want);
  });

  it('follow their slices', async () => {
    const cluster = await clusterOf([namespace('default'), headless('ext'), addresses], { ask });
    expect(await cluster.told(EXT)).toBe(`NOERROR ${EXT} 5 IN A 10.0.0.1`);
    cluster.source.apply({ ...addresses, addressType: 'FQDN', endpoints: [{ addresses: ['a.example.org'] }] });
    expect(await cluster.told(EXT, 'CNAME')).toBe(`NOERROR ${EXT} 5 IN CNAME a.example.org.`);
  });
});
