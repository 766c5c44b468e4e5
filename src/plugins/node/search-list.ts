import type { SearchList } from '../../chain/index.js';
import type { Pod, PodDns } from '../../kube/objects/objects.js';
import { kubeletResolvConf, type DnsPolicy } from '../../resolver/conf/kubelet.js';
import { fqdn, isName, lowerName, type Name } from '../../wire/index.js';

/** What resolvers take where resolv.conf says nothing (resolv.conf(5)). */
const DEFAULT_NDOTS = 1;
/** More is cut by most resolvers. */
const MAX_NDOTS = 15;
const POLICIES: readonly string[] = ['ClusterFirst', 'ClusterFirstWithHostNet', 'None'] satisfies DnsPolicy[];

/**
 * The search lists that the kubelet writes for the pods of a node. Pods of one namespace with equal settings have one
 * list.
 */
export class SearchLists {
  private readonly lists = new WeakMap<PodDns, Map<string, SearchList | undefined>>();
  private readonly hostResolvConf: string;

  /**
   * @param domain the cluster's, in lower case with closing dot
   * @param resolvConf text of the file that the kubelet gives to pods. Where it is that of a pod with the cluster's own
   *   domains, those are left out.
   */
  constructor(
    private readonly domain: Name,
    resolvConf: string,
  ) {
    this.hostResolvConf = resolvConf.replace(/^\s*search\s.*$/gm, (line) => this.withoutCluster(line));
  }

  /** undefined where it does not begin with the namespace's domain, or is not certain. */
  of(pod: Pod): SearchList | undefined {
    const { dns, namespace } = pod;
    if (dns === undefined) return undefined;
    let byNamespace = this.lists.get(dns);
    if (byNamespace === undefined) this.lists.set(dns, (byNamespace = new Map<string, SearchList | undefined>()));
    if (!byNamespace.has(namespace)) byNamespace.set(namespace, this.make(namespace, dns));
    return byNamespace.get(namespace);
  }

  private make(namespace: string, { policy, searches, options }: PodDns): SearchList | undefined {
    if (!POLICIES.includes(policy)) return undefined;
    const made = kubeletResolvConf({
      dnsPolicy: policy as DnsPolicy,
      hostNetwork: false,
      hostResolvConf: this.hostResolvConf,
      // Whatever it is: without any, the kubelet would write another list.
      clusterDNS: ['0.0.0.0'],
      clusterDomain: this.domain.slice(0, -1),
      namespace,
      dnsConfig: { searches, options },
    });
    const domains = [...new Set(made.searches.map((domain) => lowerName(fqdn(domain))))];
    const ndots = ndotsOf(made.options);
    if (domains[0] !== `${namespace}.svc.${this.domain}` || !domains.every(isName) || ndots === undefined)
      return undefined;
    return { domains, ndots };
  }

  private withoutCluster(line: string): string {
    const own = this.domain.slice(0, -1);
    const words = line.trim().split(/\s+/).slice(1);
    const kept = words.filter((word) => {
      const domain = word.toLowerCase().replace(/\.$/, '');
      return domain !== own && !domain.endsWith(`.${own}`);
    });
    return `search ${kept.join(' ')}`;
  }
}

/** undefined for text that resolvers read differently. */
function ndotsOf(options: readonly string[]): number | undefined {
  const written = options.findLast((option) => option === 'ndots' || option.startsWith('ndots:'));
  if (written === undefined) return DEFAULT_NDOTS;
  const [, digits] = /^ndots:(\d{1,3})$/.exec(written) ?? [];
  return digits === undefined ? undefined : Math.min(Number(digits), MAX_NDOTS);
}
