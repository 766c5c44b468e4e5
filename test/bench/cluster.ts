import { FakeApi } from '../support/fake-api.js';

/** Address of service or pod number `i` in the block that starts at `first`.0.0. */
const address = (first: string, i: number): string => `${first}.${(i >> 8) & 255}.${i & 255}`;

const meta = (name: string, more: object = {}): object => ({ name, namespace: `ns${Number(name.slice(3)) % 100}`, uid: `u-${name}`, creationTimestamp: '2025-07-30T05:41:20Z', labels: { app: name }, ...more });

/** The API of a cluster with as many services, each with one slice of one endpoint, in 100 namespaces. */
export function clusterApi(services: number): Promise<FakeApi> {
  const api = new FakeApi();
  for (let i = 0; i < 100; i++) api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `ns${i}` } });
  for (let i = 0; i < services; i++) {
    const name = `svc${i}`;
    const ip = i < 65_536 ? address('10.96', i) : address('10.97', i);
    api.apply({
      apiVersion: 'v1', kind: 'Service', metadata: meta(name),
      spec: { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ipFamilies: ['IPv4'], selector: { app: name }, ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }] },
    } as never);
    api.apply({
      apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: meta(`${name}-x7k2p`.replace('svc', 'svc'), { namespace: `ns${i % 100}`, labels: { 'kubernetes.io/service-name': name } }), addressType: 'IPv4',
      endpoints: [{ addresses: [address('172.20', i)], conditions: { ready: true, serving: true, terminating: false }, nodeName: `node${i % 50}`, targetRef: { kind: 'Pod', namespace: `ns${i % 100}`, name: `${name}-0` } }],
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    } as never);
  }
  return api.start();
}

/** What a pod asks for 1,000 of the services, for 1,000 that do not exist, and for an external name by way of its search list. */
export const QUERIES = {
  names: (services: number): string[] => Array.from({ length: 1000 }, (_, i) => i * Math.floor(services / 1000)).map((i) => `svc${i}.ns${i % 100}.svc.cluster.local A`),
  missing: (): string[] => Array.from({ length: 1000 }, (_, i) => `nosuch${i}.ns${i % 100}.svc.cluster.local A`),
  search: (): string[] => Array.from({ length: 200 }, (_, i) => `n${i + 1}.bench.example.org`).flatMap((name) => ['.ns1.svc.cluster.local', '.svc.cluster.local', '.cluster.local', ''].flatMap((domain) => [`${name}${domain} A`, `${name}${domain} AAAA`])),
};
