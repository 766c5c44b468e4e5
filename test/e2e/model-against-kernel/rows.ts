import type { DatapathConfig } from '../../../src/datapath/config.js';
import { ensureRules, placedRules } from '../../../src/datapath/netfilter/node-cache-rules.js';
import type { World } from '../../../src/datapath/world.js';
import { CACHE_IP, CACHE_NODE, CLUSTER_DNS, POD, PORT, addService } from './cluster.js';

/** A flow: who asks whom, in which cluster. */
export interface Row {
  readonly name: string;
  /** Namespace of the client. */
  readonly from: string;
  readonly to: string;
  /** 53 unless said otherwise. */
  readonly port?: number;
  /** `ICMP` is an echo; UDP unless said otherwise. */
  readonly by?: 'UDP' | 'TCP' | 'ICMP';
  /** Address that the client binds. */
  readonly source?: string;
  readonly config?: Partial<DatapathConfig>;
  readonly setup?: (world: World) => void;
  /** Where Cilium's programs translate and the kernel has rules that come to the same: which, and who cannot tell. */
  readonly alike?: Alike;
}

interface Alike {
  readonly config?: Partial<DatapathConfig>;
  readonly setup?: (world: World) => void;
  /** Namespaces whose packets are compared; connections are not. */
  readonly seenBy: readonly string[];
}

const NODE = 'node/k8s-ctr';
const CACHE = `node/${CACHE_NODE}`;
const OUTSIDE = 'host/router';
const CLIENT = 'pod/default/client';
const NEAR = `${POD.near}:53`;
const FAR = `${POD.far}:53`;
const SERVICE = '10.96.0.99';
const RESOLVER = '10.0.2.3';
const ROUTER = '192.168.10.200';

const service =
  (to: readonly string[], more: Partial<Parameters<typeof addService>[1]> = {}) =>
  (world: World): void =>
    addService(world, { ip: SERVICE, to, ...more });
const cacheRules = (world: World): void =>
  void ensureRules(world.node(CACHE_NODE).netfilter, placedRules([CACHE_IP, CLUSTER_DNS]));

export const ROWS: readonly Row[] = [
  { name: 'a service, backend on the same node', from: NODE, to: SERVICE, setup: service([NEAR]) },
  { name: 'a service, backend on another node', from: NODE, to: SERVICE, setup: service([FAR]) },
  { name: 'a service by TCP', from: NODE, to: SERVICE, by: 'TCP', setup: service([FAR], { tcp: true }) },
  {
    name: 'a service, from an address of another device',
    from: NODE,
    to: SERVICE,
    source: '192.168.10.100',
    setup: service([NEAR]),
  },
  {
    name: 'a service with a local traffic policy',
    from: NODE,
    to: SERVICE,
    setup: service([FAR, NEAR], { localOnly: true }),
  },
  { name: 'a service without endpoints', from: NODE, to: SERVICE, setup: service([]) },
  {
    name: 'a service whose backend is silent',
    from: NODE,
    to: SERVICE,
    setup: service([`${POD.near}:${PORT.silent}`]),
  },
  {
    name: 'a service whose backend refuses',
    from: NODE,
    to: SERVICE,
    setup: service([`${POD.near}:${PORT.closed}`]),
  },
  {
    name: 'a service whose backend refuses TCP',
    from: NODE,
    to: SERVICE,
    by: 'TCP',
    setup: service([`${POD.far}:${PORT.closed}`], { tcp: true }),
  },
  {
    name: 'a node port, from outside, backend on that node',
    from: OUTSIDE,
    to: '192.168.10.100',
    port: PORT.node,
    setup: service([NEAR], { nodePort: PORT.node }),
  },
  {
    name: 'a node port, from outside, backend on another node',
    from: OUTSIDE,
    to: '192.168.10.100',
    port: PORT.node,
    setup: service([FAR], { nodePort: PORT.node }),
  },
  { name: 'a pod asks outside', from: CLIENT, to: RESOLVER },
  { name: 'a pod asks outside by TCP', from: CLIENT, to: RESOLVER, by: 'TCP' },
  { name: 'a pod asks outside by another device', from: CLIENT, to: ROUTER },
  { name: 'a pod asks outside, where nothing listens', from: CLIENT, to: ROUTER, port: PORT.closed },
  { name: 'a pod asks a pod of another node', from: CLIENT, to: POD.far },
  {
    name: 'a pod asks a pod of another node, untracked',
    from: CLIENT,
    to: POD.far,
    config: { installNoConntrackRules: true },
  },
  { name: 'a pod asks the node cache, untracked', from: 'pod/kube-system/far', to: CACHE_IP, setup: cacheRules },
  {
    name: 'a pod asks the node cache by TCP, untracked',
    from: 'pod/kube-system/far',
    to: CACHE_IP,
    by: 'TCP',
    setup: cacheRules,
  },
  { name: 'a pod asks the node cache, tracked', from: 'pod/kube-system/far', to: CACHE_IP },
  { name: 'a node asks its cache, untracked', from: CACHE, to: CACHE_IP, setup: cacheRules },
  { name: 'a node asks its cache, tracked', from: CACHE, to: CACHE_IP },
  { name: 'a node asks its cache at the address of the service', from: CACHE, to: CLUSTER_DNS, setup: cacheRules },
  { name: 'a node asks its cache by TCP', from: CACHE, to: CACHE_IP, by: 'TCP', setup: cacheRules },
  { name: 'a pod pings outside', from: CLIENT, to: ROUTER, by: 'ICMP' },
  {
    name: 'a service, from outside, backend on the node that it comes by',
    from: OUTSIDE,
    to: SERVICE,
    setup: service([NEAR]),
  },
  { name: 'a service, from outside, backend on another node', from: OUTSIDE, to: SERVICE, setup: service([FAR]) },
  {
    name: 'a service of a pod, translated at its device, backend on another node',
    from: CLIENT,
    to: SERVICE,
    setup: service([FAR]),
    alike: { setup: service([FAR]), seenBy: [CLIENT, NODE, CACHE, 'pod/kube-system/far'] },
  },
  {
    name: 'a service of a pod, translated at its device, backend on the same node',
    from: CLIENT,
    to: SERVICE,
    by: 'TCP',
    setup: service([NEAR], { tcp: true }),
    alike: { setup: service([NEAR], { tcp: true }), seenBy: [CLIENT, 'pod/kube-system/near'] },
  },
  {
    name: 'a service that a policy redirects to a pod of the node',
    from: CLIENT,
    to: SERVICE,
    config: { socketLb: 'host-only' },
    setup: (world) => {
      addService(world, { ip: SERVICE, to: [FAR] });
      const backends = [{ ip: POD.near, port: 53, protocol: 'UDP' as const }];
      world.setRedirects('k8s-ctr', [
        { policy: 'kube-system/local', ip: SERVICE, port: 53, protocol: 'UDP', backends },
      ]);
    },
    alike: { setup: service([NEAR]), seenBy: [CLIENT, 'pod/kube-system/near', 'pod/kube-system/far'] },
  },
  {
    name: 'a pod asks outside, masqueraded by the program of the device',
    from: CLIENT,
    to: RESOLVER,
    config: { hostRouting: 'bpf', masquerade: 'bpf' },
    alike: { seenBy: [CLIENT, 'host/resolver-k8s-ctr'] },
  },
  {
    name: 'a pod pings outside, masqueraded by the program of the device',
    from: CLIENT,
    to: ROUTER,
    by: 'ICMP',
    config: { hostRouting: 'bpf', masquerade: 'bpf' },
    alike: { seenBy: [CLIENT, OUTSIDE] },
  },
];
