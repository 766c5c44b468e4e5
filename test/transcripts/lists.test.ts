import { describe, expect, it } from 'vitest';
import { bpfEndpointList, endpointList, ipMasqLines, lrpList, serviceList } from '../../src/observe/cilium/lists.js';
import { ipRoute } from '../../src/observe/host-lists.js';
import { kubeletResolvConf } from '../../src/resolver/index.js';
import { LocalRedirects } from '../../src/lrp/redirects.js';
import { parsePolicy } from '../../src/lrp/parse.js';
import { sameNode } from './same-node.js';
import { Cluster, DNS_PORTS, NATIVE, POOL, addServices, restartedCluster, service } from './cluster.js';
import { POLICY } from './policy.js';
import { fields, recorded } from './transcript.js';

describe('ip route', () => {
  it.each([
    { name: 'routes-k8s-ctr', netns: (cluster: Cluster) => cluster.world.node('k8s-ctr').netns },
    { name: 'routes-k8s-w1', netns: (cluster: Cluster) => cluster.world.node('k8s-w1').netns },
    { name: 'routes-router', netns: (cluster: Cluster) => cluster.world.host('router').netns },
  ])('$name', ({ name, netns }) => {
    expect(ipRoute(netns(restartedCluster()))).toEqual(recorded(name));
  });
});

describe('resolv.conf', () => {
  it('is what the kubelet writes for curl-pod', () => {
    const { text } = kubeletResolvConf({
      dnsPolicy: 'ClusterFirst',
      hostNetwork: false,
      hostResolvConf: 'nameserver 10.0.2.3\noptions edns0 trust-ad\nsearch Davolink\n',
      clusterDNS: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      namespace: 'default',
    });
    expect(text.trimEnd().split('\n')).toEqual(recorded('resolv.conf'));
  });
});

describe('cilium-dbg', () => {
  it('cilium-service-list-lrp', () => {
    const cluster = restartedCluster();
    const { world } = cluster;
    for (let id = 0; id < 8; id++)
      service(
        cluster,
        'cilium-monitoring',
        `other-${id}`,
        `10.96.200.${id}`,
        [{ name: '', port: 80, protocol: 'TCP', target: 80 }],
        [],
      );
    world.removeService('kube-system', 'kube-dns');
    service(
      cluster,
      'kube-system',
      'kube-dns',
      '10.96.0.10',
      [
        { ...DNS_PORTS[0]!, id: 17 },
        { ...DNS_PORTS[1]!, id: 18 },
        { name: 'metrics', port: 9153, protocol: 'TCP', target: 9153, id: 19 },
      ],
      ['172.20.1.144', '172.20.0.186'],
    );
    cluster.pod('node-local', 'node-local-dns-8xkrt', 'k8s-w1', '172.20.0.211');
    new LocalRedirects(world).apply(parsePolicy(POLICY));
    const lines = serviceList(world, world.node('k8s-w1'));
    expect(fields(lines.filter((line) => line.includes('LocalRedirect')))).toEqual(
      fields(recorded('cilium-service-list-lrp')),
    );
    expect(lines[0]!.trimEnd()).toBe('ID   Frontend               Service Type    Backend');
    // The port without a backend of its name stays the service's.
    expect(fields(lines)).toContain('19 10.96.0.10:9153/TCP ClusterIP 1 => 172.20.1.144:9153/TCP (active)');
  });

  it('cilium-lrp-list', () => {
    const cluster = new Cluster(POOL, NATIVE, { w1: '172.20.0.0/24', ctr: '172.20.1.0/24' });
    addServices(cluster, []);
    cluster.pod('node-local', 'node-local-dns-nnt9r', 'k8s-ctr', '172.20.1.236');
    const redirects = new LocalRedirects(cluster.world);
    redirects.apply(parsePolicy(POLICY));
    // The write-up lost the blanks at the ends of lines.
    expect(lrpList(redirects.status('k8s-ctr')).map((line) => line.trimEnd())).toEqual(recorded('cilium-lrp-list'));
  });

  it('cilium-endpoint-list', () => {
    const cluster = new Cluster(
      { mode: 'kubernetes' },
      { nativeRoutingCidr: '10.244.0.0/16' },
      { ctr: '10.244.0.0/24', w1: '10.244.1.0/24' },
    );
    const pod = (app: Parameters<Cluster['pod']>[0], name: string, ip: string, endpointId: number): void =>
      cluster.pod(app, name, 'k8s-ctr', ip, { endpointId });
    pod('coredns', 'coredns-674b8bbfcf-9pxvx', '10.244.0.199', 147);
    pod('curl', 'curl-pod', '10.244.0.27', 318);
    pod('ui', 'hubble-ui-76d4965bb6-xmdp8', '10.244.0.80', 853);
    pod('webpod', 'webpod-697b545f57-bpzn9', '10.244.0.1', 1009);
    pod('provisioner', 'local-path-provisioner-74f9666bc9-scg4s', '10.244.0.253', 1043);
    pod('coredns', 'coredns-674b8bbfcf-khjhq', '10.244.0.59', 1452);
    pod('prometheus', 'prometheus-6fc896bc5d-bxnd5', '10.244.0.65', 1680);
    pod('relay', 'hubble-relay-5dcd46f5c-5r79v', '10.244.0.122', 1694);
    pod('grafana', 'grafana-5c69859d9-wdb82', '10.244.0.104', 2772);
    const want = fields(recorded('cilium-endpoint-list'));
    const lines = fields(endpointList(cluster.world.node('k8s-ctr')));
    // The write-up ends inside the labels of the last pod; the endpoint of the node itself follows it.
    expect(lines.slice(0, want.length)).toEqual(want);
    expect(lines.slice(want.length)).toEqual([
      'k8s:io.kubernetes.pod.namespace=cilium-monitoring',
      '3312 Disabled Disabled 1 k8s:node-role.kubernetes.io/control-plane ready',
      'reserved:host',
    ]);
  });

  it('cilium-bpf-endpoint-list', () => {
    const { world } = sameNode();
    const lines = bpfEndpointList(world.node('kind-worker'));
    // The map of the kernel has no order of its own.
    expect([lines[0], ...lines.slice(1).sort()].map((line) => fields([line!])[0])).toEqual([
      recorded('cilium-bpf-endpoint-list')[0],
      ...recorded('cilium-bpf-endpoint-list').slice(1).sort(),
    ]);
  });

  it('ipmasq-list', () => {
    const { world } = restartedCluster({ ipMasqAgent: { nonMasqueradeCIDRs: ['10.10.1.0/24', '10.10.2.0/24'] } });
    expect(ipMasqLines(world.config)).toEqual(recorded('ipmasq-list'));
  });
});
