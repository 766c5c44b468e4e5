import type { DatapathConfig } from '../../../src/datapath/config.js';
import type { NetNs } from '../../../src/datapath/netns/netns.js';
import type { Process } from '../../../src/datapath/sockets/process.js';
import type { World } from '../../../src/datapath/world.js';
import { lab, type Lab } from '../../datapath/lab.js';

/** The node cache's own address, and that of the cluster's DNS. */
export const CACHE_IP = '169.254.20.10';
export const CLUSTER_DNS = '10.96.0.10';
export const POD = { client: '172.20.1.236', near: '172.20.1.144', far: '172.20.0.144' } as const;
/** Where nothing listens, and where something listens and never answers. */
export const PORT = { closed: 5300, silent: 5354, node: 30_053 } as const;

/** Where an answer can be had at port 53: all pods and hosts of this list, and the node cache of `k8s-w1`. */
export const SERVERS = ['pod/kube-system/near', 'pod/kube-system/far', 'host/router', 'host/resolver-k8s-ctr'] as const;
export const CACHE_NODE = 'k8s-w1';

/** All that Linux does by itself: packets of pods pass the node's IP stack, and services are kube-proxy's. */
const BY_NETFILTER: Partial<DatapathConfig> = {
  hostRouting: 'legacy',
  socketLb: 'off',
  kubeProxy: true,
  kubeProxyClusterCidr: '172.20.0.0/16',
  masquerade: 'iptables',
  installNoConntrackRules: false,
};

/**
 * Two nodes, a router, a resolver behind one of the nodes' NAT, and three pods: a client and a server on `k8s-ctr`, a
 * server on `k8s-w1`, which also has the device of a node cache. The same addresses and devices with any settings.
 */
export function cluster(config: Partial<DatapathConfig> = {}): Lab {
  const made = lab({ ...BY_NETFILTER, ...config });
  const { world } = made;
  world.addRoute('router', { to: '10.96.0.0/16', via: '192.168.10.100' });
  const common = { namespace: 'kube-system', labels: {} };
  world.addPod({
    ...common,
    namespace: 'default',
    name: 'client',
    node: 'k8s-ctr',
    ip: POD.client,
    device: 'lxcclient',
  });
  world.addPod({ ...common, name: 'near', node: 'k8s-ctr', ip: POD.near, device: 'lxcnear' });
  world.addPod({ ...common, name: 'far', node: 'k8s-w1', ip: POD.far, device: 'lxcfar' });
  world.addDummy(CACHE_NODE, 'nodelocaldns', [CACHE_IP, CLUSTER_DNS]);
  return made;
}

/** Namespaces of a cluster, by their ids. */
export function namespacesOf({ cluster: { nodes, pods, hosts } }: World): ReadonlyMap<string, NetNs> {
  const machines = [...nodes.values(), ...pods.values(), ...hosts.values()];
  return new Map(machines.map(({ netns }) => [netns.id, netns]));
}

/** What programs in a namespace open sockets with. */
export function processOf(world: World, id: string): Process {
  const [kind, ...name] = id.split('/');
  if (kind === 'node') return world.node(name[0]!).process;
  return kind === 'host' ? world.host(name[0]!).process : world.pod(name[0]!, name[1]!).process;
}

export interface ServiceRow {
  readonly ip: string;
  /** `172.20.1.144:53`. */
  readonly to: readonly string[];
  readonly tcp?: boolean;
  readonly nodePort?: number;
  readonly localOnly?: boolean;
}

/** A service at port 53 and its backends; those in the block of `k8s-w1` are there. */
export function addService(world: World, { ip, to, tcp = false, nodePort, localOnly = false }: ServiceRow): void {
  const owner = { namespace: 'kube-system', name: `service-${ip.replaceAll('.', '-')}` };
  const port = { name: 'dns', port: 53, protocol: tcp ? ('TCP' as const) : ('UDP' as const), nodePort };
  world.setService({ ...owner, clusterIPs: [ip], ports: [port], localOnly });
  const backends = to.map((backend) => {
    const [address = '', number] = backend.split(':');
    const node = address.startsWith('172.20.0.') ? 'k8s-w1' : 'k8s-ctr';
    return { ip: address, port: Number(number), portName: 'dns', protocol: port.protocol, node };
  });
  world.setBackends(owner.namespace, owner.name, backends);
}
