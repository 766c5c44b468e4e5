import { seededRandom } from '../../src/lib/random.js';
import { ManualClock } from '../../src/lib/clock.js';
import { World } from '../../src/datapath/world.js';
import type { PodSpec } from '../../src/datapath/cluster/endpoint.js';
import type { DatapathConfig } from '../../src/datapath/config.js';
import type { DatapathEvent } from '../../src/datapath/events.js';
import type { InterfaceSpec } from '../../src/datapath/cluster/node.js';
import type { IpamConfig } from '../../src/datapath/ipam/ipam.js';

/** One minute after midnight UTC of the day of the recordings. */
const START = Date.UTC(2025, 6, 30, 14, 56, 15);

/** The devices of one virtual machine: eth0 behind a NAT of its own, eth1 on the common link. */
const machine = (name: string, last: number): InterfaceSpec[] => [
  { name: 'eth0', addresses: ['10.0.2.15/24'], segment: `nat-${name}`, gateway: '10.0.2.2', dhcp: { dns: '10.0.2.3' } },
  { name: 'eth1', addresses: [`192.168.10.${last}/24`], segment: 'lan' },
];

/** The two nodes, the router, and the resolver that each node's NAT provides; no pods yet. */
export class Cluster {
  readonly clock = new ManualClock(START);
  readonly world: World;
  readonly events: DatapathEvent[] = [];

  constructor(
    ipam: IpamConfig,
    config: Partial<DatapathConfig> = {},
    blocks: { readonly ctr?: string; readonly w1?: string } = {},
  ) {
    this.world = new World({
      clock: this.clock,
      random: seededRandom(7),
      ipam,
      config: { installNoConntrackRules: true, ...config },
    });
    const { world } = this;
    const routes = [{ to: '10.10.0.0/16', via: '192.168.10.200' }];
    const nodes = [
      {
        name: 'k8s-ctr',
        interfaces: machine('k8s-ctr', 100),
        routes,
        podCidr: blocks.ctr,
        apiServer: true,
        hostEndpointId: 3312,
      },
      { name: 'k8s-w1', interfaces: machine('k8s-w1', 101), routes, podCidr: blocks.w1 },
    ];
    for (const node of nodes) world.addNode(node);
    world.addHost({
      name: 'router',
      forward: true,
      interfaces: [
        ...machine('router', 200),
        { name: 'loop1', addresses: ['10.10.1.200/24'] },
        { name: 'loop2', addresses: ['10.10.2.200/24'] },
      ],
    });
    for (const name of ['k8s-ctr', 'k8s-w1'])
      world.addHost({
        name: `resolver-${name}`,
        interfaces: [{ name: 'eth0', addresses: ['10.0.2.3/24'], segment: `nat-${name}` }],
      });
    world.events.subscribe((event) => this.events.push(event));
  }

  /** Adds a pod of one of the recorded applications. */
  pod(app: AppName, name: string, node: string, ip: string, pinned: Partial<PodSpec> = {}): void {
    const { namespace, identity, labels, serviceAccount } = APPS[app];
    this.world.addPod({ namespace, name, node, ip, identity, labels, serviceAccount, ports: PORTS[app], ...pinned });
  }

  /** Drives the clock in small steps until the work is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    for (let step = 0; !done; step++) {
      if (step > 5000) throw new Error('the work does not end');
      // What needs no waiting ends at this very moment; later steps let time pass.
      await this.clock.advanceAsync(step < 300 ? 0 : 10);
      this.world.runTimers();
    }
    return settled;
  }

  /** Forgets what happened so far. */
  fresh(): void {
    this.events.length = 0;
  }
}

interface App {
  readonly namespace: string;
  readonly identity: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
}

export type AppName =
  'curl' | 'webpod' | 'coredns' | 'grafana' | 'prometheus' | 'relay' | 'ui' | 'provisioner' | 'node-local';

const PORTS: Partial<Record<AppName, PodSpec['ports']>> = {
  webpod: [{ name: '', port: 80, protocol: 'TCP' }],
  coredns: [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9153, protocol: 'TCP' },
  ],
  'node-local': [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9253, protocol: 'TCP' },
  ],
};

/** Names, labels and identities of the recordings. */
const APPS: Record<AppName, App> = {
  curl: { namespace: 'default', identity: 5580, labels: { app: 'curl' }, serviceAccount: 'default' },
  webpod: { namespace: 'default', identity: 12497, labels: { app: 'webpod' }, serviceAccount: 'default' },
  coredns: { namespace: 'kube-system', identity: 28565, labels: { 'k8s-app': 'kube-dns' }, serviceAccount: 'coredns' },
  grafana: { namespace: 'cilium-monitoring', identity: 22795, labels: { app: 'grafana' }, serviceAccount: 'default' },
  prometheus: {
    namespace: 'cilium-monitoring',
    identity: 1213,
    labels: { app: 'prometheus' },
    serviceAccount: 'prometheus-k8s',
  },
  relay: {
    namespace: 'kube-system',
    identity: 17061,
    labels: {
      'app.kubernetes.io/name': 'hubble-relay',
      'app.kubernetes.io/part-of': 'cilium',
      'k8s-app': 'hubble-relay',
    },
    serviceAccount: 'hubble-relay',
  },
  ui: {
    namespace: 'kube-system',
    identity: 2452,
    labels: { 'app.kubernetes.io/name': 'hubble-ui', 'app.kubernetes.io/part-of': 'cilium', 'k8s-app': 'hubble-ui' },
    serviceAccount: 'hubble-ui',
  },
  provisioner: {
    namespace: 'local-path-storage',
    identity: 56893,
    labels: { app: 'local-path-provisioner' },
    serviceAccount: 'local-path-provisioner-service-account',
  },
  'node-local': {
    namespace: 'kube-system',
    identity: 41790,
    labels: { 'k8s-app': 'node-local-dns' },
    serviceAccount: 'node-local-dns',
  },
};

