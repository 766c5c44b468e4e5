import type { RedirectFrontend } from '../../lrp/policy.js';
import { mapFrontend, type CandidatePod } from '../../lrp/mapping.js';
import { parsePolicy } from '../../lrp/parse.js';
import { canonicalIp } from '../../lib/cidr.js';
import { NodensError } from '../../lib/errors.js';
import { arrayAt, asObject, flagAt, objectAt, portAt, textAt, textMapAt } from '../../kube/objects/raw.js';
import { kubeletResolvConf, type DnsPolicy, type PodDnsConfig, type PodResolvConf } from '../../resolver/index.js';

/**
 * Asks the API of the cluster for one object, or a list: undefined where there is none, or where it may not be read.
 * Rejects where the API cannot be asked.
 */
export type ReadApi = (path: string, query?: Readonly<Record<string, string>>) => Promise<unknown>;

/** What the API does not tell where it may not be asked for it. */
export interface ClusterDns {
  /** Addresses of the cluster DNS; those of the kubelet, or of the service `kube-dns`, where there are none. */
  readonly servers: readonly string[];
  readonly domain: string | undefined;
}

/** How a pod asks. Plain data. */
export interface PodDnsFacts {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  readonly resolvConf: PodResolvConf;
  /** What becomes of packets to its nameservers, each in words. */
  readonly redirects: readonly string[];
  /** What was not to be had, and what was taken instead. */
  readonly assumed: readonly string[];
}

const DNS_PORT = 53;

/** The resolv.conf of a pod as its kubelet writes it, and the redirects that apply on its node. */
export async function podDns(read: ReadApi, namespace: string, name: string, given: ClusterDns): Promise<PodDnsFacts> {
  const pod = await read(`/api/v1/namespaces/${namespace}/pods/${name}`);
  if (pod === undefined)
    throw new NodensError('NODENS_SERVICE', `-pod: there is no pod ${namespace}/${name}, or it may not be read`);
  const spec = objectAt(pod, 'spec');
  const node = textAt(spec, 'nodeName');
  const assumed: string[] = [];
  const kubelet = objectAt(await read(`/api/v1/nodes/${node}/proxy/configz`), 'kubeletconfig');
  const domain = given.domain ?? (textAt(kubelet, 'clusterDomain') || undefined);
  if (domain === undefined) assumed.push('the kubelet’s clusterDomain may not be read: cluster.local');
  const service = await read('/api/v1/namespaces/kube-system/services/kube-dns');
  const clusterDNS = serversOf(given.servers, kubelet, service, assumed);
  assumed.push('the host’s own resolv.conf is not known: nothing of it is taken');
  const resolvConf = kubeletResolvConf({
    dnsPolicy: (textAt(spec, 'dnsPolicy') || 'ClusterFirst') as DnsPolicy,
    hostNetwork: flagAt(spec, 'hostNetwork') === true,
    hostResolvConf: '',
    clusterDNS,
    clusterDomain: domain ?? 'cluster.local',
    namespace,
    podName: name,
    ...(spec.dnsConfig !== undefined && { dnsConfig: dnsConfigOf(spec.dnsConfig) }),
  });
  const redirects = await redirectsOf(read, node, resolvConf.servers, service);
  return { namespace, name, ip: textAt(objectAt(pod, 'status'), 'podIP'), node, resolvConf, redirects, assumed };
}

function serversOf(given: readonly string[], kubelet: unknown, service: unknown, assumed: string[]): readonly string[] {
  if (given.length > 0) return given;
  const own = texts(arrayAt(kubelet, 'clusterDNS'));
  if (own.length > 0) return own;
  const address = textAt(objectAt(service, 'spec'), 'clusterIP');
  if (address !== '') assumed.push(`the kubelet’s clusterDNS may not be read: ${address} of kube-system/kube-dns`);
  return address === '' ? [] : [address];
}

const texts = (values: readonly unknown[]): string[] => values.filter((value) => typeof value === 'string');

const dnsConfigOf = (config: unknown): PodDnsConfig => ({
  nameservers: texts(arrayAt(config, 'nameservers')),
  searches: texts(arrayAt(config, 'searches')),
  options: arrayAt(config, 'options').map((option) => {
    const value = textAt(option, 'value');
    return { name: textAt(option, 'name'), ...(value !== '' && { value }) };
  }),
});

/** Local redirect policies that take packets to the nameservers elsewhere, on one node. */
async function redirectsOf(
  read: ReadApi,
  node: string,
  servers: readonly string[],
  service: unknown,
): Promise<string[]> {
  const policies = arrayAt(await read('/apis/cilium.io/v2/ciliumlocalredirectpolicies'), 'items');
  if (policies.length === 0) return [];
  const pods = arrayAt(await read('/api/v1/pods', { fieldSelector: `spec.nodeName=${node}` }), 'items').map(candidate);
  const clusterIp = canonicalIp(textAt(objectAt(service, 'spec'), 'clusterIP'));
  return policies.flatMap((manifest) => {
    // Items of a list have neither of the two.
    const policy = parsePolicy({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumLocalRedirectPolicy',
      ...asObject(manifest),
    });
    const address = servers.find((server) => takes(policy.frontend, server, clusterIp));
    if (address === undefined) return [];
    const frontend = { ip: address, port: DNS_PORT, protocol: 'UDP', portName: portNameOf(service) } as const;
    const total = Math.max(1, arrayAt(objectAt(service, 'spec'), 'ports').length);
    const { redirected, reason, backends } = mapFrontend(policy, frontend, total, pods, '1.18');
    const name = `${policy.namespace}/${policy.name}`;
    if (!redirected) return [`${address}: policy ${name} does not apply on ${node}: ${reason}`];
    return [`${address}: policy ${name} redirects to ${backends.map((one) => `${one.pod} (${one.ip})`).join(' or ')}`];
  });
}

const takes = (frontend: RedirectFrontend, server: string, clusterIp: string | undefined): boolean =>
  frontend.kind === 'address'
    ? frontend.ip === canonicalIp(server)
    : frontend.namespace === 'kube-system' && frontend.name === 'kube-dns' && canonicalIp(server) === clusterIp;

const portNameOf = (service: unknown): string => {
  const ports = arrayAt(objectAt(service, 'spec'), 'ports');
  const port = ports.find((one) => portAt(one, 'port') === DNS_PORT && (textAt(one, 'protocol') || 'TCP') === 'UDP');
  return textAt(port, 'name').toLowerCase();
};

function candidate(pod: unknown): CandidatePod {
  const [metadata, spec, status] = ['metadata', 'spec', 'status'].map((key) => objectAt(pod, key));
  const ready = arrayAt(status, 'conditions').some(
    (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
  );
  const ports = arrayAt(spec, 'containers').flatMap((container) => arrayAt(container, 'ports'));
  return {
    namespace: textAt(metadata, 'namespace'),
    name: textAt(metadata, 'name'),
    labels: textMapAt(metadata, 'labels') ?? {},
    ready,
    ips: arrayAt(status, 'podIPs').map((one) => textAt(one, 'ip')),
    ports: ports.map((port) => ({
      name: textAt(port, 'name').toLowerCase(),
      port: portAt(port, 'containerPort') ?? 0,
      protocol: textAt(port, 'protocol') || 'TCP',
    })),
    netns: textAt(metadata, 'uid'),
  };
}
