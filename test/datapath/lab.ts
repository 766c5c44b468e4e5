import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import type { DatapathConfig } from '../../src/datapath/config.js';
import type { DatapathEvent, FlowPeer } from '../../src/datapath/events.js';
import type { InterfaceSpec } from '../../src/datapath/cluster/node.js';
import { World } from '../../src/datapath/world.js';
import type { WorldOptions } from '../../src/datapath/traffic.js';

/**
 * The devices of one machine of the recorded two-node cluster: eth0 behind a NAT of its own, eth1 on the common link.
 */
export const machine = (name: string, last: number): InterfaceSpec[] => [
  { name: 'eth0', addresses: ['10.0.2.15/24'], segment: `nat-${name}`, gateway: '10.0.2.2', dhcp: { dns: '10.0.2.3' } },
  { name: 'eth1', addresses: [`192.168.10.${last}/24`], segment: 'lan' },
];

export interface Lab {
  readonly world: World;
  readonly clock: ManualClock;
  readonly events: DatapathEvent[];
}

/** The recorded cluster after its pods were restarted: k8s-ctr, k8s-w1, the router and the resolver. */
export function lab(config: Partial<DatapathConfig> = {}, options: Partial<WorldOptions> = {}): Lab {
  const clock = new ManualClock();
  const world = new World({
    clock,
    random: seededRandom(7),
    config: { nativeRoutingCidr: '172.20.0.0/16', installNoConntrackRules: true, ...config },
    ipam: { mode: 'cluster-pool', clusterPoolCidrs: ['172.20.0.0/16'] },
    ...options,
  });
  const routes = [{ to: '10.10.0.0/16', via: '192.168.10.200' }];
  world.addNode({ name: 'k8s-w1', interfaces: machine('k8s-w1', 101), routes, podCidr: '172.20.0.0/24' });
  world.addNode({
    name: 'k8s-ctr',
    interfaces: machine('k8s-ctr', 100),
    routes,
    podCidr: '172.20.1.0/24',
    apiServer: true,
  });
  world.addHost({
    name: 'router',
    interfaces: [
      ...machine('router', 200),
      { name: 'loop1', addresses: ['10.10.1.200/24'] },
      { name: 'loop2', addresses: ['10.10.2.200/24'] },
    ],
    forward: true,
  });
  for (const name of ['k8s-ctr', 'k8s-w1'])
    world.addHost({
      name: `resolver-${name}`,
      interfaces: [{ name: 'eth0', addresses: ['10.0.2.3/24'], segment: `nat-${name}` }],
    });
  const events: DatapathEvent[] = [];
  world.events.subscribe((event) => events.push(event));
  return { world, clock, events };
}

/** As `lab`, with curl-pod, CoreDNS and the services of the recordings. */
export function dnsLab(config: Partial<DatapathConfig> = {}, options: Partial<WorldOptions> = {}): Lab {
  const made = lab(config, options);
  const { world } = made;
  world.addPod({
    namespace: 'default',
    name: 'curl-pod',
    node: 'k8s-ctr',
    labels: { app: 'curl' },
    ip: '172.20.1.236',
    identity: 5580,
    device: 'lxcd63c3c1415ff',
  });
  world.addPod({
    namespace: 'kube-system',
    name: 'coredns-674b8bbfcf-vvgfm',
    node: 'k8s-ctr',
    labels: { 'k8s-app': 'kube-dns', 'pod-template-hash': '674b8bbfcf' },
    serviceAccount: 'coredns',
    ip: '172.20.1.144',
    identity: 28565,
    device: 'lxcf2a822e72a6e',
  });
  world.setService({
    namespace: 'kube-system',
    name: 'kube-dns',
    clusterIPs: ['10.96.0.10'],
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      { name: 'metrics', port: 9153, protocol: 'TCP' },
    ],
  });
  const backend = { ip: '172.20.1.144', node: 'k8s-ctr' };
  world.setBackends('kube-system', 'kube-dns', [
    { ...backend, portName: 'dns', port: 53, protocol: 'UDP' },
    { ...backend, portName: 'dns-tcp', port: 53, protocol: 'TCP' },
    { ...backend, portName: 'metrics', port: 9153, protocol: 'TCP' },
  ]);
  made.events.length = 0;
  return made;
}

/** A UDP service that answers each datagram with `answer` of its payload. */
export function echo(
  world: World,
  namespace: string,
  name: string,
  port = 53,
  answer = (bytes: Uint8Array): Uint8Array => bytes,
): void {
  const socket = world.pod(namespace, name).process.udp({
    onReadable: (ready) => {
      const query = ready.recv();
      if (query) ready.sendTo(answer(query.payload), query.address, query.port, query.localAddress);
    },
  });
  socket.bind('0.0.0.0', port);
}

const who = (peer: FlowPeer): string => `${peer.pod?.name ?? peer.ip}${peer.port ? `:${peer.port}` : ''}`;

/** One short line for each event, without times: what a test compares. Client ports are given letters. */
export function story(
  events: readonly DatapathEvent[],
  kinds: readonly DatapathEvent['kind'][] = ['sock', 'trace', 'drop', 'loop', 'loss'],
): string[] {
  const ports = new Map<number, string>();
  const mask = (text: string): string =>
    text.replace(/:(\d{5})\b/g, (_, port: string) => {
      const number = Number(port);
      if (!ports.has(number)) ports.set(number, String.fromCharCode(97 + ports.size));
      return `:${ports.get(number)}`;
    });
  return events.filter((event) => kinds.includes(event.kind)).map((event) => mask(line(event)));
}

function line(event: DatapathEvent): string {
  switch (event.kind) {
    case 'sock':
      return `${who(event.source)} <> ${who(event.destination)} ${event.point}`;
    case 'trace': {
      const [left, right] = event.isReply ? [event.destination, event.source] : [event.source, event.destination];
      const flags = event.packet.tcp ? ` ${event.packet.tcp.flags.join(',')}` : '';
      return `${who(left)} ${event.isReply ? '<-' : '->'} ${who(right)} ${event.point}${flags}`;
    }
    case 'drop':
      return `${who(event.source)} <> ${who(event.destination)} drop ${event.reason}`;
    case 'capture':
      return `${event.device} ${event.direction} ${event.packet.src}:${event.packet.sport} > ${event.packet.dst}:${event.packet.dport}`;
    case 'arp':
      return `${event.device} ${event.direction} arp ${event.operation} ${event.senderIp} ${event.targetIp}`;
    case 'kernel':
      return event.text;
    case 'loss':
      return `${event.node} lost ${event.packet.src} > ${event.packet.dst}: ${event.reason}`;
    case 'loop':
      return `loop ${event.policy} ${event.frontend} ${event.backend}`;
  }
}

/** The captures of a node's own devices, as `tcpdump -i any` on it shows them. */
export const nodeCaptures = (events: readonly DatapathEvent[], node: string): string[] =>
  story(
    events.filter((event) => event.kind === 'capture' && event.netns === `node/${node}`),
    ['capture'],
  );
