import type { ClusterView, ExplainedQuery, Hop, LookupAnswer, PodView } from '../../../src/lab/web/api.js';

/** A cluster and lookups in it, for tests that draw them. */

export const CURL = 'pod/default/curl-pod';
export const CORE = 'pod/kube-system/coredns-674b8bbfcf-abcde';
export const CACHE = 'pod/kube-system/node-local-dns-fghij';
export const DNS = 'service/kube-system/kube-dns';
export const UPSTREAM = 'host/resolver';

export const pod = (id: string, more: Partial<PodView> = {}): PodView => {
  const [, namespace = '', name = ''] = id.split('/');
  return {
    id,
    namespace,
    name,
    workload: name,
    node: 'one',
    ip: '10.0.0.1',
    hostNetwork: false,
    kind: 'idle',
    state: 'Running',
    ready: true,
    restarts: 0,
    faults: [],
    ...more,
  };
};

/** Two nodes: a client, a web server and CoreDNS; a service address and a host outside. */
export const view = (more: Partial<ClusterView> = {}): ClusterView => ({
  name: 'two-nodes',
  domain: 'cluster.local',
  dns: '10.96.0.10',
  nodes: ['one', 'two'].map((name, i) => ({ id: `node/${name}`, name, ip: `192.168.0.${i + 1}`, addresses: [] })),
  pods: [
    pod('pod/kube-system/agent', { hostNetwork: true }),
    pod(CURL, { ip: '10.0.0.7', port: 5301 }),
    pod('pod/default/webpod-66bb7d4c8b-x2x3x', { kind: 'web', workload: 'webpod-66bb7d4c8b', node: 'two' }),
    pod(CORE, { kind: 'dns', workload: 'coredns-674b8bbfcf', node: 'two', ip: '10.0.1.5' }),
  ],
  hosts: [{ id: UPSTREAM, name: 'resolver', addresses: ['127.0.0.1', '9.9.9.9'], dns: true }],
  services: [
    {
      id: DNS,
      namespace: 'kube-system',
      name: 'kube-dns',
      ips: ['10.96.0.10', 'fd00::a'],
      ports: ['53/UDP'],
      backends: [CORE],
      redirects: [],
    },
  ],
  links: [
    { from: CURL, to: DNS, kind: 'asks' },
    { from: DNS, to: CORE, kind: 'backend' },
  ],
  nodeCache: 'none',
  apiAway: false,
  ...more,
});

export const visit = (more: Partial<Hop> = {}): Hop => ({
  kind: 'visit',
  depth: 0,
  at: CORE,
  cache: 'miss',
  plugin: 'kubernetes',
  result: 'NXDOMAIN',
  text: 'miss coredns answers',
  ...more,
});
export const translation = (more: Partial<Hop> = {}): Hop => ({
  kind: 'translation',
  depth: 0,
  at: DNS,
  text: 'service kube-dns leads to coredns',
  ...more,
});
export const query = (type: string, result: string, more: Partial<ExplainedQuery> = {}): ExplainedQuery => ({
  type,
  protocol: 'udp',
  server: '10.96.0.10',
  result,
  started: 0,
  time: 1.25,
  text: `${type} answered ${result}`,
  aliases: [],
  reasons: [],
  hops: [translation(), visit({ result })],
  ...more,
});

/** `google.com`: two names, A and AAAA each; the last but one query has addresses, from a cache. */
export const story = (more: Partial<LookupAnswer> = {}): LookupAnswer => ({
  at: 1000,
  nodeCache: 'none',
  asText: 'google.com as text',
  pod: { id: CURL, namespace: 'default', name: 'curl-pod', ip: '10.0.0.7', node: 'one' },
  asked: 'google.com',
  profile: 'glibc',
  servers: ['10.96.0.10'],
  search: ['default.svc.cluster.local'],
  ndots: 5,
  steps: [
    {
      name: 'google.com.default.svc.cluster.local.',
      why: 'search default.svc.cluster.local',
      queries: [query('A', 'NXDOMAIN'), query('AAAA', 'NXDOMAIN')],
    },
    {
      name: 'google.com.',
      why: 'the name as it stands',
      queries: [
        query('A', 'NOERROR', { hops: [translation(), visit({ cache: 'hit', result: 'NOERROR' })] }),
        query('AAAA', 'timeout'),
      ],
    },
  ],
  addresses: ['192.0.2.1'],
  found: true,
  outcome: 'google.com has 192.0.2.1',
  reasons: [],
  cost: { queries: 4, packets: 8, sockets: 2, visits: 5, time: 7.5 },
  ...more,
});
