import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../src/lib/cidr.js';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import { IpamError, TopologyError } from '../../src/datapath/errors.js';
import { Ipam } from '../../src/datapath/ipam/ipam.js';
import type { IpamConfig } from '../../src/datapath/ipam/ipam.js';
import { IpamBlock } from '../../src/datapath/ipam/node-block.js';
import { CidrSet } from '../../src/datapath/ipam/cidr-set.js';
import { formatRoute } from '../../src/datapath/netns/route.js';
import { World } from '../../src/datapath/world.js';
import { machine } from './lab.js';

const clusterPool: IpamConfig = { mode: 'cluster-pool', clusterPoolCidrs: ['172.20.0.0/16'] };
const blocksOf = (ipam: Ipam, node: string): string[] =>
  [...ipam.admit(node).blocks.values()].flat().map((block) => formatCidr(block.cidr));

describe('IpamBlock', () => {
  it('hands out all but the first and the last address, .1 too, each once', () => {
    const block = new IpamBlock(parseCidr('10.0.0.0/29')!);
    const random = seededRandom(3);
    const given = Array.from({ length: 6 }, (_, i) => block.allocate(`p${i}`, random));
    expect([...given].sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(() => block.allocate('more', random)).toThrow('10.0.0.0/29: range is full: all 6 addresses are in use');
    block.release('10.0.0.4');
    expect(block.allocate('again', random)).toBe('10.0.0.4');
  });

  it.each([1, 2, 3, 4, 5])('keeps addresses for those who ask for them by name (seed %i)', (seed) => {
    const block = new IpamBlock(parseCidr('10.0.0.0/28')!);
    const kept = new Set(['10.0.0.3', '10.0.0.9']);
    const random = seededRandom(seed);
    for (let i = 0; i < 12; i++) expect(kept.has(block.allocate(`p${i}`, random, kept))).toBe(false);
    expect(block.offers('10.0.0.3')).toBe(true);
    expect(block.take('10.0.0.3', 'pinned')).toBe('10.0.0.3');
    expect(block.offers('10.0.0.3')).toBe(false);
    expect(block.offers('10.0.1.3')).toBe(false);
    // The last one left goes to whoever asks.
    expect(block.allocate('more', random, kept)).toBe('10.0.0.9');
  });

  it.each([
    {
      name: 'the network address',
      ip: '10.0.0.0',
      error: 'provided IP 10.0.0.0 is not in the valid range 10.0.0.1-10.0.0.6',
    },
    { name: 'another block', ip: '10.0.1.1', error: 'provided IP 10.0.1.1 is not in the valid range' },
    { name: 'one in use', ip: '10.0.0.5', error: 'provided IP 10.0.0.5 is already allocated to me' },
  ])('refuses to pin $name', ({ ip, error }) => {
    const block = new IpamBlock(parseCidr('10.0.0.0/29')!);
    block.take('10.0.0.5', 'me');
    expect(() => block.take(ip, 'you')).toThrow(error);
  });
});

describe('CidrSet', () => {
  it('moves on, and comes back to a released block last', () => {
    const set = new CidrSet([parseCidr('10.0.0.0/22')!], 24, 'pool');
    const next = (): string => formatCidr(set.allocate('n'));
    expect([next(), next()]).toEqual(['10.0.0.0/24', '10.0.1.0/24']);
    set.release(parseCidr('10.0.0.0/24')!);
    expect([next(), next(), next()]).toEqual(['10.0.2.0/24', '10.0.3.0/24', '10.0.0.0/24']);
    expect(next).toThrow('pool: no block left for n: all 4 of 10.0.0.0/22 are in use');
  });

  it.each([
    { name: 'IPv4', pool: '10.0.0.0/14', mask: 22, block: '10.1.4.0/22', before: '10.1.0.0/22', after: '10.1.8.0/22' },
    {
      name: 'IPv6',
      pool: 'fd00::/104',
      mask: 116,
      block: 'fd00::2:1000/116',
      before: 'fd00::2:0/116',
      after: 'fd00::2:2000/116',
    },
  ])(
    'leaves out a block that is taken, whichever bytes it differs by: $name',
    ({ pool, mask, block, before, after }) => {
      const set = new CidrSet([parseCidr(pool)!], mask, 'pool');
      expect(set.occupy(parseCidr(block)!, 'a')).toBe(true);
      let last = '';
      for (let next = ''; next !== after; next = formatCidr(set.allocate('n'))) last = next;
      expect(last).toBe(before);
    },
  );

  it.each([
    {
      name: 'a mask shorter than the pool',
      pools: ['10.0.0.0/24'],
      mask: 16,
      error: 'mask size 16 does not fit 10.0.0.0/24, want 24 to 30',
    },
    {
      name: 'a mask without two spare addresses',
      pools: ['10.0.0.0/24'],
      mask: 31,
      error: 'mask size 31 does not fit 10.0.0.0/24, want 24 to 30',
    },
    {
      name: 'pools that overlap',
      pools: ['10.0.0.0/16', '10.0.1.0/24'],
      mask: 24,
      error: '10.0.1.0/24 overlaps 10.0.0.0/16',
    },
    { name: 'no pool', pools: [], mask: 24, error: 'a pool needs at least one block' },
  ])('refuses $name', ({ pools, mask, error }) => {
    expect(
      () =>
        new CidrSet(
          pools.map((pool) => parseCidr(pool)!),
          mask,
          'pool',
        ),
    ).toThrow(error);
  });
});

describe('Ipam', () => {
  it.each([
    { name: 'kubernetes', config: { mode: 'kubernetes' as const }, want: ['10.244.0.0/24', '10.244.1.0/24'] },
    {
      name: 'cluster-pool by default',
      config: { mode: 'cluster-pool' as const },
      want: ['10.0.0.0/24', '10.0.1.0/24'],
    },
    { name: 'cluster-pool', config: clusterPool, want: ['172.20.0.0/24', '172.20.1.0/24'] },
  ])('gives node blocks in order: $name', ({ config, want }) => {
    const ipam = new Ipam(config, seededRandom(1));
    expect([...blocksOf(ipam, 'a'), ...blocksOf(ipam, 'b')]).toEqual(want);
  });

  it('gives no block twice, though one was asked for by name', () => {
    const ipam = new Ipam({ mode: 'kubernetes' }, seededRandom(1));
    ipam.admit('a', '10.244.0.0/24');
    expect(blocksOf(ipam, 'b')).toEqual(['10.244.1.0/24']);
  });

  it('says which node has no address left', () => {
    const ipam = new Ipam({ mode: 'cluster-pool', clusterPoolCidrs: ['10.0.0.0/24'], maskSize: 30 }, seededRandom(1));
    const node = ipam.admit('a');
    ipam.allocate(node, 'x');
    ipam.allocate(node, 'y');
    expect(() => ipam.allocate(node, 'ns/z')).toThrow(
      'node a: range is full: no address left for ns/z, all 2 of pool default are in use',
    );
  });

  it('after a change of mode gives no block that a node still holds', () => {
    const ipam = new Ipam(clusterPool, seededRandom(1));
    const old = ipam.admit('a');
    ipam.setConfig({ mode: 'multi-pool', pools: [{ name: 'default', cidrs: ['172.20.0.0/16'], maskSize: 24 }] }, [old]);
    expect(blocksOf(ipam, 'b')).toEqual(['172.20.1.0/24']);
  });

  describe('multi-pool', () => {
    const multi: IpamConfig = {
      mode: 'multi-pool',
      pools: [
        { name: 'default', cidrs: ['10.10.0.0/16'], maskSize: 28 },
        { name: 'red', cidrs: ['10.20.0.0/27'], maskSize: 29 },
      ],
    };

    it('asks for no block more than the reserve needs', () => {
      const ipam = new Ipam({ ...multi, preAllocation: { default: 14 } }, seededRandom(1));
      // A /28 has 14 addresses to give.
      expect(ipam.admit('a').blocks.get('default')).toHaveLength(1);
    });

    it('keeps the reserve ready, rounded up, and asks for blocks as it is used', () => {
      const ipam = new Ipam(multi, seededRandom(1));
      const node = ipam.admit('a');
      expect(node.requested.get('default')).toBe(8);
      expect(node.blocks.get('default')).toHaveLength(1);
      for (let i = 0; i < 7; i++) ipam.allocate(node, `p${i}`);
      expect(node.requested.get('default')).toBe(16);
      expect(node.blocks.get('default')).toHaveLength(2);
    });

    it('hands out a pool by name and refuses one that is not there', () => {
      const ipam = new Ipam(multi, seededRandom(1));
      const node = ipam.admit('a');
      expect(ipam.allocate(node, 'p', undefined, 'red')).toMatch(/^10\.20\.0\./);
      expect(() => ipam.allocate(node, 'p', undefined, 'blue')).toThrow('node a: there is no pool named blue');
    });

    it('fails a pod when the pool is used up', () => {
      const ipam = new Ipam(multi, seededRandom(1));
      const node = ipam.admit('a');
      for (let i = 0; i < 24; i++) ipam.allocate(node, `p${i}`, undefined, 'red');
      expect(() => ipam.allocate(node, 'p', undefined, 'red')).toThrow(IpamError);
    });

    it.each([
      {
        name: 'no default pool',
        pools: [{ name: 'red', cidrs: ['10.0.0.0/24'], maskSize: 28 }],
        error: 'ipam.pools: one pool must be named default',
      },
      {
        name: 'a pool twice',
        pools: [...multi.pools!, multi.pools![0]!],
        error: 'ipam.pools[2].name: there are two pools named default',
      },
      {
        name: 'a bad block',
        pools: [{ name: 'default', cidrs: ['x'], maskSize: 28 }],
        error: 'ipam.pools[0].cidrs[0]: "x" is no address block',
      },
    ])('refuses $name', ({ pools, error }) => {
      expect(() => new Ipam({ mode: 'multi-pool', pools }, seededRandom(1))).toThrow(error);
    });

    it('takes the pool from the pod, then from the namespace', () => {
      const world = new World({ clock: new ManualClock(), random: seededRandom(1), ipam: multi });
      world.addNode({ name: 'k8s-ctr', interfaces: machine('k8s-ctr', 100) });
      world.addNamespace({ name: 'team', annotations: { 'ipam.cilium.io/ip-pool': 'red' } });
      expect(world.addPod({ namespace: 'team', name: 'a', node: 'k8s-ctr' }).ip).toMatch(/^10\.20\./);
      expect(
        world.addPod({
          namespace: 'team',
          name: 'b',
          node: 'k8s-ctr',
          annotations: { 'ipam.cilium.io/ip-pool': 'default' },
        }).ip,
      ).toMatch(/^10\.10\./);
      expect(world.addPod({ namespace: 'x', name: 'c', node: 'k8s-ctr' }).ip).toMatch(/^10\.10\./);
    });

    it.each([
      {
        name: 'tunnels',
        config: { routing: 'vxlan' as const },
        error: 'config.routing: multi-pool needs native routing, got vxlan',
      },
      {
        name: 'one route for the node',
        config: { endpointRoutes: false },
        error: 'config.endpointRoutes: multi-pool needs endpoint routes',
      },
    ])('does not go with $name', ({ config, error }) => {
      expect(() => new World({ clock: new ManualClock(), random: seededRandom(1), ipam: multi, config })).toThrow(
        error,
      );
    });
  });
});

describe('a change of mode on a running cluster (ipam-1 to ipam-5)', () => {
  function cluster() {
    const world = new World({ clock: new ManualClock(), random: seededRandom(1), ipam: { mode: 'kubernetes' } });
    for (const [name, last] of [
      ['k8s-ctr', 100],
      ['k8s-w1', 101],
    ] as const)
      world.addNode({ name, interfaces: machine(name, last) });
    const pod = (node: string, name: string, ip: string, app: string): void =>
      void world.addPod({ namespace: 'default', name, node, ip, labels: { app } });
    pod('k8s-ctr', 'curl-pod', '10.244.0.27', 'curl');
    pod('k8s-ctr', 'webpod-1', '10.244.0.1', 'webpod');
    pod('k8s-w1', 'webpod-2', '10.244.1.96', 'webpod');
    return world;
  }
  const endpoints = (world: World): string[] =>
    [...world.cluster.pods.values()].filter((pod) => pod.endpoint).map((pod) => `${pod.spec.name} ${pod.ip}`);
  const nodes = (world: World): string[] =>
    [...world.cluster.nodes.values()].map((node) => `${node.name} ${node.podBlocks.map(formatCidr).join()}`);
  const routes = (world: World, node: string): string[] =>
    world
      .node(node)
      .netns.routes.list()
      .map(formatRoute)
      .filter((line) => /^(10\.244|172)/.test(line));
  const reaches = (world: World, from: string, to: string): boolean => {
    let answered = false;
    world.pod('default', from).process.ping(to, { id: 1, seq: 1, onReply: () => (answered = true) });
    return answered;
  };

  it('moves nothing by itself', () => {
    const world = cluster();
    world.setIpam(clusterPool);
    expect(world.restartAgents()).toEqual([]);
    expect(nodes(world)).toEqual(['k8s-ctr 10.244.0.0/24', 'k8s-w1 10.244.1.0/24']);
    expect(endpoints(world)).toEqual(['curl-pod 10.244.0.27', 'webpod-1 10.244.0.1', 'webpod-2 10.244.1.96']);
    expect(reaches(world, 'curl-pod', '10.244.1.96')).toBe(true);
    expect(world.addPod({ namespace: 'default', name: 'new', node: 'k8s-w1' }).ip).toMatch(/^10\.244\.1\./);
  });

  it('moves one node when its CiliumNode is deleted, then the other', () => {
    const world = cluster();
    world.setIpam(clusterPool);
    world.deleteCiliumNode('k8s-w1');
    const changed: string[] = [];
    world.changes.subscribe((change) => {
      if (change.kind === 'pod') changed.push(change.node);
    });
    expect(world.restartAgents().map((pod) => pod.spec.name)).toEqual(['webpod-2']);
    expect(changed).toEqual(['k8s-w1']);
    expect(nodes(world)).toEqual(['k8s-ctr 10.244.0.0/24', 'k8s-w1 172.20.0.0/24']);
    expect(endpoints(world)).toEqual(['curl-pod 10.244.0.27', 'webpod-1 10.244.0.1']);
    expect(routes(world, 'k8s-ctr')).toEqual(
      ['10.244.0.1 ', '10.244.0.27 ']
        .map((ip) => expect.stringContaining(ip))
        .concat('172.20.0.0/24 via 192.168.10.101 dev eth1 proto kernel'),
    );
    world.deleteCiliumNode('k8s-ctr');
    world.restartAgents();
    expect(nodes(world)).toEqual(['k8s-ctr 172.20.1.0/24', 'k8s-w1 172.20.0.0/24']);
    expect(endpoints(world)).toEqual([]);
    expect(routes(world, 'k8s-w1')).toEqual(['172.20.1.0/24 via 192.168.10.100 dev eth1 proto kernel']);
  });

  it('leaves old pods with their address and without connection; new ones keep the identity', () => {
    const world = cluster();
    const identity = world.pod('default', 'curl-pod').endpoint!.identity;
    world.setIpam(clusterPool);
    for (const node of ['k8s-w1', 'k8s-ctr']) {
      world.deleteCiliumNode(node);
      world.restartAgents(node);
    }
    const old = world.pod('default', 'curl-pod');
    expect(old).toMatchObject({ ip: '10.244.0.27', unmanaged: true });
    expect(reaches(world, 'curl-pod', '10.244.1.96')).toBe(false);
    expect(old.process.udp().sendTo(new Uint8Array(1), '10.244.1.96', 80)).toMatchObject({
      verdict: 'lost',
      reason: 'pod default/curl-pod (10.244.0.27) is not managed by the agent any more',
    });
    world.removePod('default', 'curl-pod');
    const fresh = world.addPod({ namespace: 'default', name: 'curl-pod', node: 'k8s-ctr', labels: { app: 'curl' } });
    expect(fresh.ip).toMatch(/^172\.20\.1\./);
    expect(fresh.endpoint!.identity).toBe(identity);
    world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.130' });
    expect(reaches(world, 'curl-pod', '172.20.0.130')).toBe(true);
  });

  it('creates no pod on a node without a CiliumNode', () => {
    const world = cluster();
    world.deleteCiliumNode('k8s-w1');
    expect(() => world.addPod({ namespace: 'a', name: 'b', node: 'k8s-w1' })).toThrow(
      'pods.a/b.node: k8s-w1 has no CiliumNode: its agent must be restarted first',
    );
    expect(() => world.deleteCiliumNode('k8s-w1')).toThrow(TopologyError);
  });
});
