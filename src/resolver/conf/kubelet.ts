import { randomBelow, type Random } from '../../lib/random.js';

export type DnsPolicy = 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';

/** A pod's `spec.dnsConfig` (Kubernetes API, PodDNSConfig). */
export interface PodDnsConfig {
  readonly nameservers?: readonly string[];
  readonly searches?: readonly string[];
  readonly options?: readonly { readonly name: string; readonly value?: string }[];
}

export interface PodDnsInput {
  readonly dnsPolicy: DnsPolicy;
  readonly hostNetwork: boolean;
  /** Text of the file that the kubelet's `resolvConf` setting names; undefined where that setting is empty. */
  readonly hostResolvConf: string | undefined;
  /** The kubelet's `clusterDNS`. */
  readonly clusterDNS: readonly string[];
  /** The kubelet's `clusterDomain`, without closing dot. */
  readonly clusterDomain: string;
  readonly namespace: string;
  /** For the text of events. */
  readonly podName?: string;
  readonly dnsConfig?: PodDnsConfig;
  /**
   * The order of options is arbitrary where there is a `dnsConfig`; without this they keep the order in which they
   * were merged.
   */
  readonly random?: Random;
}

export interface KubeletEvent {
  readonly type: 'Warning';
  readonly reason: 'DNSConfigForming' | 'MissingClusterDNS';
  readonly message: string;
}

export interface PodResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
  /** The file as the pod sees it. */
  readonly text: string;
  readonly events: readonly KubeletEvent[];
}

/** Limits of Kubernetes' core validation; a longer list is cut from its end. */
const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;
/** Longest single domain: a DNS-1123 subdomain. */
const MAX_DOMAIN = 253;

interface ResolvConfParts {
  servers: string[];
  searches: string[];
  options: string[];
}

/**
 * The resolv.conf that the kubelet gives to a pod ("DNS for Services and Pods" in the Kubernetes documentation), with
 * the warnings it raises.
 */
export function kubeletResolvConf(input: PodDnsInput): PodResolvConf {
  const events: KubeletEvent[] = [];
  const parts = base(input, events);
  if (input.dnsConfig) merge(parts, input.dnsConfig, input.random);
  const searches = fitSearches(parts.searches, events);
  const servers = parts.servers.slice(0, MAX_SERVERS);
  if (servers.length < parts.servers.length) {
    warn(
      events,
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
    );
  }
  return { servers, searches, options: parts.options, text: format(servers, searches, parts.options), events };
}

function base(input: PodDnsInput, events: KubeletEvent[]): ResolvConfParts {
  const host = hostParts(input.hostResolvConf);
  if (input.dnsPolicy === 'None') return { servers: [], searches: [], options: [] };
  const cluster =
    input.dnsPolicy === 'ClusterFirstWithHostNet' || (input.dnsPolicy === 'ClusterFirst' && !input.hostNetwork);
  if (!cluster) return host;
  if (input.clusterDNS.length === 0) {
    const text =
      'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
    events.push({
      type: 'Warning',
      reason: 'MissingClusterDNS',
      message: `pod: "${input.podName ?? ''}_${input.namespace}". ${text}`,
    });
    return host;
  }
  const { namespace, clusterDomain } = input;
  const searches =
    clusterDomain === ''
      ? host.searches
      : unique([`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...host.searches]);
  return { servers: [...input.clusterDNS], searches, options: ['ndots:5'] };
}

/** As the kubelet reads the host's file: servers add up, of `search` and `options` the last line counts. */
function hostParts(text: string | undefined): ResolvConfParts {
  if (text === undefined) return { servers: ['127.0.0.1'], searches: ['.'], options: [] };
  const parts: ResolvConfParts = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) parts.servers.push(words[0]);
    else if (keyword === 'search')
      parts.searches = words.map((word) => (word === '.' ? word : word.replace(/\.$/, '')));
    else if (keyword === 'options') parts.options = words;
  }
  return parts;
}

function merge(parts: ResolvConfParts, config: PodDnsConfig, random: Random | undefined): void {
  parts.servers = unique([...parts.servers, ...(config.nameservers ?? [])]);
  parts.searches = unique([...parts.searches, ...(config.searches ?? [])]);
  const options = new Map<string, string>();
  for (const option of parts.options) options.set(option.replace(/:.*$/, ''), option);
  for (const { name, value } of config.options ?? [])
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  parts.options = random === undefined ? [...options.values()] : shuffled([...options.values()], random);
}

function fitSearches(domains: readonly string[], events: KubeletEvent[]): string[] {
  const fitting = domains.slice(0, MAX_SEARCHES).filter((domain) => domain.length <= MAX_DOMAIN);
  while (fitting.join(' ').length > MAX_SEARCH_CHARACTERS) fitting.pop();
  if (fitting.length < domains.length)
    warn(
      events,
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${fitting.join(' ')}`,
    );
  return fitting;
}

function warn(events: KubeletEvent[], message: string): void {
  events.push({ type: 'Warning', reason: 'DNSConfigForming', message });
}

function format(servers: readonly string[], searches: readonly string[], options: readonly string[]): string {
  const lines = [
    searches.length > 0 && `search ${searches.join(' ')}`,
    ...servers.map((server) => `nameserver ${server}`),
    options.length > 0 && `options ${options.join(' ')}`,
  ];
  return lines
    .filter((line) => line !== false)
    .map((line) => `${line}\n`)
    .join('');
}

const unique = (words: readonly string[]): string[] => [...new Set(words)];

function shuffled(words: string[], random: Random): string[] {
  for (let i = words.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [words[i], words[j]] = [words[j]!, words[i]!];
  }
  return words;
}
