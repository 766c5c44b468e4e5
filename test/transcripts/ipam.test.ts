import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../src/lib/cidr.js';
import { Ages } from '../../src/observe/kubectl/ages.js';
import { kubectlGet } from '../../src/observe/kubectl/kubectl.js';
import { Cluster, POOL, restartPods } from './cluster.js';
import { fields, recorded } from './transcript.js';

const HEAD = 'NAMESPACE NAME SECURITY IDENTITY ENDPOINT STATE IPV4 IPV6';

/** The cluster in host scope, before the sample application. */
function hostScope(): Cluster {
  const cluster = new Cluster(
    { mode: 'kubernetes' },
    { nativeRoutingCidr: '10.244.0.0/16' },
    { ctr: '10.244.0.0/24', w1: '10.244.1.0/24' },
  );
  cluster.pod('grafana', 'grafana-5c69859d9-wdb82', 'k8s-ctr', '10.244.0.104');
  cluster.pod('prometheus', 'prometheus-6fc896bc5d-bxnd5', 'k8s-ctr', '10.244.0.65');
  cluster.pod('coredns', 'coredns-674b8bbfcf-9pxvx', 'k8s-ctr', '10.244.0.199');
  cluster.pod('coredns', 'coredns-674b8bbfcf-khjhq', 'k8s-ctr', '10.244.0.59');
  cluster.pod('relay', 'hubble-relay-5dcd46f5c-5r79v', 'k8s-ctr', '10.244.0.122');
  cluster.pod('ui', 'hubble-ui-76d4965bb6-xmdp8', 'k8s-ctr', '10.244.0.80');
  cluster.pod('provisioner', 'local-path-provisioner-74f9666bc9-scg4s', 'k8s-ctr', '10.244.0.253');
  return cluster;
}

/** The sample application, and the deployments that the upgrade of the chart rolled out. */
function addApplication(cluster: Cluster): void {
  cluster.pod('curl', 'curl-pod', 'k8s-ctr', '10.244.0.27');
  cluster.pod('webpod', 'webpod-697b545f57-bpzn9', 'k8s-ctr', '10.244.0.1');
  cluster.pod('webpod', 'webpod-697b545f57-xb8fd', 'k8s-w1', '10.244.1.96');
  cluster.world.removePod('kube-system', 'hubble-relay-5dcd46f5c-5r79v');
  cluster.pod('relay', 'hubble-relay-5b48c999f9-cvjjc', 'k8s-w1', '10.244.1.67');
  cluster.world.removePod('kube-system', 'hubble-ui-76d4965bb6-xmdp8');
  cluster.pod('ui', 'hubble-ui-655f947f96-tcrrp', 'k8s-w1', '10.244.1.66');
}

function moveNode(cluster: Cluster, node: string): void {
  cluster.world.deleteCiliumNode(node);
  cluster.world.restartAgents();
}

/** CoreDNS is restarted by the agent of its own accord, one pod on each node. */
function replaceDns(cluster: Cluster): void {
  for (const name of ['coredns-674b8bbfcf-9pxvx', 'coredns-674b8bbfcf-khjhq'])
    cluster.world.removePod('kube-system', name);
  cluster.pod('coredns', 'coredns-674b8bbfcf-gbnm8', 'k8s-w1', '172.20.0.186', { device: 'lxc80130454cb70' });
  cluster.pod('coredns', 'coredns-674b8bbfcf-vvgfm', 'k8s-ctr', '172.20.1.144', { device: 'lxcf2a822e72a6e' });
}

function restartAll(cluster: Cluster): void {
  for (const pod of [...cluster.world.cluster.pods.values()]) {
    if (pod.unmanaged) cluster.world.removePod(pod.spec.namespace, pod.spec.name);
  }
  restartPods(cluster);
}

const STEPS: readonly {
  readonly name: string;
  readonly run: (cluster: Cluster) => void;
  readonly blocks: readonly string[];
}[] = [
  {
    name: 'ipam-1-kubernetes-host-scope',
    run: () => undefined,
    blocks: ['k8s-ctr 10.244.0.0/24', 'k8s-w1 10.244.1.0/24'],
  },
  {
    name: 'ipam-2-mode-changed-nothing-moves',
    blocks: ['k8s-ctr 10.244.0.0/24', 'k8s-w1 10.244.1.0/24'],
    run: (cluster) => {
      addApplication(cluster);
      cluster.world.setIpam(POOL);
      cluster.world.restartAgents();
    },
  },
  {
    name: 'ipam-3-w1-ciliumnode-deleted',
    run: (cluster) => moveNode(cluster, 'k8s-w1'),
    blocks: ['k8s-ctr 10.244.0.0/24', 'k8s-w1 172.20.0.0/24'],
  },
  {
    name: 'ipam-4-ctr-ciliumnode-deleted',
    blocks: ['k8s-ctr 172.20.1.0/24', 'k8s-w1 172.20.0.0/24'],
    run: (cluster) => {
      moveNode(cluster, 'k8s-ctr');
      replaceDns(cluster);
    },
  },
  { name: 'ipam-5-pods-restarted', run: restartAll, blocks: ['k8s-ctr 172.20.1.0/24', 'k8s-w1 172.20.0.0/24'] },
];

describe('a change of IPAM mode, kubectl get ciliumendpoints -A', () => {
  it.each(STEPS.map(({ name }, i) => ({ name, steps: STEPS.slice(0, i + 1) })))('$name', ({ name, steps }) => {
    const cluster = hostScope();
    for (const step of steps) step.run(cluster);
    const { world } = cluster;
    const { lines } = kubectlGet(['ciliumendpoints', '-A'], world, {
      ages: new Ages(world, () => cluster.clock.now()),
    });
    const want = fields(recorded(name));
    expect(fields(lines)).toEqual(want);
    expect(want[0]).toBe(HEAD);
    expect(
      [...world.cluster.nodes.values()].map((node) => `${node.name} ${node.podBlocks.map(formatCidr).join(' ')}`),
    ).toEqual(steps.at(-1)!.blocks);
  });
});
