import { afterEach, describe, expect, it } from 'vitest';
import { Hubble } from '../../src/observe/hubble/hubble.js';
import { tcpdumpLines } from '../../src/observe/tcpdump/tcpdump.js';
import { Class, Flag, Type, encodeMessage } from '../../src/wire/index.js';
import { restartedCluster, scaleDnsToOne } from './cluster.js';
import type { Cluster } from './cluster.js';
import { curl, nslookup, serveCoreDns, serveOutside } from './dns.js';
import type { Running } from './dns.js';
import { fields, maskNumbers, maskPorts, recorded } from './transcript.js';

const GOOGLE = { 'google.com.': ['142.250.196.110', '2404:6800:4004:825::200e'] } as const;
let running: Running | undefined;
afterEach(async () => {
  await running?.server.stop();
  running = undefined;
});

/** The cluster with CoreDNS answering on k8s-ctr alone; what happened until then is forgotten. */
async function dnsCluster(addresses: Readonly<Record<string, readonly [string, string]>> = GOOGLE): Promise<Cluster> {
  const cluster = restartedCluster();
  scaleDnsToOne(cluster);
  serveOutside(cluster, addresses);
  running = await serveCoreDns(cluster);
  // The upstream socket of the start is given up before the recording begins.
  await cluster.clock.advanceAsync(30_000);
  cluster.fresh();
  return cluster;
}

/** The node itself asks its resolver, as it does in the first line of both recordings. */
function nodeAsks(cluster: Cluster): void {
  const socket = cluster.world.node('k8s-ctr').process.udp();
  socket.bind('10.0.2.15', 44_999);
  socket.sendTo(
    encodeMessage({
      id: 1,
      flags: Flag.RD,
      rcode: 0,
      question: [{ name: 'connectivity-check.ubuntu.com.', type: Type.A, class: Class.IN }],
      answer: [],
      authority: [],
      additional: [],
    }),
    '10.0.2.3',
    53,
  );
  socket.close();
}

const noTime = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/^[A-Z][a-z]{2} [ \d]\d [\d:.]+: /, '').replace(/^[\d:.]+ /, ''));
const hubbleForm = (lines: readonly string[]): string[] => maskPorts(noTime(lines));
const tcpdumpForm = (lines: readonly string[]): string[] =>
  maskNumbers(maskPorts(noTime(fields(lines))), 'ID', /: (\d+)[+ *N-]/g);

describe.each([
  { name: 'webpod', hubble: 'hubble-webpod', tcpdump: 'tcpdump-webpod' },
  { name: 'google.com', hubble: 'hubble-google', tcpdump: 'tcpdump-google' },
])('nslookup $name', ({ name, hubble, tcpdump }) => {
  it(`is seen as in ${hubble} and ${tcpdump}`, async () => {
    const cluster = await dnsCluster();
    const observer = new Hubble(cluster.world, () => cluster.clock.now());
    const flows: string[] = [];
    observer.follow(['-f', '--port', '53'], (line) => flows.push(line));
    nodeAsks(cluster);
    cluster.fresh();
    await nslookup(cluster, [name]);
    expect(hubbleForm(flows)).toEqual(hubbleForm(recorded(hubble)));
    const lines = tcpdumpLines(
      ['-i', 'any', 'udp', 'port', '53', '-nn'],
      cluster.world.node('k8s-ctr').netns,
      cluster.events,
      9 * 60,
    );
    expect(tcpdumpForm(lines)).toEqual(tcpdumpForm(recorded(tcpdump)));
  });
});

describe('nslookup prints', () => {
  it.each([
    { name: 'nslookup-webpod', args: ['webpod'], google: GOOGLE, exit: false },
    { name: 'nslookup-google', args: ['google.com'], google: GOOGLE, exit: false },
    { name: 'nslookup-debug-webpod', args: ['-debug', 'webpod'], google: GOOGLE, exit: false },
    {
      name: 'nslookup-debug-google',
      args: ['-debug', 'google.com'],
      google: { 'google.com.': ['142.251.222.14', '2404:6800:4005:813::200e'] } as const,
      exit: true,
    },
  ])('$name', async ({ name, args, google, exit }) => {
    const cluster = await dnsCluster(google);
    const run = await nslookup(cluster, args);
    const lines = [
      ...run.text.split('\n'),
      ...(run.exitCode === 0 ? [] : [`command terminated with exit code ${run.exitCode}`]),
    ];
    const serials = (text: readonly string[]): string[] =>
      fields(text).map((line) => line.replace(/^serial = \d+/, 'serial = N'));
    expect(serials(lines)).toEqual(serials(recorded(name)));
    expect(run.exitCode).toBe(exit ? 1 : 0);
  });
});

describe('the cache of CoreDNS', () => {
  const metrics = async (cluster: Cluster): Promise<string[]> => {
    const text = await curl(cluster, cluster.world.pod('default', 'curl-pod').process, '10.96.0.10', 9153, '/metrics');
    return text.split('\n').filter((line) => line.startsWith('coredns_cache_'));
  };
  /** What ran in the recorded cluster before is in its counters of requests and misses. */
  const form = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replace(/^(coredns_cache_(?:misses|requests)_total.*) \d+$/, '$1 N'));

  it('is counted as in cache-metrics-*', async () => {
    const cluster = await dnsCluster();
    expect(form(await metrics(cluster))).toEqual(form(recorded('cache-metrics-before')));
    await nslookup(cluster, ['webpod']);
    await nslookup(cluster, ['google.com']);
    expect(form(await metrics(cluster))).toEqual(form(recorded('cache-metrics-after-names-in-and-out')));
    await nslookup(cluster, ['google.com']);
    expect(form(await metrics(cluster))).toEqual(form(recorded('cache-metrics-after-repeat')));
  });
});
