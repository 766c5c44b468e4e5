import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/datapath/config.js';
import { IdentityAllocator, securityLabels } from '../../src/datapath/cluster/identity.js';
import { dnsLab, lab } from './lab.js';

describe('resolveConfig', () => {
  it.each([
    { given: { routing: 'ipip' as never }, error: 'config.routing: got "ipip", want one of native, vxlan, geneve' },
    {
      given: { aggregation: 'high' as never },
      error: 'config.aggregation: got "high", want one of none, lowest, low, medium, maximum',
    },
    { given: { mtu: 40 }, error: 'config.mtu: got 40, want at least 68' },
    { given: { ctTcpMax: 0 }, error: 'config.ctTcpMax: got 0, want a whole number above 0' },
    { given: { maglevTableSize: 100 }, error: 'config.maglevTableSize: got 100, want a prime' },
    { given: { reportInterval: -1 }, error: 'config.reportInterval: got -1, want 0 or more seconds' },
    { given: { masquerade: 'iptables' as const }, error: 'config.hostRouting: iptables masquerading needs "legacy"' },
    { given: { nativeRoutingCidr: '10/8' }, error: 'config.nativeRoutingCidr: "10/8" is no address block' },
    { given: { kubeProxyClusterCidr: 'x' }, error: 'config.kubeProxyClusterCidr: "x" is no address block' },
    {
      given: { ipMasqAgent: { nonMasqueradeCIDRs: ['10.0.0.0/8', 'x'] } },
      error: 'config.ipMasqAgent.nonMasqueradeCIDRs[1]: "x" is no address block',
    },
  ])('refuses $error', ({ given, error }) => {
    expect(() => resolveConfig(given)).toThrow(error);
  });

  it('takes an interval of nothing: each packet is told of', () =>
    expect(resolveConfig({ reportInterval: 0 }).reportInterval).toBe(0));

  it('changes some settings live and refuses the rest', () => {
    const { world } = lab();
    world.reconfigure({ nativeRoutingCidr: '10.0.0.0/8' });
    expect(world.config.nativeRoutingCidr).toBe('10.0.0.0/8');
    expect(() => world.reconfigure({ routing: 'vxlan' })).toThrow(
      'config.routing: cannot change while the cluster runs',
    );
  });
});

