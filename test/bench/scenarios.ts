import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Work } from './peer.js';
import type { UpstreamName } from './upstreams.js';

export interface Scenario {
  readonly name: string;
  readonly kind: Work['kind'];
  readonly clients: number;
  /** `NAME TYPE` lines. */
  readonly queries: () => readonly string[];
  /** Those of them whose latencies are of interest; all without it. */
  readonly sampled?: () => readonly string[];
  /** Queries a second; as many as go without it. */
  readonly rate?: number;
  /** Whether signatures are asked for (DO). */
  readonly signatures?: boolean;
  /** Where names outside are from; NSD without it. */
  readonly upstream?: UpstreamName;
  /** Services of the cluster. */
  readonly services?: number;
  /**
   * How many threads take queries and as many send them, on as many cores together; without it the server has a core
   * to itself, and the load another.
   */
  readonly threads?: number;
}

const SERVICES = 10_000;
const MANY_SERVICES = 100_000;

export const outside = (): string[] => Array.from({ length: 1000 }, (_, i) => `n${i + 1}.bench.example.org A`);
/** 1,000 names of the large zone, from all over it. */
const hot = (): string[] => Array.from({ length: 1000 }, (_, i) => `n${(i + 1) * 1000}.bench.example.org A`);
/** 1,000 of the services. */
export const cluster = (services: number) => (): string[] =>
  Array.from({ length: 1000 }, (_, i) => i * Math.floor(services / 1000)).map(
    (i) => `svc${i}.ns${i % 100}.svc.cluster.local A`,
  );
const missing = (): string[] => Array.from({ length: 1000 }, (_, i) => `nosuch${i}.ns${i % 100}.svc.cluster.local A`);
/** What a pod asks for external names by way of its search list. */
const search = (): string[] =>
  Array.from({ length: 200 }, (_, i) => `n${i + 1}.bench.example.org`).flatMap((name) =>
    ['.ns1.svc.cluster.local', '.svc.cluster.local', '.cluster.local', ''].flatMap((domain) => [
      `${name}${domain} A`,
      `${name}${domain} AAAA`,
    ]),
  );

/** Lists that others measure cluster DNS servers with. */
const list = (file: string): Scenario => ({
  name: `list ${file}`,
  kind: 'cluster',
  clients: 10,
  services: SERVICES,
  queries: () =>
    readFileSync(new URL(`data/${file}.txt`, import.meta.url), 'utf8')
      .trim()
      .split('\n'),
});

/** More threads than this gain nothing on the hosts that DNS servers run on. */
const MOST_THREADS = 4;
/** As many as the cores allow: the chain's own thread has little to do for what is in the cache. */
const THREADS = Math.max(2, Math.min(MOST_THREADS, os.availableParallelism()));
const scaling = (threads: number): Scenario => ({
  name: `cache hit, ${threads} shared ${threads === 1 ? 'core' : 'cores'}`,
  kind: 'cache',
  clients: 200,
  queries: outside,
  threads,
});

/** Over TCP to an upstream that works on one query of a connection at a time; latencies are those of quick queries. */
const oneAtATime = (what: string, queries: () => readonly string[]): Scenario => ({
  name: `200 a second over TCP, one at a time, ${what}`,
  kind: 'forward-tcp',
  clients: 10,
  queries,
  sampled: outside,
  rate: 200,
  upstream: 'slow',
});

export const SCENARIOS: readonly Scenario[] = [
  { name: 'cache hit, 1,000 names', kind: 'cache', clients: 10, queries: outside },
  { name: 'cache hit, 200 clients', kind: 'cache', clients: 200, queries: outside },
  { name: 'zone of 1,000,000 names, 1,000 asked', kind: 'zone', clients: 10, queries: hot },
  { name: 'zone of 1,000 names', kind: 'small-zone', clients: 10, queries: outside },
  { name: 'the same with dnssec, no DO', kind: 'signed-zone', clients: 10, queries: outside },
  { name: 'the same with dnssec, DO', kind: 'signed-zone', clients: 10, queries: outside, signatures: true },
  {
    name: 'cluster names, 10,000 services',
    kind: 'cluster',
    clients: 10,
    services: SERVICES,
    queries: cluster(SERVICES),
  },
  { name: 'cluster NXDOMAIN, 10,000 services', kind: 'cluster', clients: 10, services: SERVICES, queries: missing },
  {
    name: 'cluster names, 100,000 services',
    kind: 'cluster',
    clients: 10,
    services: MANY_SERVICES,
    queries: cluster(MANY_SERVICES),
  },
  { name: 'search list of a pod', kind: 'cluster', clients: 10, services: SERVICES, queries: search },
  ...['all-queries', 'service', 'multiple-svc', 'nx-domain', 'pod-ip', 'outside'].map(list),
  { name: 'uncached forward over UDP', kind: 'forward-udp', clients: 10, queries: outside },
  ...(
    [
      ['over TCP', 'forward-tcp', 'nsd'],
      ['over TCP to Knot', 'forward-tcp', 'knot'],
      ['over TCP to unbound', 'forward-tcp', 'unbound'],
      ['over TLS to unbound', 'forward-tls', 'unbound-tls'],
    ] as const
  ).map(([name, kind, upstream]) => ({
    name: `uncached forward ${name}`,
    kind,
    clients: 10,
    queries: outside,
    upstream,
  })),
  oneAtATime('none slow', outside),
  oneAtATime('a tenth slow', () => outside().map((question, i) => (i % 10 === 3 ? `slow${question}` : question))),
  scaling(1),
  scaling(THREADS),
];
