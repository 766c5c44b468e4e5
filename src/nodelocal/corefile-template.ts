import { hostPort } from '../lib/cidr.js';
import { byText } from '../lib/order.js';
import { withAutopath } from './autopath-block.js';
import type { KubeDnsConfig } from './kube-dns-config.js';

/** What a Corefile template is filled with. */
export interface TemplateValues {
  /** Addresses that are served; at least one. */
  readonly localIps: readonly string[];
  readonly dnsPort: number;
  /** Address of the cluster DNS; undefined while it is not known. */
  readonly clusterDns: string | undefined;
  /** Domain of the cluster, without final dot. */
  readonly domain: string;
  /** Where the `prometheus` plugin listens: IP:PORT or :PORT. */
  readonly prometheus: string;
  readonly kubeDns: KubeDnsConfig;
  /** Walk the search lists of the pods of this node, whose name may be empty; not where undefined. */
  readonly autopath?: { readonly node: string } | undefined;
}

export interface RenderedCorefile {
  readonly text: string;
  /** Where the blocks forward to that ask neither the cluster DNS nor a stub domain's server. */
  readonly upstreams: string;
  readonly warnings: readonly string[];
}

const LOCAL_DNS = '__PILLAR__LOCAL__DNS__';
const CLUSTER_DNS = '__PILLAR__CLUSTER__DNS__';
const UPSTREAM_SERVERS = '__PILLAR__UPSTREAM__SERVERS__';
const DNS_SERVER = '__PILLAR__DNS__SERVER__';
const PROMETHEUS = '__PROMETHEUS__ENDPOINT__';
const DNS_DOMAIN = '__PILLAR__DNS__DOMAIN__';

/** Seconds that answers of stub domains are cached. */
const STUB_TTL = 30;

/** A `forward . UPSTREAM_SERVERS` with nothing but force_tcp in its block. */
const TCP_UPSTREAMS = new RegExp(`(forward[ \\t]+\\S+[ \\t]+${UPSTREAM_SERVERS})[ \\t]*\\{\\s*force_tcp\\s*\\}`, 'g');
/** A `forward` to the cluster DNS, with its block if it has one. */
const CLUSTER_FORWARD = new RegExp(
  `^([ \\t]*)forward[ \\t]+(\\S+)[ \\t][^\\n{]*${CLUSTER_DNS}[^\\n{]*(?:\\{[^}]*\\})?`,
  'gm',
);
const HEALTH = /^[ \t]*health\b[^\n{]*(?:\{[^}]*\})?[ \t]*\n?/gm;
/** It asks what `forward` asks. */
const SUBSCRIBE = /^[ \t]*subscribe\b[^\n{]*(?:\{[^}]*\})?[ \t]*\n?/gm;
const BIND = /^[ \t]*bind[ \t]+(\S[^\n]*?)[ \t]*$/m;

/**
 * Fills in a node cache's Corefile template: the variables of the Kubernetes addon, its custom upstreams, and one
 * server block more for each stub domain.
 *
 * Beyond what node-cache does: the variables that the addon's installer fills in are known too; `LOCAL__DNS:PORT`
 * takes the first address only, as a
 * list with a port after it would be no address; stub domains listen where the template's blocks do. And an unknown
 * cluster DNS does not end in a Corefile
 * that cannot be loaded: the blocks that need it answer SERVFAIL, the others serve, and `health` is left out, so that
 * the kubelet starts the container
 * anew, with the service's address in its environment once that exists.
 */
export function renderCorefile(template: string, values: TemplateValues): RenderedCorefile {
  const warnings: string[] = [];
  const custom = values.kubeDns.upstreamNameservers.join(' ');
  const upstreams = custom === '' ? '/etc/resolv.conf' : custom;
  let text = template;
  if (custom !== '') {
    // Nobody promised that servers of one's own take TCP, which is what the addon's file may ask of those it found
    // itself.
    text = text.replace(TCP_UPSTREAMS, (_, forward: string) => forward.replace(UPSTREAM_SERVERS, upstreams));
    if (text.includes(UPSTREAM_SERVERS))
      warnings.push('Did not find TCP upstream block to replace, assuming upstreams already use UDP.');
  }
  text = text.replaceAll(UPSTREAM_SERVERS, upstreams);
  text =
    values.clusterDns === undefined
      ? withoutClusterDns(text, warnings)
      : text.replaceAll(CLUSTER_DNS, values.clusterDns);
  const [first = ''] = values.localIps;
  text = text
    .replace(new RegExp(`${LOCAL_DNS}:(\\d+)`, 'g'), (_, port: string) => hostPort(first, port))
    .replaceAll(LOCAL_DNS, values.localIps.join(' '))
    .replaceAll(DNS_SERVER, '')
    .replaceAll(PROMETHEUS, values.prometheus)
    .replaceAll(DNS_DOMAIN, values.domain);
  if (values.autopath !== undefined) {
    const walking = withAutopath(text, values.domain, values.autopath.node);
    if (walking === undefined)
      warnings.push(`No server block for ${values.domain} or all names: autopath is left out.`);
    text = walking ?? text;
  }
  const bind = BIND.exec(text)?.[1] ?? values.localIps.join(' ');
  const stubs = [...values.kubeDns.stubDomains]
    .sort(([a], [b]) => byText(a, b))
    .map(([domain, servers]) => stubBlock(domain, values.dnsPort, bind, servers));
  return { text: [text, ...stubs].join(''), upstreams, warnings };
}

function withoutClusterDns(text: string, warnings: string[]): string {
  const served = text.replace(CLUSTER_FORWARD, '$1template ANY ANY $2 {\n$1    rcode SERVFAIL\n$1}');
  if (served === text) return text;
  warnings.push(
    'Without an upstream service, names of the cluster are answered with SERVFAIL and health ' +
      'is not served; the address is in the environment of a container that starts after the ' +
      'service was created.',
  );
  return served.replace(HEALTH, '').replace(SUBSCRIBE, '');
}

const stubBlock = (domain: string, port: number, bind: string, servers: readonly string[]): string =>
  `\n${domain}:${port} {\n    errors\n    cache ${STUB_TTL}\n    bind ${bind}\n    forward . ${servers.join(' ')}\n}\n`;

/** The environment variable in which Kubernetes tells a container the address of a service of its namespace. */
export const serviceVariable = (service: string): string => `${variablePrefix(service)}_SERVICE_HOST`;

/** What the names of a service's variables begin with. */
export const variablePrefix = (service: string): string => service.replaceAll('-', '_').toUpperCase();
