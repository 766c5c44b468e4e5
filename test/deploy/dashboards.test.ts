import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import dgram from 'node:dgram';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { silentLog } from '../../src/lib/log.js';
import { programmingDuration } from '../../src/plugins/kubernetes/metrics.js';
import { Server } from '../../src/server/server.js';

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy');

/** What the dashboards and alert rules for CoreDNS ask for: metrics, and the labels that they sum or select by. */
const ASKED: readonly { readonly by: string; readonly metrics: Readonly<Record<string, readonly string[]>> }[] = [
  {
    by: 'the dashboard of CoreDNS at grafana.com, 14981',
    metrics: {
      coredns_dns_requests_total: ['proto', 'type', 'zone'],
      coredns_dns_do_requests_total: [],
      coredns_dns_request_size_bytes_bucket: ['le', 'proto'],
      coredns_dns_responses_total: ['rcode'],
      coredns_dns_request_duration_seconds_bucket: ['le'],
      coredns_dns_response_size_bytes_bucket: ['le', 'proto'],
      coredns_cache_entries: ['type'],
      coredns_cache_hits_total: ['type'],
      coredns_cache_misses_total: [],
    },
  },
  {
    by: 'the dashboards and alerts of the CoreDNS mixin',
    metrics: {
      coredns_build_info: ['version'],
      coredns_cache_entries: ['type'],
      coredns_cache_hits_total: ['type'],
      coredns_cache_misses_total: [],
      coredns_dns_request_duration_seconds_bucket: ['le', 'server', 'zone'],
      coredns_dns_request_size_bytes_bucket: ['le', 'proto'],
      coredns_dns_requests_total: ['proto', 'type', 'zone', 'family', 'server'],
      coredns_dns_response_size_bytes_bucket: ['le', 'proto'],
      coredns_dns_responses_total: ['rcode'],
      coredns_forward_healthcheck_broken_total: [],
      coredns_forward_healthcheck_failures_total: ['to'],
      coredns_forward_request_duration_seconds_bucket: ['le', 'to'],
      coredns_forward_requests_total: ['to'],
      coredns_forward_responses_total: ['rcode', 'to'],
      coredns_kubernetes_dns_programming_duration_seconds_bucket: ['le', 'service_kind'],
      coredns_panics_total: [],
      coredns_plugin_enabled: ['name'],
      go_goroutines: [],
      process_cpu_seconds_total: [],
      process_resident_memory_bytes: [],
    },
  },
  {
    by: 'dashboards of Go programs, where Node has the like',
    metrics: {
      go_gc_duration_seconds_count: [],
      go_gc_duration_seconds_sum: [],
      go_info: ['version'],
      go_memstats_alloc_bytes: [],
      go_memstats_heap_alloc_bytes: [],
      go_memstats_heap_inuse_bytes: [],
      go_memstats_heap_sys_bytes: [],
      go_memstats_sys_bytes: [],
    },
  },
];

/** Labels of each metric that is served, by name; those that the rules record are served too. */
let served: ReadonlyMap<string, ReadonlySet<string>>;
let server: Server;
const upstream = dgram.createSocket('udp4');

function labelsByName(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    const all = found.get(name) ?? new Set<string>();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) all.add(label!);
    found.set(name, all);
  }
  return found;
}

interface Rules {
  groups: { rules: { record?: string; alert?: string; expr: string }[] }[];
}
const rulesOf = (file: string) =>
  (parse(readFileSync(path.join(DEPLOY, 'prometheus', file), 'utf8')) as Rules).groups.flatMap(({ rules }) => rules);

/** Names of metrics in an expression of Prometheus. */
const metricsIn = (expression: string): string[] => [
  ...new Set(expression.match(/\b(?:coredns|process|nodejs|go)_\w+/g) ?? []),
];

/** Metrics that are there once something rare has happened: the page of their plugin has them, with their labels. */
const RARE: Readonly<Record<string, string>> = {
  coredns_cache_drops_total: 'cache',
  coredns_cache_evictions_total: 'cache',
  coredns_cache_prefetch_total: 'cache',
  coredns_cache_served_stale_total: 'cache',
  coredns_dns_extended_errors_total: 'prometheus',
  coredns_proxy_healthcheck_failures_total: 'forward',
  nodejs_gc_duration_seconds_count: 'prometheus',
  nodejs_gc_duration_seconds_sum: 'prometheus',
  coredns_proxy_conn_cache_hits_total: 'forward',
  coredns_proxy_conn_cache_misses_total: 'forward',
};