describe('topology errors name the field', () => {
  const eth = { name: 'eth0', addresses: ['10.9.0.1/24'], segment: 'x' };
  it.each([
    { spec: { name: '', interfaces: [eth] }, error: 'nodes..name: a node needs a name' },
    { spec: { name: 'k8s-ctr', interfaces: [eth] }, error: 'nodes.k8s-ctr.name: there are two nodes named k8s-ctr' },
    { spec: { name: 'n', interfaces: [] }, error: 'nodes.n.interfaces: a node needs a device' },
    {
      spec: { name: 'n', interfaces: [{ ...eth, addresses: ['10.9.0.1'] }] },
      error: 'nodes.n.interfaces[0].addresses[0]: "10.9.0.1" is no address with a length',
    },
    {
      spec: { name: 'n', interfaces: [{ ...eth, name: '' }] },
      error: 'nodes.n.interfaces[0].name: a device needs a name',
    },
    {
      spec: { name: 'n', interfaces: [eth, eth] },
      error: 'nodes.n.interfaces[1].name: there are two devices named eth0',
    },
    {
      spec: { name: 'n', interfaces: [{ ...eth, mac: 'x' }] },
      error: 'nodes.n.interfaces[0].mac: "x" is no MAC address',
    },
    {
      spec: { name: 'n', interfaces: [{ ...eth, mtu: 10 }] },
      error: 'nodes.n.interfaces[0].mtu: got 10, want 68 to 65535',
    },
    {
      spec: { name: 'n', interfaces: [{ ...eth, gateway: '10.8.0.1' }] },
      error: 'nodes.n.interfaces[0].gateway: 10.8.0.1 is not on the link of eth0',
    },
    {
      spec: { name: 'n', interfaces: [{ ...eth, addresses: ['192.168.10.100/24'], segment: 'lan' }] },
      error: "nodes.n.interfaces[0].addresses: 192.168.10.100 is already k8s-ctr's on link lan",
    },
    {
      spec: { name: 'n', interfaces: [eth], internalIp: '10.9.0.2' },
      error: 'nodes.n.internalIp: 10.9.0.2 is no address of the node',
    },
    {
      spec: { name: 'n', interfaces: [eth], routes: [{ to: 'x' }] },
      error: 'nodes.n.routes[0].to: "x" is no address block',
    },
    {
      spec: { name: 'n', interfaces: [eth], routes: [{ to: '10.0.0.0/8' }] },
      error: 'nodes.n.routes[0]: a route needs a next hop or a device',
    },
    {
      spec: { name: 'n', interfaces: [eth], routes: [{ to: '10.0.0.0/8', via: '1.2.3.4' }] },
      error: 'nodes.n.routes[0]: no device leads to 1.2.3.4',
    },
    {
      spec: { name: 'n', interfaces: [eth], routes: [{ to: '10.0.0.0/8', device: 'eth9' }] },
      error: 'nodes.n.routes[0].device: there is no device named eth9',
    },
    {
      spec: { name: 'n', interfaces: [eth], podCidr: '172.20.1.0/24' },
      error: '172.20.1.0/24 already belongs to k8s-ctr',
    },
    {
      spec: { name: 'n', interfaces: [eth], podCidr: '10.0.0.0/24' },
      error: 'nodes.n.podCidr: 10.0.0.0/24 is no block of pool default with mask /24',
    },
  ])('$error', ({ spec, error }) => {
    expect(() => lab().world.addNode(spec)).toThrow(error);
  });

  it.each([
    { spec: { name: '', interfaces: [] }, error: 'hosts..name: a host needs a name' },
    { spec: { name: 'router', interfaces: [] }, error: 'hosts.router.name: there are two hosts named router' },
  ])('$error', ({ spec, error }) => {
    expect(() => lab().world.addHost(spec)).toThrow(error);
  });

  const pod = { namespace: 'a', name: 'b', node: 'k8s-ctr' };
  it.each([
    { spec: { ...pod, name: '' }, error: 'pods.a/: a pod needs a namespace and a name' },
    {
      spec: { ...pod, namespace: 'default', name: 'curl-pod' },
      error: 'pods.default/curl-pod.name: there are two pods named default/curl-pod',
    },
    { spec: { ...pod, node: 'x' }, error: 'pods.a/b.node: there is no node named x' },
    { spec: { ...pod, ip: 'x' }, error: 'pods.a/b.ip: "x" is no IP address' },
    { spec: { ...pod, ip: '10.0.0.1' }, error: 'node k8s-ctr: provided IP 10.0.0.1 is not in 172.20.1.0/24' },
    { spec: { ...pod, identity: 7 }, error: 'pods.a/b.identity: identity 7 is not in 256 to 65535' },
    { spec: { ...pod, identity: 5580 }, error: 'pods.a/b.identity: identity 5580 belongs to the labels' },
    {
      spec: { ...pod, device: 'lxcd63c3c1415ff' },
      error: 'pods.a/b.device: k8s-ctr already has a device named lxcd63c3c1415ff',
    },
    { spec: { ...pod, ifindex: 2 }, error: 'pods.a/b.ifindex: device number 2 is taken on k8s-ctr' },
  ])('$error', ({ spec, error }) => {
    expect(() => dnsLab().world.addPod(spec)).toThrow(error);
  });

  it('a pod that is refused leaves its address free', () => {
    const { world } = dnsLab();
    expect(() => world.addPod({ ...pod, ip: '172.20.1.9', identity: 7 })).toThrow();
    expect(world.addPod({ ...pod, ip: '172.20.1.9' }).ip).toBe('172.20.1.9');
  });

  it("an endpoint number is one pod's", () => {
    const { world } = dnsLab();
    world.addPod({ ...pod, endpointId: 359 });
    expect(() => world.addPod({ ...pod, name: 'c', endpointId: 359 })).toThrow(
      'pods.a/c.endpointId: endpoint 359 exists on k8s-ctr',
    );
  });

  it.each([
    { act: (w: ReturnType<typeof lab>['world']) => w.node('x'), error: 'node: there is no node named x' },
    { act: (w: ReturnType<typeof lab>['world']) => w.pod('a', 'x'), error: 'pod: there is no pod named a/x' },
    { act: (w: ReturnType<typeof lab>['world']) => w.host('x'), error: 'host: there is no host named x' },
    {
      act: (w: ReturnType<typeof lab>['world']) => w.removeService('a', 'x'),
      error: 'services.a/x: there is no such service',
    },
  ])('$error', ({ act, error }) => {
    expect(() => act(lab().world)).toThrow(error);
  });
});

