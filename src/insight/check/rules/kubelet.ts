import { Zones } from '../../../chain/index.js';
import { arrayAt, asObject, objectAt, textAt } from '../../../kube/objects/raw.js';
import { canonicalIp } from '../../../lib/cidr.js';
import { zonesIn } from '../blocks.js';
import { ofKind, type ClusterRule } from '../cluster.js';
import { redirectedAddresses } from './redirects.js';

const KIND = 'KubeletConfiguration';
/** What the C library reads of a resolv.conf (MAXNS). */
const NAMESERVERS = 3;
/** Dots below which a name is tried with the search domains first: what Kubernetes sets. */
const NDOTS = 5;
/** Search domains that Kubernetes gives a pod. */
const SEARCHES = 3;

const invalidDns: ClusterRule = {
  name: 'cluster-dns-invalid',
  severity: 'fault',
  means: 'The kubelet does not start, or pods get no nameserver, with a clusterDNS that is no address.',
  todo: 'Write IP addresses, as text.',
  *find(cluster) {
    for (const kubelet of ofKind(cluster, KIND))
      for (const [i, text] of arrayAt(kubelet.raw, 'clusterDNS').entries())
        if (!String(text).includes('__PILLAR__') && canonicalIp(String(text)) === undefined)
          yield { at: kubelet.at('clusterDNS', i), text: `got '${String(text)}', allowed: an IPv4 or IPv6 address` };
  },
};

const tooMany: ClusterRule = {
  name: 'cluster-dns-too-many',
  severity: 'warning',
  means: 'The resolvers of pods read three nameservers and pass over the rest.',
  todo: 'Keep one or two.',
  *find(cluster) {
    for (const kubelet of ofKind(cluster, KIND)) {
      const all = arrayAt(kubelet.raw, 'clusterDNS');
      if (all.length > NAMESERVERS)
        yield { at: kubelet.at('clusterDNS', NAMESERVERS), text: `${all.length} addresses in clusterDNS` };
    }
  },
};

const notRedirected: ClusterRule = {
  name: 'cluster-dns-not-redirected',
  severity: 'warning',
  means: 'Pods ask an address that neither the policy redirects nor the node cache serves: the cache is not used.',
  todo: 'Put the address of the redirected service, or of -localip, into clusterDNS.',
  *find(cluster) {
    const redirected = redirectedAddresses(cluster);
    if (redirected === undefined || redirected.length === 0) return;
    for (const kubelet of ofKind(cluster, KIND))
      for (const [i, text] of arrayAt(kubelet.raw, 'clusterDNS').entries()) {
        const ip = canonicalIp(String(text));
        if (ip !== undefined && !redirected.includes(ip))
          yield { at: kubelet.at('clusterDNS', i), text: `${ip} is none of ${redirected.join(', ')}` };
      }
  },
};

const domainUnserved: ClusterRule = {
  name: 'cluster-domain-unserved',
  severity: 'warning',
  means: 'Pods search a domain that the Corefile does not answer for: short names of services are not found.',
  todo: 'Make clusterDomain and the zone of kubernetes, or the block of the node cache, the same.',
  *find(cluster) {
    for (const kubelet of ofKind(cluster, KIND)) {
      const [domain] = zonesIn([textAt(kubelet.raw, 'clusterDomain')]);
      if (domain === undefined || domain === '.') continue;
      for (const { judged, config } of cluster.corefiles) {
        if (judged === undefined) continue;
        const blocks = judged.blocks.flatMap((block) =>
          judged.role === 'node-cache'
            ? block.zones.list.filter((zone) => zone !== '.')
            : block.all('kubernetes').flatMap((one) => [...block.zonesOf(one)]),
        );
        if (blocks.length > 0 && !new Zones(blocks).contains(domain))
          yield {
            at: kubelet.at('clusterDomain'),
            text: `the Corefile of ${config.name} has no ${domain} but ${[...new Set(blocks)].join(', ')}`,
          };
      }
    }
  },
};

const ndotsHigh: ClusterRule = {
  name: 'ndots-high',
  severity: 'warning',
  means: 'Names with fewer dots than ndots are tried with every search domain first, each over IPv4 and IPv6.',
  todo: "Set ndots to 5 or less; 'ndots: 1' or 2 where pods ask mostly for names outside the cluster.",
  *find(cluster) {
    for (const workload of cluster.workloads) {
      const config = objectAt(workload.pod, 'dnsConfig');
      for (const [i, option] of arrayAt(config, 'options').entries()) {
        const value = Number(asObject(option)['value']);
        if (textAt(option, 'name') !== 'ndots' || !(value > NDOTS)) continue;
        const lookups = 2 * (SEARCHES + arrayAt(config, 'searches').length + 1);
        yield {
          at: workload.at('dnsConfig', 'options', i),
          text: `ndots ${value}: a name outside the cluster costs ${lookups} queries in place of 2`,
        };
      }
    }
  },
};

const ndotsCost: ClusterRule = {
  name: 'ndots-cost',
  severity: 'hint',
  means: 'Pods try every name of fewer than 5 dots with the search domains first: names outside the cluster cost more.',
  todo: 'Write such names with a dot at the end, set ndots in dnsConfig, or use autopath.',
  *find(cluster) {
    const walks = cluster.corefiles.some(({ judged }) => judged?.blocks.some((block) => block.has('autopath')));
    for (const kubelet of ofKind(cluster, KIND))
      if (!walks && textAt(kubelet.raw, 'clusterDomain') !== '')
        yield {
          at: kubelet.at('clusterDomain'),
          text: `a name outside the cluster costs ${2 * (SEARCHES + 1)} queries in place of 2`,
        };
  },
};

export const KUBELET: readonly ClusterRule[] = [
  invalidDns,
  tooMany,
  notRedirected,
  domainUnserved,
  ndotsHigh,
  ndotsCost,
];
