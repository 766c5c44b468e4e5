import type { Milliseconds, Octets } from '../../lib/units.js';

/** What one server answered, when it was asked in several ways. */
export interface ServerFacts {
  readonly address: string;
  readonly port: number;
  /** A small question: time and rcode of the answer; undefined for none. */
  readonly udp: { readonly time: Milliseconds; readonly rcode: number } | undefined;
  readonly tcp: { readonly time: Milliseconds; readonly rcode: number } | undefined;
  /** A question with a large answer, and what came of it over UDP. */
  readonly large: { readonly size: Octets; readonly udp: 'whole' | 'truncated' | 'smaller' | 'none' } | undefined;
  /** When the signatures that came with it are valid, in ms since 1970. */
  readonly signatures: { readonly from: Milliseconds; readonly until: Milliseconds } | undefined;
}

/** Everything that the doctor looks at. Files are text as the kernel gives it; undefined where they cannot be read. */
export interface NodeFacts {
  readonly resolvConf: string | undefined;
  /** Where the resolver of this host finds its own upstreams, where there is such a file. */
  readonly upstreamConf: string | undefined;
  readonly addresses: readonly { readonly device: string; readonly address: string }[];
  /** MTU by link. */
  readonly mtus: ReadonlyMap<string, Octets>;
  /** `/proc/net/udp`, `udp6`, `tcp`, `tcp6`. */
  readonly sockets: Readonly<Partial<Record<'udp' | 'udp6' | 'tcp' | 'tcp6', string>>>;
  /** Counters of the kernel, twice, some time apart. */
  readonly counters: readonly [CounterFiles, CounterFiles];
  /** `nf_conntrack_count` and `nf_conntrack_max`. */
  readonly conntrack: { readonly count: number; readonly max: number } | undefined;
  /** `ip_local_port_range`. */
  readonly portRange: string | undefined;
  /** What `iptables-save` and `nft list ruleset` print. */
  readonly rules: string | undefined;
  readonly servers: readonly ServerFacts[];
  /** The time of this host, in ms since 1970. */
  readonly now: Milliseconds;
}

/** Files of counters: `/proc/net/snmp`, `snmp6`, `softnet_stat` and `/proc/net/stat/nf_conntrack`. */
export type CounterFiles = Readonly<
  Partial<Record<'snmp' | 'snmp6' | 'softnet' | 'conntrack' | 'udp' | 'udp6', string>>
>;
