import { NodensError } from '../lib/errors.js';
import { ipFamily } from '../lib/cidr.js';
import { parseDuration } from '../lib/duration.js';
import { FlagError, parseFlags, usage, type FlagSpec } from '../lib/go-flags.js';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { adminFromFlags, recordFromFlags, type AdminOptions, type RecordOptions } from '../server/admin-flags.js';
import { SERVING_FLAGS } from '../server/flags.js';
import { ioFromFlags, type IoOptions } from '../server/io-flags.js';
import type { IptablesMode } from './iptables-mode.js';

/** What puts the rules into the kernel. */
export type RuleBackend = 'iptables' | 'nft';

/** A node cache's settings, checked. */
export interface NodeCacheOptions {
  /** Addresses to serve at, as written and in that order; families may be mixed. At least one. */
  readonly localIps: readonly string[];
  readonly dnsPort: number;
  /** Port of the `health` plugin, for the rules that keep its requests out of conntrack. */
  readonly healthPort: number;
  readonly setupInterface: boolean;
  readonly interfaceName: string;
  readonly setupRules: boolean;
  readonly backend: RuleBackend;
  /** Which of its two sets of rules iptables works on; `auto` for the one that the host uses. */
  readonly iptablesMode: IptablesMode | 'auto';
  /** Leave link and rules behind at the end. */
  readonly skipTeardown: boolean;
  /** Pause between two checks of link and rules: 1 s to 24 h. */
  readonly syncInterval: Milliseconds;
  /** Name of the service whose address is the cluster DNS. */
  readonly upstreamService: string;
  /** Folder with the files of the kube-dns ConfigMap; empty for the usual place, where that exists. */
  readonly kubeDnsFolder: string;
  readonly baseCorefile: string;
  /** Where the rendered Corefile is written to and read from. */
  readonly corefile: string;
  /** Empty for none. */
  readonly pidfile: string;
  /** Path of the socket by which processes share theirs; empty for none. */
  readonly takeover: string;
  readonly metricsAddress: Endpoint;
  /** What stands in a template for the address of the `prometheus` plugin: IP:PORT, or :PORT. */
  readonly prometheusAddress: string;
  /** Reload by SIGUSR1 to the own process. */
  readonly reloadWithSignal: boolean;
  /** Walk the search lists of this node's pods. */
  readonly autopath: boolean;
  /** This node's name; empty for what the environment says. */
  readonly nodeName: string;
  /** Print the plan of link and rules, change nothing. */
  readonly dryRun: boolean;
  readonly quiet: boolean;
  readonly logFormat: 'text' | 'json';
  readonly io: IoOptions;
  /** Undefined for none. */
  readonly admin: AdminOptions | undefined;
  readonly record: RecordOptions | undefined;
  /** Answer with a text and end: the list of plugins, the version. */
  readonly ask: 'plugins' | 'version' | undefined;
}

/** A flag with a value that cannot be used; the message has node-cache's words where node-cache has the flag. */
export class NodeCacheFlagError extends NodensError {
  override readonly name = 'NodeCacheFlagError';

  constructor(message: string) {
    super('NODENS_FLAG', message);
  }
}

const MIN_SYNC: Milliseconds = 1000;
const MAX_SYNC: Milliseconds = 24 * 3_600_000;

/**
 * Node-cache's flags with their defaults, those it takes over from CoreDNS, and `backend`, `iptables-mode`, `autopath`,
 * `nodename`, `dry-run`, `log.format`,
 * `io` and `workers`, which are ours.
 */
