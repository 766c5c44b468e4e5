import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/lrp/parse.js';
import { LocalRedirects } from '../../src/lrp/redirects.js';
import { addUpstreamService, restartedCluster, scaleDnsToOne } from './cluster.js';
import type { Cluster } from './cluster.js';
import { nslookup, serve, serveCoreDns, serveOutside } from './dns.js';
import type { Running } from './dns.js';
import { POLICY } from './policy.js';
import { maskPorts, recorded } from './transcript.js';

const COREFILE = path.resolve(import.meta.dirname, '../../corefiles/node-local-lrp.Corefile');
const ENV = {
  NODENS_BIND: '0.0.0.0',
  NODENS_PORT: '53',
  NODENS_CLUSTER_DNS: '10.96.31.170',
  NODENS_METRICS: ':9253',
  NODENS_HEALTH: ':8080',
  NODENS_UPSTREAM: '10.0.2.3',
};
let started: Lab | undefined;
afterEach(async () => {
  const { cluster, local, upstream } = started!;
  for (const { server } of [local, upstream]) await cluster.finish(server.stop());
});

interface Lab {
  readonly cluster: Cluster;
  readonly local: Running;
  readonly upstream: Running;
}

/**
 * The node cache as a pod beside the client, reached through the redirect policy; it asks CoreDNS through
 * kube-dns-upstream.
 */
async function nodeLocal(node: string, cacheIp: string, clientIp: string): Promise<Lab> {
  const cluster = restartedCluster();
  scaleDnsToOne(cluster);
  addUpstreamService(cluster, ['172.20.1.144']);
  cluster.world.removePod('default', 'curl-pod');
  cluster.pod('curl', 'curl-pod', node, clientIp);
  cluster.pod('node-local', 'node-local-dns-8xkrt', node, cacheIp);
  serveOutside(cluster, { 'www.google.com.': ['142.250.206.196', '2404:6800:4005:81a::2004'] }, 5);
  const upstream = await serveCoreDns(cluster);
  const local = await serve(
    cluster,
    cluster.world.pod('kube-system', 'node-local-dns-8xkrt').process,
    { name: 'Corefile', read: () => readFileSync(COREFILE, 'utf8') },
    ENV,
  );
  new LocalRedirects(cluster.world).apply(parsePolicy(POLICY));
  started = { cluster, local, upstream };
  return started;
}

/**
 * Masked: client ports and query ids, the random names of the probes, durations, and the digest of the Corefile,
 * which newer versions take by SHA512.
 */
const form = (lines: readonly string[]): string[] =>
  maskPorts(lines).map((line) =>
    line
      .replace(/PORT\d+ - \d+ /, 'PORT - ID ')
      .replace(/:\d+ - \d+ /, ':PORT - ID ')
      .replace(
        /\d+\.\d+(\.cluster\.local)?\. udp (?:5\d|6\d|7\d)/,
        (_, zone: string | undefined) => `RANDOM${zone ?? ''}. udp N`,
      )
      .replace(/false 512" NXDOMAIN (qr,\S+) \d+ (?=[\d.]+s$)/, (text, flags: string) =>
        line.includes('HINFO') ? `false 512" NXDOMAIN ${flags} N ` : text,
      )
      .replace(/[\d.]+s$/, 'TIME')
      .replace(/(?:MD5|SHA512) = [\da-f]+$/, 'DIGEST'),
  );

describe('the log of node-local-dns', () => {
  it('node-local-log', async () => {
    const { cluster, local } = await nodeLocal('k8s-w1', '172.20.0.211', '172.20.0.69');
    await cluster.clock.advanceAsync(100);
    local.log.length = 0;
    await cluster.finish(local.server.reload());
    for (let turn = 0; turn < 100; turn++) await cluster.clock.advanceAsync(1);
    // node-local-dns has no subscriptions, so its log cannot say that the cluster DNS offers none.
    const probes = local.log.splice(0).filter((line) => !line.includes('plugin/subscribe: '));
    await nslookup(cluster, ['www.google.com']);
    const first = local.log.splice(0);
    // What the cache holds has run out by the second lookup, as its durations show.
    await cluster.clock.advanceAsync(31_000);
    await nslookup(cluster, ['www.google.com']);
    const want = form(recorded('node-local-log'));
    // Four server blocks have loop, and the two reverse ones no log; the recording begins with the reload and shows
    // of the first lookup what --tail left.
    expect([...form(probes), ...form(first.slice(2)), ...form(local.log)]).toEqual(want);
    expect(first).toHaveLength(6);
  });

  it('node-local-log-2', async () => {
    const { cluster, local } = await nodeLocal('k8s-ctr', '172.20.1.211', '172.20.1.72');
    await nslookup(cluster, ['www.google.com']);
    // The recording ends before the lookup does, and leaves the probe of the root's block out.
    const shown = local.log.filter((line) => /HINFO IN \S+\.cluster\.local|\.local\. udp/.test(line));
    expect(form(shown)).toEqual(form(recorded('node-local-log-2')));
  });
});
