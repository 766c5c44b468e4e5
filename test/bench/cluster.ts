import { FakeApi, type Manifest } from '../support/fake-api.js';

/** Address of service or pod number `i` in the block that starts at `first`.0.0. */
const address = (first: string, i: number): string => `${first}.${(i >> 8) & 255}.${i & 255}`;

const serviceAddress = (i: number): string => (i < 65_536 ? address('10.96', i) : address('10.97', i));

const DOMAIN = '.svc.cluster.local';

/**
 * Services that the lists of queries ask for, by namespace, and how many of a name with a number there are; those of
 * `default` do not exist.
 */
const LISTED: readonly (readonly [namespace: string, name: string])[] = [
  ['kube-system', 'kube-dns'],
  ...Array.from({ length: 20 }, (_, i) => ['dnstest', `svc${i + 1}`] as const),
];

/** Cluster addresses by service: `name.namespace`. */
function addresses(services: number): Map<string, string> {
  const known = new Map(LISTED.map(([namespace, name], i) => [`${name}.${namespace}`, address('10.98', i + 1)]));
  for (let i = 0; i < services; i++) known.set(`svc${i}.ns${i % 100}`, serviceAddress(i));
  return known;
}

export /** As the API notes who wrote which fields: a large part of what it sends. */
const managedFields = (manager: string, apiVersion: string, fieldsV1: object): object[] => [
  { manager, operation: 'Update', apiVersion, time: '2025-07-30T05:41:20Z', fieldsType: 'FieldsV1', fieldsV1 },
];

export const service = (namespace: string, name: string, ip: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name,
    namespace,
    uid: `6e9bb1f2-58a1-4b0b-9d5c-${name}`,
    creationTimestamp: '2025-07-30T05:41:20Z',
    labels: { app: name },
    managedFields: managedFields('kubectl', 'v1', {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:internalTrafficPolicy': {},
        'f:ports': {
          '.': {},
          'k:{"port":80,"protocol":"TCP"}': {
            '.': {},
            'f:name': {},
            'f:port': {},
            'f:protocol': {},
            'f:targetPort': {},
          },
        },
        'f:selector': {},
        'f:sessionAffinity': {},
        'f:type': {},
      },
    }),
  },
  spec: {
    type: 'ClusterIP',
    clusterIP: ip,
    clusterIPs: [ip],
    ipFamilies: ['IPv4'],
    selector: { app: name },
    ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
  },
});

const slice = (namespace: string, name: string, i: number): Manifest => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${name}-x7k2p`,
    namespace,
    uid: `0d3ac1b4-1c4c-4d53-a1c9-${name}`,
    generateName: `${name}-`,
    creationTimestamp: '2025-07-30T05:41:20Z',
    labels: {
      app: name,
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      'kubernetes.io/service-name': name,
    },
    annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2025-07-30T05:41:20Z' },
    managedFields: managedFields('kube-controller-manager', 'discovery.k8s.io/v1', {
      'f:addressType': {},
      'f:endpoints': {},
      'f:metadata': {
        'f:annotations': { '.': {}, 'f:endpoints.kubernetes.io/last-change-trigger-time': {} },
        'f:generateName': {},
        'f:labels': {
          '.': {},
          'f:app': {},
          'f:endpointslice.kubernetes.io/managed-by': {},
          'f:kubernetes.io/service-name': {},
        },
        'f:ownerReferences': { '.': {}, 'k:{"uid":"6e9bb1f2-58a1-4b0b-9d5c-2f2c8f0e6d6e"}': {} },
      },
      'f:ports': {},
    }),
  },
  addressType: 'IPv4',
  endpoints: [
    {
      addresses: [address('172.20', i)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node${i % 50}`,
      targetRef: { kind: 'Pod', namespace, name: `${name}-0` },
    },
  ],
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
});

/** The objects of a cluster with as many services, each with one slice of one endpoint, in 100 namespaces. */
export function clusterObjects(services: number): Manifest[] {
  const names = ['default', 'kube-system', 'dnstest', ...Array.from({ length: 100 }, (_, i) => `ns${i}`)];
  const objects: Manifest[] = names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  let i = 0;
  for (const [key, ip] of addresses(services)) {
    const [name, namespace] = key.split('.') as [string, string];
    objects.push(service(namespace, name, ip), slice(namespace, name, i++));
  }
  return objects;
}

/** The API of such a cluster. */
export function clusterApi(services: number): Promise<FakeApi> {
  return new FakeApi(clusterObjects(services)).start();
}

/** What is right for a question: the rcode's name and the address, where there is one. */
export interface Right {
  readonly rcode: 'NOERROR' | 'NXDOMAIN';
  readonly address: string | undefined;
}

/** Address of every name outside, as the bench's upstream has it. */
export const OUTSIDE = '198.51.100.1';

/**
 * The right answer to `NAME TYPE`, in any spelling, with a cluster of as many services (undefined for none),
 * `pods insecure`, and the bench's upstream for all else. Worked out from the names alone, with nothing of the server's.
 */
export function rightAnswers(services: number | undefined): (question: string) => Right {
  const known = services === undefined ? undefined : addresses(services);
  const has = (address: string | undefined, type: string | undefined): Right => ({
    rcode: 'NOERROR',
    address: type === 'A' ? address : undefined,
  });
  return (question) => {
    const [spelt, type] = question.split(' ');
    const name = spelt!.toLowerCase();
    if (known === undefined || !name.endsWith('.cluster.local')) return has(OUTSIDE, type);
    const pod = /^(\d+-\d+-\d+-\d+)\.(\w+)\.pod\.cluster\.local$/.exec(name);
    if (pod && pod[2] === 'default') return has(pod[1]!.replaceAll('-', '.'), type);
    const address = name.endsWith(DOMAIN) ? known.get(name.slice(0, -DOMAIN.length)) : undefined;
    return address === undefined ? { rcode: 'NXDOMAIN', address } : has(address, type);
  };
}