export const NODE_CACHE_FLAGS: readonly FlagSpec[] = [
  {
    name: 'localip',
    type: 'string',
    help: 'addresses to serve DNS at, separated by commas; IPv4 and IPv6 may be mixed',
  },
  {
    name: 'conf',
    type: 'string',
    help: 'where the rendered Corefile is written to and read from',
    default: 'Corefile',
  },
  { name: 'corefile', type: 'string', help: 'as -conf, which goes before it', default: '/etc/Corefile' },
  { name: 'basecorefile', type: 'string', help: 'template of the Corefile', default: '/etc/coredns/Corefile.base' },
  {
    name: 'kubednscm',
    type: 'string',
    help: 'folder with the files of the kube-dns ConfigMap (stubDomains, upstreamNameservers); /etc/kube-dns where that exists',
  },
  {
    name: 'upstreamsvc',
    type: 'string',
    help: 'service whose address, from the environment, is the cluster DNS',
    default: 'kube-dns',
  },
  { name: 'setupinterface', type: 'bool', help: 'make a link that holds the addresses', default: 'true' },
  { name: 'interfacename', type: 'string', help: 'name of that link', default: 'nodelocaldns' },
  { name: 'setupiptables', type: 'bool', help: 'set rules that keep DNS out of conntrack', default: 'true' },
  {
    name: 'backend',
    type: 'string',
    help: 'what sets the rules: iptables, or nft in a table of its own',
    default: 'iptables',
  },
  {
    name: 'iptables-mode',
    type: 'string',
    help: "which rules of iptables to change: nft, legacy, or auto for those that hold the kubelet's",
    default: 'auto',
  },
  { name: 'skipteardown', type: 'bool', help: 'leave link and rules behind at the end' },
  {
    name: 'syncinterval',
    type: 'duration',
    help: 'pause between two checks of link and rules; a bare number counts seconds',
    default: '60s',
  },
  { name: 'health-port', type: 'string', help: 'port of the health plugin', default: '8080' },
  { name: 'metrics-listen-address', type: 'string', help: 'where to serve metrics', default: '0.0.0.0:9353' },
  {
    name: 'prometheus-listen-address',
    type: 'string',
    help: "what __PROMETHEUS__ENDPOINT__ in the template stands for: where the server's metrics are served",
    default: ':9253',
  },
  { name: 'reloadwithsignal', type: 'bool', help: 'reload a changed configuration by SIGUSR1 to the own process' },
  { name: 'autopath', type: 'bool', help: 'walk the search lists of the pods of this node in their place' },
  { name: 'nodename', type: 'string', help: 'name of this node, for -autopath; $NODE_NAME where it is left out' },
  { name: 'dry-run', type: 'bool', help: 'print link and rules as they would be, change nothing' },
  ...SERVING_FLAGS,
];

/**
 * Reads node-cache's command line. Throws a FlagError for what is no flag or no value of its type (node-cache prints
 * its usage then and ends with 2), and a
 * NodeCacheFlagError for a value that cannot be used (ends with 1).
 */
export function parseNodeCacheFlags(args: readonly string[]): NodeCacheOptions {
  const { values, given, rest } = parseFlags(args, NODE_CACHE_FLAGS);
  const text = (name: string): string => values[name]!;
  const yes = (name: string): boolean => values[name] === 'true';
  const ask = yes('plugins') ? 'plugins' : yes('version') ? 'version' : undefined;
  // Asked for a list only, node-cache needs no addresses.
  const localIps = ask === undefined || given.has('localip') ? addresses(text('localip')) : [];
  const [extra] = rest;
  if (extra !== undefined) throw new NodeCacheFlagError(`unexpected argument - "${extra}"`);
  return {
    localIps,
    ask,
    dnsPort: port(text('dns.port'), 'port'),
    healthPort: port(text('health-port'), 'healthcheck port'),
    setupInterface: yes('setupinterface'),
    interfaceName: linkName(text('interfacename')),
    setupRules: yes('setupiptables'),
    backend: oneOf('backend', text('backend'), ['iptables', 'nft']),
    iptablesMode: oneOf('iptables-mode', text('iptables-mode'), ['auto', 'nft', 'legacy']),
    skipTeardown: yes('skipteardown'),
    syncInterval: interval(text('syncinterval')),
    upstreamService: text('upstreamsvc'),
    kubeDnsFolder: text('kubednscm'),
    baseCorefile: text('basecorefile'),
    corefile: given.has('conf') || !given.has('corefile') ? text('conf') : text('corefile'),
    pidfile: text('pidfile'),
    takeover: text('takeover'),
    metricsAddress: endpoint('metrics-listen-address', text('metrics-listen-address')),
    prometheusAddress: listened('prometheus-listen-address', text('prometheus-listen-address')),
    reloadWithSignal: yes('reloadwithsignal'),
    autopath: yes('autopath'),
    nodeName: text('nodename'),
    dryRun: yes('dry-run'),
    quiet: yes('quiet'),
    logFormat: oneOf('log.format', text('log.format'), ['text', 'json']),
    io: io(values),
    admin: allowed(adminFromFlags(values)),
    record: allowed(recordFromFlags(values)),
  };
}

