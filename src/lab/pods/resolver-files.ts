import { NodensError } from '../../lib/errors.js';
import { flagAt, objectAt, textAt } from '../../kube/objects/raw.js';
import { kubeletResolvConf } from '../../resolver/index.js';
import type { DnsPolicy, PodDnsConfig } from '../../resolver/index.js';
import type { ApiObject } from '../cluster/cluster-api.js';
import type { ClusterSettings, LabNode } from '../topology/topology.js';

const POLICIES: readonly string[] = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

/** A pod's resolv.conf as its kubelet writes it. Throws a NodensError for a policy that there is none of. */
export function resolvConfOf(
  { namespace, name, raw }: ApiObject,
  node: string,
  { cluster, nodes }: { readonly cluster: ClusterSettings; readonly nodes: readonly LabNode[] },
): string {
  const spec = objectAt(raw, 'spec');
  const policy = textAt(spec, 'dnsPolicy') || 'ClusterFirst';
  if (!POLICIES.includes(policy))
    throw new NodensError('NODENS_LAB_API', `spec.dnsPolicy: got "${policy}", allowed: ${POLICIES.join(', ')}`);
  return kubeletResolvConf({
    dnsPolicy: policy as DnsPolicy,
    hostNetwork: flagAt(spec, 'hostNetwork') ?? false,
    hostResolvConf: nodes.find((candidate) => candidate.name === node)!.resolvConf,
    clusterDNS: [cluster.dns],
    clusterDomain: cluster.domain,
    namespace,
    podName: name,
    ...(spec['dnsConfig'] !== undefined && { dnsConfig: spec['dnsConfig'] as PodDnsConfig }),
  }).text;
}

/** The hosts file that kubelets manage; pods on their node's network have the node's own. */
export const hostsFile = (name: string, ip: string | undefined): string =>
  '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
  'fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n' +
  (ip === undefined ? '' : `${ip}\t${name}\n`);
