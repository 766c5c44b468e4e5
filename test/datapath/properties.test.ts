import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import type { DatapathConfig } from '../../src/datapath/config.js';
import type { DatapathEvent } from '../../src/datapath/events.js';
import type { Process } from '../../src/datapath/sockets/process.js';
import { ensureRules, placedRules } from '../../src/datapath/netfilter/node-cache-rules.js';
import { World } from '../../src/datapath/world.js';
import { parsePolicy } from '../../src/lrp/parse.js';
import { LocalRedirects } from '../../src/lrp/redirects.js';

interface Topology {
  readonly seed: number;
  readonly nodes: number;
  /** Node of each pod. */
  readonly pods: readonly number[];
  /** Pods behind each service. */
  readonly services: readonly (readonly number[])[];
  readonly config: Partial<DatapathConfig>;
}

const topology: fc.Arbitrary<Topology> = fc
  .record({ nodes: fc.integer({ min: 1, max: 4 }), count: fc.integer({ min: 2, max: 10 }) })
  .chain(({ nodes, count }) =>
    fc.record({
      seed: fc.integer({ min: 1, max: 1e6 }),
      nodes: fc.constant(nodes),
      pods: fc.array(fc.nat(nodes - 1), { minLength: count, maxLength: count }),
      services: fc.array(fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 4,
      }),
      config: fc.record({
        routing: fc.constantFrom('native' as const, 'vxlan' as const, 'geneve' as const),
        endpointRoutes: fc.boolean(),
        hostRouting: fc.constantFrom('bpf' as const, 'legacy' as const),
        socketLb: fc.constantFrom('all' as const, 'host-only' as const),
        loadBalancing: fc.constantFrom('random' as const, 'maglev' as const),
        maglevTableSize: fc.constant(251),
        aggregation: fc.constantFrom('none' as const, 'medium' as const),
      }),
    }),
  );

const podName = (i: number): string => `p${i}`;
const serviceIp = (i: number): string => `10.96.0.${i + 1}`;
const one = new Uint8Array([1]);

function build(t: Topology, order: readonly number[] = t.services.map((_, i) => i)) {
  const world = new World({
    clock: new ManualClock(),
    random: seededRandom(t.seed),
    config: t.config,
    ipam: { mode: 'cluster-pool', clusterPoolCidrs: ['172.20.0.0/16'] },
  });
  const events: DatapathEvent[] = [];
  world.events.subscribe((event) => events.push(event));
  for (let i = 0; i < t.nodes; i++)
    world.addNode({
      name: `n${i}`,
      interfaces: [{ name: 'eth0', addresses: [`192.168.0.${i + 1}/24`], segment: 'lan', gateway: '192.168.0.250' }],
    });
  world.addHost({ name: 'outside', interfaces: [{ name: 'eth0', addresses: ['192.168.0.250/24'], segment: 'lan' }] });
  t.pods.forEach((node, i) =>
    world.addPod({
      namespace: 'x',
      name: podName(i),
      node: `n${node}`,
      labels: { app: podName(i) },
      ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    }),
  );
  const answer = (process: Process): void => {
    process
      .udp({
        onReadable: (socket) => {
          const d = socket.recv()!;
          socket.sendTo(d.payload, d.address, d.port, d.localAddress);
        },
      })
      .bind('0.0.0.0', 53);
  };
  t.pods.forEach((_, i) => answer(world.pod('x', podName(i)).process));
  answer(world.host('outside').process);
  for (const i of order) {
    world.setService({
      namespace: 'x',
      name: `s${i}`,
      clusterIPs: [serviceIp(i)],
      ports: [{ name: 'dns', port: 53, protocol: 'UDP', id: i + 1 }],
    });
    world.setBackends(
      'x',
      `s${i}`,
      t.services[i]!.map((pod) => ({
        portName: 'dns',
        ip: world.pod('x', podName(pod)).ip,
        port: 53,
        protocol: 'UDP',
        node: `n${t.pods[pod]}`,
      })),
    );
  }
  return { world, events };
}