/** What is printed after a FlagError, and for -help. */
export function nodeCacheUsage(version: string): string {
  const [first, ...more] = usage('node-cache', NODE_CACHE_FLAGS).split('\n');
  return [
    first,
    `Serves DNS on a node by nodens ${version}, from a cache beside the pods, at the addresses of -localip`,
    '',
    ...more,
  ].join('\n');
}

/** A comma at the end is what filling in nothing for a second address leaves behind, as for kube-proxy in mode IPVS. */
function addresses(text: string): string[] {
  const all = text.replace(/(.),$/, '$1').split(',');
  for (const address of all)
    if (ipFamily(address) === 0) throw new NodeCacheFlagError(`invalid localip specified - "${address}"`);
  return all;
}

function port(text: string, what: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535)
    throw new NodeCacheFlagError(`invalid ${what} specified - "${text}"`);
  return Number(text);
}

/**
 * What the kernel takes for a link (15 bytes) and nft for a table, so that both can carry the name; what begins with -
 * would be an option to the programs that are run.
 */
function linkName(text: string): string {
  if (!/^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/.test(text) || text === '.' || text === '..') {
    throw new NodeCacheFlagError(
      `invalid interfacename specified - "${text}", want 1 to 15 letters, digits, _, . or -, the first no -`,
    );
  }
  return text;
}

function oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined)
    throw new NodeCacheFlagError(`invalid ${flag} specified - "${text}", want ${allowed.join(' or ')}`);
  return found;
}

function io(values: Readonly<Record<string, string>>): IoOptions {
  const read = ioFromFlags(values);
  if (typeof read === 'string') throw new NodeCacheFlagError(`invalid ${read}`);
  return read;
}

/** An endpoint as it was written, which goes into the Corefile. */
function listened(flag: string, text: string): string {
  endpoint(flag, text);
  return text;
}

function endpoint(flag: string, text: string): Endpoint {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  const known = address !== undefined && (address === '' || address === 'localhost' || ipFamily(address) !== 0);
  if (!known || Number(digits) > 65_535)
    throw new NodeCacheFlagError(`invalid ${flag} specified - "${text}", want IP:PORT, [IPV6]:PORT or :PORT`);
  return { address: address === 'localhost' ? '127.0.0.1' : address, port: Number(digits) };
}

/**
 * Node-cache multiplies this flag by a second once more after reading it as a duration, so that there only
 * nanoseconds are of use: `60ns` is a minute.
 * A duration below a millisecond is therefore taken in that way, every other one as it is written, and a bare number
 * as seconds.
 */
function interval(text: string): Milliseconds {
  const read = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
  if (read === undefined) throw new FlagError(`invalid value "${text}" for flag -syncinterval: parse error`);
  const period = read > 0 && read < 1 ? Math.round(read * 1e6) * 1000 : read;
  if (period < MIN_SYNC || period > MAX_SYNC)
    throw new NodeCacheFlagError(`invalid syncinterval specified - "${text}", want 1s to 24h`);
  return period;
}

function allowed<T extends object>(read: T | string | undefined): T | undefined {
  if (typeof read === 'string') throw new NodeCacheFlagError(`invalid ${read}`);
  return read;
}