export const POOL: IpamConfig = { mode: 'cluster-pool', clusterPoolCidrs: ['172.20.0.0/16'] };
export const NATIVE: Partial<DatapathConfig> = { nativeRoutingCidr: '172.20.0.0/16' };

/** The pods after the restart (ipam-5), with the devices of the recorded routes. */
const RESTARTED: readonly (readonly [AppName, string, string, string, string])[] = [
  ['coredns', 'coredns-674b8bbfcf-gbnm8', 'k8s-w1', '172.20.0.186', 'lxc80130454cb70'],
  ['coredns', 'coredns-674b8bbfcf-vvgfm', 'k8s-ctr', '172.20.1.144', 'lxcf2a822e72a6e'],
  ['webpod', 'webpod-556878d5d7-7p8bn', 'k8s-ctr', '172.20.1.40', 'lxc0895f39b5225'],
  ['webpod', 'webpod-556878d5d7-r4dmh', 'k8s-w1', '172.20.0.130', 'lxc097ff224d206'],
  ['grafana', 'grafana-6bc98cff96-h74hv', 'k8s-w1', '172.20.0.67', 'lxcd23f85153e89'],
  ['prometheus', 'prometheus-597ff4d4c5-hzrsx', 'k8s-w1', '172.20.0.17', 'lxce960d096d8a4'],
  ['relay', 'hubble-relay-c8db994db-5hc26', 'k8s-w1', '172.20.0.190', 'lxcb2f1076877d3'],
  ['ui', 'hubble-ui-5c5855f4bf-8dkrf', 'k8s-w1', '172.20.0.162', 'lxc4fe9abccf909'],
  ['curl', 'curl-pod', 'k8s-ctr', '172.20.1.236', 'lxcd63c3c1415ff'],
];

/** Creates the restarted pods; where a pod of the name is there already, it stays. */
export function restartPods(cluster: Cluster): void {
  for (const [app, name, node, ip, device] of RESTARTED) {
    if (!cluster.world.cluster.pods.has(`${APPS[app].namespace}/${name}`)) cluster.pod(app, name, node, ip, { device });
  }
}

/** The cluster of most recordings: addresses from 172.20.0.0/16, pods and services as after ipam-5. */
export function restartedCluster(config: Partial<DatapathConfig> = {}): Cluster {
  const cluster = new Cluster(POOL, { ...NATIVE, ...config }, { w1: '172.20.0.0/24', ctr: '172.20.1.0/24' });
  restartPods(cluster);
  addServices(cluster, ['172.20.1.144', '172.20.0.186']);
  cluster.fresh();
  return cluster;
}

type Protocol = 'UDP' | 'TCP';
interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly target: number;
  readonly nodePort?: number;
  readonly id?: number;
}

/** A service whose backends are the pods with these addresses. */
export function service(
  cluster: Cluster,
  namespace: string,
  name: string,
  ip: string,
  ports: readonly Port[],
  backends: readonly string[],
): void {
  const { world } = cluster;
  world.setService({
    namespace,
    name,
    type: ports.some((port) => port.nodePort !== undefined) ? 'NodePort' : 'ClusterIP',
    clusterIPs: [ip],
    ports: ports.map(({ target: _, ...port }) => port),
  });
  const nodeOf = (address: string): string | undefined => world.cluster.ipcache.podByIp(address)?.spec.node;
  world.setBackends(
    namespace,
    name,
    ports.flatMap((port) =>
      backends.map((address) => ({
        portName: port.name,
        ip: address,
        port: port.target,
        protocol: port.protocol,
        node: nodeOf(address),
      })),
    ),
  );
}

const port = (name: string, number: number, protocol: Protocol, rest: Partial<Port> = {}): Port => ({
  name,
  port: number,
  protocol,
  target: number,
  ...rest,
});

export const DNS_PORTS = [port('dns', 53, 'UDP'), port('dns-tcp', 53, 'TCP')];

/** The services of the recordings; `dns` are the addresses of the CoreDNS pods. */
export function addServices(cluster: Cluster, dns: readonly string[]): void {
  service(
    cluster,
    'default',
    'kubernetes',
    '10.96.0.1',
    [port('https', 443, 'TCP', { target: 6443 })],
    ['192.168.10.100'],
  );
  service(cluster, 'kube-system', 'kube-dns', '10.96.0.10', [...DNS_PORTS, port('metrics', 9153, 'TCP')], dns);
  service(cluster, 'default', 'webpod', '10.96.152.212', [port('', 80, 'TCP')], ['172.20.0.130', '172.20.1.40']);
  service(
    cluster,
    'kube-system',
    'hubble-ui',
    '10.96.206.199',
    [port('http', 80, 'TCP', { target: 8081, nodePort: 30_003 })],
    ['172.20.0.162'],
  );
}

export function addUpstreamService(cluster: Cluster, dns: readonly string[]): void {
  service(cluster, 'kube-system', 'kube-dns-upstream', '10.96.31.170', DNS_PORTS, dns);
}

/** CoreDNS scaled to one pod, on k8s-ctr. */
export function scaleDnsToOne(cluster: Cluster): void {
  cluster.world.removePod('kube-system', 'coredns-674b8bbfcf-gbnm8');
  service(
    cluster,
    'kube-system',
    'kube-dns',
    '10.96.0.10',
    [...DNS_PORTS, port('metrics', 9153, 'TCP')],
    ['172.20.1.144'],
  );
}