function labelsOfRare(name: string): Set<string> {
  const page = readFileSync(path.join(DEPLOY, `../src/plugins/${RARE[name]}/README.md`), 'utf8');
  const [, labels] =
    new RegExp(`\\b${name}(?:\\{([^}]*)\\})?`).exec(page) ?? expect.unreachable(`${name} is on no page`);
  return new Set((labels ?? '').split(',').map((label) => label.replace(/=.*/, '').trim()));
}

/** Starts the server, with its metrics at a port that is free; gives that port. */
async function listen(upstreamPort: number, attempts = 3): Promise<number> {
  const port = await freePort();
  server = await Server.create({
    log: silentLog(),
    cwd: path.dirname(DEPLOY),
    corefile: `.:0 {
    bind 127.0.0.1
    errors
    prometheus 127.0.0.1:${port}
    kubernetes cluster.local {
        manifests corefiles/cluster
    }
    cache
    forward . 127.0.0.1:${upstreamPort}
    reload
}
`,
  });
  try {
    await server.listen();
    return port;
  } catch (error) {
    // Somebody was quicker to take the port.
    await server.stop();
    if (attempts === 1) throw error;
    return listen(upstreamPort, attempts - 1);
  }
}

beforeAll(async () => {
  upstream.on('message', (query, { port, address }) => {
    const reply = Buffer.from(query);
    reply[2]! |= 0x80;
    upstream.send(reply, port, address);
  });
  upstream.bind(0, '127.0.0.1');
  await once(upstream, 'listening');
  const port = await listen(upstream.address().port);
  for (const name of ['kubernetes.default.svc.cluster.local.', 'example.org.', 'example.net.'])
    for (let time = 0; time < 2; time++) await server.inject(query(name, 'A', { edns: 1232, do: true }).bytes);
  // The API of a cluster tells when endpoints changed; files do not.
  programmingDuration(server.runtime.metrics)(false).observe(1);
  const found = labelsByName(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  for (const { record, expr } of rulesOf('coredns-names.rules.yml'))
    found.set(record!, found.get(metricsIn(expr)[0]!) ?? labelsOfRare(metricsIn(expr)[0]!));
  served = found;
});
afterAll(async () => {
  await server.stop();
  upstream.close();
});

describe.each(ASKED)('$by', ({ metrics }) => {
  it.each(Object.entries(metrics))('%s is served', (name, labels) => {
    expect(served.has(name)).toBe(true);
    expect([...served.get(name)!], name).toEqual(expect.arrayContaining([...labels]));
  });
});

/** Those of a node cache. */
const NODE_CACHE = new Set(['coredns_nodecache_setup_errors_total']);

describe('what we ask for ourselves', () => {
  const folder = path.join(DEPLOY, 'compose/grafana/dashboards');
  const expressions = [
    ...readdirSync(folder).flatMap((file) => {
      const { panels } = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as {
        panels: { title: string; targets?: { expr: string }[] }[];
      };
      return panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr }) => [`${file}: ${title}`, expr] as const),
      );
    }),
    ...['alerts.rules.yml', 'coredns-names.rules.yml'].flatMap((file) =>
      rulesOf(file).map(({ alert, record, expr }) => [`${file}: ${alert ?? record}`, expr] as const),
    ),
  ];
  it.each(expressions)('%s', (_name, expression) =>
    expect(
      metricsIn(expression).filter(
        (name) => !(served.has(name) || NODE_CACHE.has(name) || labelsOfRare(name).size > 0),
      ),
    ).toEqual([]),
  );
});

const promtool = spawnSync('sh', ['-c', 'command -v promtool']).status === 0;
if (!promtool)
  console.log('test/deploy/dashboards: promtool is not installed (Debian: prometheus); its row is skipped');
it.skipIf(!promtool).each(['alerts.rules.yml', 'coredns-names.rules.yml'])('Prometheus takes %s', (file) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', path.join(DEPLOY, 'prometheus', file)], {
    encoding: 'utf8',
  });
  expect(status, stdout + stderr).toBe(0);
});