/** Every pod asks every service, every pod and a host outside; returns what came back and from where. */
function askAll(world: World, t: Topology): string[] {
  const targets = [
    ...t.services.map((_, i) => serviceIp(i)),
    ...t.pods.map((_, i) => world.pod('x', podName(i)).ip),
    '192.168.0.250',
  ];
  return t.pods.flatMap((_, i) =>
    targets.flatMap((target) => {
      const { process } = world.pod('x', podName(i));
      const connected = process.udp();
      connected.connect(target, 53);
      connected.send(one);
      const free = process.udp();
      free.sendTo(one, target, 53);
      return [connected, free].map((socket) => {
        const got = socket.recv();
        return `${target}:53 answers as ${got?.address}:${got?.port}, then ${socket.readable}`;
      });
    }),
  );
}

describe('on any topology', () => {
  it('a reply comes back from the asked address and port, once', () => {
    fc.assert(
      fc.property(topology, (t) => {
        const { world } = build(t);
        for (const line of askAll(world, t)) expect(line).toMatch(/^(\S+) answers as \1, then 0$/);
      }),
      { numRuns: 60 },
    );
  });

  it('no packet is delivered twice', () => {
    fc.assert(
      fc.property(topology, (t) => {
        const { world, events } = build(t);
        askAll(world, t);
        const arrivals = events.flatMap((e) =>
          e.kind === 'capture' && e.netns.startsWith('pod/') && e.device === 'eth0' && e.direction === 'In'
            ? [e.packet.number]
            : [],
        );
        expect(new Set(arrivals).size).toBe(arrivals.length);
      }),
      { numRuns: 30 },
    );
  });

  it('deleting a policy gives the tables of before', () => {
    fc.assert(
      fc.property(topology, fc.nat(), (t, pick) => {
        const { world } = build(t);
        const table = (): string =>
          JSON.stringify(
            [...world.cluster.nodes.values()].map((node) => [
              node.redirectList(),
              t.services.map((_, i) => node.frontend(serviceIp(i), 53, 'UDP')),
            ]),
          );
        const before = table();
        const redirects = new LocalRedirects(world);
        const policy = parsePolicy({
          apiVersion: 'cilium.io/v2',
          kind: 'CiliumLocalRedirectPolicy',
          metadata: { name: 'p', namespace: 'x' },
          spec: {
            redirectFrontend: { serviceMatcher: { serviceName: `s${pick % t.services.length}`, namespace: 'x' } },
            redirectBackend: {
              localEndpointSelector: { matchLabels: { app: podName(pick % t.pods.length) } },
              toPorts: [{ port: '53', protocol: 'UDP' }],
            },
          },
        });
        redirects.apply(policy);
        expect(table()).not.toBe(before);
        redirects.remove('x', 'p');
        expect(table()).toBe(before);
      }),
      { numRuns: 60 },
    );
  });

  it('with NOTRACK the kernel table never grows', () => {
    fc.assert(
      fc.property(topology, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (t, asks) => {
        const { world } = build({ ...t, config: { ...t.config, hostRouting: 'bpf' } });
        for (const node of world.cluster.nodes.values()) {
          world.addDummy(node.name, 'nodelocaldns', ['169.254.20.10']);
          ensureRules(node.netfilter, placedRules(['169.254.20.10']));
          node.process
            .udp({
              onReadable: (socket) => {
                const d = socket.recv()!;
                socket.sendTo(d.payload, d.address, d.port, d.localAddress);
              },
            })
            .bind('169.254.20.10', 53);
        }
        for (const ask of asks) {
          const socket = world.pod('x', podName(ask % t.pods.length)).process.udp();
          socket.sendTo(one, '169.254.20.10', 53);
          expect(socket.recv()?.address).toBe('169.254.20.10');
        }
        for (const node of world.cluster.nodes.values()) expect(node.kernel.size).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('the same seed gives the same run', () => {
    fc.assert(
      fc.property(topology, (t) => {
        const runs = [build(t), build(t)].map(({ world, events }) => [askAll(world, t), JSON.stringify(events)]);
        expect(runs[0]).toEqual(runs[1]);
      }),
      { numRuns: 15 },
    );
  });

  it('events do not depend on the order in which services are entered', () => {
    fc.assert(
      fc.property(topology, (t) => {
        const runs = [build(t), build(t, t.services.map((_, i) => i).reverse())].map(({ world, events }) => {
          askAll(world, t);
          return JSON.stringify(events);
        });
        expect(runs[0]).toBe(runs[1]);
      }),
      { numRuns: 15 },
    );
  });
});
