import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Network } from '../../net/network.js';
import type { CounterFiles, NodeFacts } from './facts.js';
import { probeServer } from './probe.js';
import { nameservers } from './resolvers.js';

/** Where facts come from. */
export interface FactSources {
  readonly network: Network;
  readonly clock: Clock;
  /** A file of this host as text; undefined where it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  /** Names in a folder; none where it cannot be read. */
  readonly list: (path: string) => readonly string[];
  /** What a program prints; undefined where there is none, or it fails. */
  readonly run: (program: string, ...args: readonly string[]) => string | undefined;
}

/** What to look at. */
export interface ExamineOptions {
  /** Nameservers beside those of resolv.conf. */
  readonly servers: readonly { readonly address: string; readonly port: number }[];
  /** A name that they are to resolve. */
  readonly name: string;
  /** How long an answer is waited for. */
  readonly timeout: Milliseconds;
  /** How long counters are watched. */
  readonly watch: Milliseconds;
  readonly resolvConf: string;
}

/** Where systemd-resolved keeps what it asks itself. */
const UPSTREAM_CONF = '/run/systemd/resolve/resolv.conf';
const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';

/** Looks at a node: its files, its rules, and the servers it asks. Changes nothing. */
export async function examine(sources: FactSources, options: ExamineOptions): Promise<NodeFacts> {
  const { network, clock } = sources;
  const resolvConf = sources.readFile(options.resolvConf);
  const wanted = [...nameservers(resolvConf).map((address) => ({ address, port: 53 })), ...options.servers];
  const before = counterFiles(sources);
  const probe = { network, clock, timeout: options.timeout, name: options.name };
  const [servers] = await Promise.all([
    Promise.all(wanted.map((to) => probeServer(to, probe))),
    sleep(clock, options.watch),
  ]);
  const number = (name: string): number => Number(sources.readFile(`${CONNTRACK}${name}`) ?? NaN);
  const conntrack = { count: number('count'), max: number('max') };
  return {
    resolvConf,
    upstreamConf: sources.readFile(UPSTREAM_CONF),
    addresses: network.interfaces(),
    mtus: new Map(
      sources
        .list('/sys/class/net')
        .map((device) => [device, Number(sources.readFile(`/sys/class/net/${device}/mtu`))]),
    ),
    sockets: Object.fromEntries(
      ['udp', 'udp6', 'tcp', 'tcp6'].map((name) => [name, sources.readFile(`/proc/net/${name}`)]),
    ),
    counters: [before, counterFiles(sources)],
    conntrack: Number.isNaN(conntrack.count) || Number.isNaN(conntrack.max) ? undefined : conntrack,
    portRange: sources.readFile('/proc/sys/net/ipv4/ip_local_port_range'),
    rules: rulesOf(sources),
    servers,
    now: clock.now(),
  };
}

const counterFiles = ({ readFile }: FactSources): CounterFiles =>
  Object.fromEntries(
    Object.entries({
      snmp: '/proc/net/snmp',
      snmp6: '/proc/net/snmp6',
      softnet: '/proc/net/softnet_stat',
      conntrack: '/proc/net/stat/nf_conntrack',
      udp: '/proc/net/udp',
      udp6: '/proc/net/udp6',
    }).map(([name, path]) => [name, readFile(path)]),
  );

/** Tables that iptables keeps, and iptables-save has shown, as nft shows them. */
const OF_IPTABLES = /^table ip6? (?:filter|nat|raw|mangle|security) \{\n[\s\S]*?^\}\n/gm;

/** Rules of both kinds; undefined where neither program tells any. */
function rulesOf({ run }: FactSources): string | undefined {
  const saved = [run('iptables-save'), run('ip6tables-save')].filter((text) => text !== undefined);
  const listed = run('nft', 'list', 'ruleset');
  const own = saved.length === 0 ? listed : listed?.replace(OF_IPTABLES, '');
  const all = [...saved, ...(own === undefined ? [] : [own])];
  return all.length === 0 ? undefined : all.join('\n');
}