describe('identities', () => {
  const coredns = securityLabels({
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns', 'pod-template-hash': '674b8bbfcf' },
    serviceAccount: 'coredns',
    namespaceLabels: {},
    clusterName: 'default',
  });

  it('are made of the labels that cilium-dbg endpoint list shows', () => {
    expect(coredns).toEqual([
      'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=kube-system',
      'k8s:io.cilium.k8s.policy.cluster=default',
      'k8s:io.cilium.k8s.policy.serviceaccount=coredns',
      'k8s:io.kubernetes.pod.namespace=kube-system',
      'k8s:k8s-app=kube-dns',
    ]);
  });

  it('keep app.kubernetes.io and leave other kubernetes.io labels out', () => {
    const labels = securityLabels({
      namespace: 'a',
      labels: {
        'app.kubernetes.io/name': 'ui',
        'batch.kubernetes.io/job-name': 'x',
        'topology.kubernetes.io/zone': 'z',
      },
      serviceAccount: 'default',
      namespaceLabels: {},
      clusterName: 'default',
    });
    expect(labels.filter((label) => /name=ui|job|zone/.test(label))).toEqual(['k8s:app.kubernetes.io/name=ui']);
  });

  it('do not depend on the order of pods', () => {
    const sets = Array.from({ length: 50 }, (_, i) => [`k8s:app=${i}`]);
    const numbers = (order: readonly string[][]): string[] => {
      const allocator = new IdentityAllocator();
      return order.map((labels) => `${labels[0]} ${allocator.allocate(labels)}`).sort();
    };
    expect(numbers(sets)).toEqual(numbers([...sets].reverse()));
  });

  it('are as many as there are numbers', () => {
    const allocator = new IdentityAllocator();
    for (let number = 256; number <= 65_535; number++) allocator.pin([`k8s:app=${number}`], number, 'x');
    expect(() => allocator.allocate(coredns)).toThrow('identities: all 65280 security identities are taken');
    expect(allocator.allocate(['k8s:app=256'])).toBe(256);
  });

  it('are the next ones where the drawn one is taken, the first after the last', () => {
    const drawn = new IdentityAllocator().allocate(coredns);
    const taken = (until: number): IdentityAllocator => {
      const allocator = new IdentityAllocator();
      for (let number = drawn; number <= until; number++) allocator.pin([`k8s:app=${number}`], number, 'x');
      return allocator;
    };
    expect([drawn, drawn + 1, 65_535].map((until) => taken(until).allocate(coredns))).toEqual([
      drawn + 1,
      drawn + 2,
      256,
    ]);
  });

  it('are listed by number', () => {
    const allocator = new IdentityAllocator();
    for (const number of [300, 256, 1000]) allocator.pin([`k8s:app=${number}`], number, 'x');
    expect(allocator.list().map(({ identity }) => identity)).toEqual([256, 300, 1000]);
  });

  it('are listed, and one label set has one', () => {
    const allocator = new IdentityAllocator();
    allocator.pin(coredns, 28565, 'x');
    expect(allocator.list()).toEqual([{ identity: 28565, labels: coredns }]);
    expect(() => allocator.pin(coredns, 28566, 'x')).toThrow('already have identity 28565');
  });
});
