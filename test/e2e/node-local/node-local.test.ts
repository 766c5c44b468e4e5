import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../../support/program.js';
import { SAVED, TEMPLATE } from '../../nodelocal/recorded.js';
import { Namespaces, inside, join, run, runIn, whyNot } from './namespaces.js';

const reason = whyNot(['ip', 'iptables', 'iptables-save', 'ip6tables-save', 'nft', 'conntrack', 'dig']);
if (reason !== undefined)
  console.log(
    `test/e2e/node-local: ${reason} (Debian: iproute2, iptables, nftables, conntrack, bind9-dnsutils); skipped`,
  );

const CLUSTER_DNS = '10.96.31.170';
const LOCAL = '169.254.20.10';
const KUBE_DNS = '10.96.0.10';
const LOCAL6 = 'fd00:169:254::10';
const OUTSIDE = '192.168.10.3';
const NODE = '192.168.10.100';
const POD = '172.20.0.69';
const POD6 = 'fd00:20::69';

/** What the cluster DNS answers names of the cluster from. */
const CLUSTER = `kubernetes cluster.local in-addr.arpa ip6.arpa {\n        manifests ${path.resolve(import.meta.dirname, '../../../corefiles/cluster')}\n    }`;
const CLUSTER_COREFILE = `.:53 {\n    bind ${CLUSTER_DNS}\n    log\n    ${CLUSTER}\n}\n`;
const OUTSIDE_COREFILE = `.:53 {\n    bind ${OUTSIDE}\n    log\n    hosts {\n        203.0.113.7 www.outside.test\n    }\n}\n`;

describe.skipIf(reason !== undefined)('a node cache on a node', () => {
  let namespaces: Namespaces;
  let node: string;
  let pod: string;
  let dns: string;
  let dir: string;
  let clusterDns: Program;
  let outside: Program;
  let cache: Program;

  const file = (name: string): string => path.join(dir, name);
  const start = (namespace: string, args: string[], env: Record<string, string> = {}): Program =>
    new Program(inside(namespace, ...PROGRAM, ...args), env);
  const startCache = async (...more: string[]): Promise<void> => {
    cache = start(
      node,
      [
        'node-cache',
        '-localip',
        `${LOCAL},${KUBE_DNS},${LOCAL6}`,
        '-conf',
        file('Corefile'),
        '-basecorefile',
        path.join(dir, 'base', 'Corefile.base'),
        '-kubednscm',
        file('kube-dns'),
        '-upstreamsvc',
        'kube-dns-upstream',
        '-pidfile',
        file('pid'),
        ...more,
      ],
      { KUBE_DNS_UPSTREAM_SERVICE_HOST: CLUSTER_DNS },
    );
    await cache.said(/nodens-/);
  };
  /** Resolves when the last rule is in place. */
  const rulesAdded = async (): Promise<void> => {
    await cache.said(new RegExp(`Added back nodelocaldns rule - {raw OUTPUT \\[-p tcp -s ${LOCAL6} --sport 8080`));
  };
  const dig = (server: string, name: string, ...more: string[]): string =>
    runIn(pod, 'dig', `@${server}`, name, '+short', '+tries=1', '+timeout=5', ...more);
  const rules = (command = 'iptables'): string[] =>
    ['raw', 'filter'].flatMap((table) =>
      runIn(node, `${command}-save`, '-t', table)
        .split('\n')
        .filter((line) => line.includes('NodeLocal DNS Cache')),
    );
  const links = (): string[] =>
    (JSON.parse(run('ip', '-j', '-n', node, 'link', 'show')) as { ifname?: string }[]).flatMap(
      (link) => link.ifname ?? [],
    );
  /** Entries of connection tracking for DNS that these addresses asked for. */
  const tracked = (...sources: string[]): string[] =>
    ['ipv4', 'ipv6']
      .flatMap((family) => runIn(node, 'conntrack', '-L', '-f', family).split('\n'))
      .filter((line) => line.includes('dport=53 ') && sources.some((source) => line.includes(`src=${source} dst=`)));

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-node-'));
    run('mkdir', file('base'), file('kube-dns'));
    writeFileSync(path.join(dir, 'base', 'Corefile.base'), TEMPLATE);
    writeFileSync(path.join(dir, 'kube-dns', 'upstreamNameservers'), JSON.stringify([OUTSIDE]));
    writeFileSync(file('cluster'), CLUSTER_COREFILE);
    writeFileSync(file('outside'), OUTSIDE_COREFILE);
    namespaces = new Namespaces();
    [node, pod, dns] = [namespaces.add('node'), namespaces.add('pod'), namespaces.add('dns')];
    join([node, 'lxc0', ['172.20.0.1/24', 'fd00:20::1/64']], [pod, 'eth0', [`${POD}/24`, `${POD6}/64`]]);
    join([node, 'eth1', [`${NODE}/24`]], [dns, 'eth0', ['192.168.10.10/24', `${CLUSTER_DNS}/32`, `${OUTSIDE}/32`]]);
    run('ip', '-n', pod, 'route', 'add', 'default', 'via', '172.20.0.1');
    run('ip', '-n', pod, 'route', 'add', 'default', 'via', 'fd00:20::1');
    run('ip', '-n', node, 'route', 'add', CLUSTER_DNS, 'via', '192.168.10.10');
    // A node that lets nothing in but what it asked for: without rules of its own, the cache is out of reach. They
    // also switch connection tracking on.
    for (const iptables of ['iptables', 'ip6tables']) {
      runIn(node, iptables, '-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT');
      runIn(node, iptables, '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED', '-j', 'ACCEPT');
      runIn(node, iptables, '-P', 'INPUT', 'DROP');
    }
    // Who lives next door has to be found out all the same.
    runIn(node, 'ip6tables', '-A', 'INPUT', '-p', 'icmpv6', '-j', 'ACCEPT');
    clusterDns = start(dns, ['-conf', file('cluster')]);
    outside = start(dns, ['-conf', file('outside')]);
    await Promise.all([clusterDns.said(/nodens-/), outside.said(/nodens-/)]);
    await startCache();
    await rulesAdded();
  }, 40_000);

  afterAll(async () => {
    // Undefined where the set-up failed before it got that far.
    for (const program of [cache, clusterDns, outside] as (Program | undefined)[]) await program?.stop('SIGKILL');
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each([LOCAL, KUBE_DNS, LOCAL6])('answers the pod at %s', (server) =>
    expect(dig(server, 'webpod.default.svc.cluster.local')).toBe('10.96.152.212\n'),
  );

  it.each([LOCAL, KUBE_DNS, LOCAL6])('answers the pod at %s over TCP', (server) =>
    expect(dig(server, 'webpod.default.svc.cluster.local', '+tcp')).toBe('10.96.152.212\n'),
  );

  it('asks the cluster DNS by TCP only, once for many', async () => {
    for (let i = 0; i < 3; i++) dig(KUBE_DNS, 'webpod.default.svc.cluster.local');
    await clusterDns.said(/webpod/);
    const asked = clusterDns.text.split('\n').filter((line) => line.includes('webpod'));
    expect(asked).toHaveLength(1);
    expect(clusterDns.text).not.toMatch(/ IN \S+ udp /);
    expect(asked[0]).toContain('"A IN webpod.default.svc.cluster.local. tcp ');
  });

  it('asks the upstreams of the ConfigMap for what is outside', async () => {
    expect(dig(KUBE_DNS, 'www.outside.test')).toBe('203.0.113.7\n');
    await outside.said(/"A IN www\.outside\.test\. udp /);
  });

  it('has its rules in place as a real node cache', () => {
    expect(rules().filter((line) => !line.includes(LOCAL6))).toEqual(SAVED);
    expect(rules('ip6tables')).toHaveLength(12);
  });

  it("keeps the pod's DNS out of connection tracking", () => {
    expect(tracked(POD, POD6)).toEqual([]);
    // It is at work: what the cache itself asks is tracked.
    expect(tracked(NODE).length).toBeGreaterThan(0);
  });

  it('counts packets in its rules', () => {
    const counted = runIn(node, 'iptables-save', '-c')
      .split('\n')
      .filter((line) => line.includes('NodeLocal DNS Cache') && line.includes('port 53'));
    const packets = (start: string): number =>
      Number(/^\[(\d+):/.exec(counted.find((line) => line.includes(start))!)![1]);
    expect(packets(`-A PREROUTING -d ${KUBE_DNS}/32 -p udp`)).toBeGreaterThanOrEqual(5);
    expect(packets(`-A INPUT -d ${KUBE_DNS}/32 -p udp`)).toBeGreaterThanOrEqual(5);
    expect(packets(`-A OUTPUT -s ${LOCAL}/32 -p tcp`)).toBeGreaterThan(0);
  });

  it('tells of no fault in its metrics, and of good health', () => {
    const get = (url: string): string =>
      runIn(
        node,
        process.execPath,
        '-e',
        `fetch('${url}').then((answer) => answer.text()).then((text) => process.stdout.write(text))`,
      );
    const counts = get('http://127.0.0.1:9353/metrics')
      .split('\n')
      .filter((line) => line.startsWith('coredns_nodecache_setup_errors_total'));
    expect(counts.map((line) => line.split(' ')[1])).toEqual(['0', '0', '0', '0', '0']);
    expect(get(`http://${LOCAL}:8080/health`)).toBe('OK');
  });

  it('hands over to a successor, which finds everything in place', async () => {
    const pid = readFileSync(file('pid'), 'utf8');
    process.kill(Number(pid), 'SIGUSR2');
    await cache.said(/Handed over, shutting down/);
    await cache.exited();
    expect(readFileSync(file('pid'), 'utf8')).not.toBe(pid);
    expect(rules().filter((line) => !line.includes(LOCAL6))).toEqual(SAVED);
    expect(dig(KUBE_DNS, 'webpod.default.svc.cluster.local')).toBe('10.96.152.212\n');
  });

  it('leaves nothing behind after SIGTERM', async () => {
    process.kill(Number(readFileSync(file('pid'), 'utf8')), 'SIGTERM');
    await cache.ended();
    expect(cache.text).toContain('[INFO] Tearing down');
    expect(links()).not.toContain('nodelocaldns');
    expect([...rules(), ...rules('ip6tables')]).toEqual([]);
    expect(() => dig(KUBE_DNS, 'webpod.default.svc.cluster.local', '+timeout=1')).toThrow(
      'no servers could be reached',
    );
  });

  it('that was killed leaves its rules to the next start, which doubles none and cleans up', async () => {
    await startCache();
    await rulesAdded();
    await cache.stop('SIGKILL');
    expect(links()).toContain('nodelocaldns');
    expect(rules()).toHaveLength(24);
    await startCache('-syncinterval', '1s');
    // Long enough for the first check and one more.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(rules().filter((line) => !line.includes(LOCAL6))).toEqual(SAVED);
    expect(cache.text).not.toContain('Added back');
    expect(dig(KUBE_DNS, 'webpod.default.svc.cluster.local')).toBe('10.96.152.212\n');
    expect(await cache.stop()).toBe(0);
    expect(links()).not.toContain('nodelocaldns');
    expect([...rules(), ...rules('ip6tables')]).toEqual([]);
  });

  it('does the same by nft', async () => {
    for (const iptables of ['iptables', 'ip6tables']) runIn(node, iptables, '-P', 'INPUT', 'ACCEPT');
    await startCache('-backend', 'nft');
    await rulesAdded();
    expect(rules()).toEqual([]);
    for (const server of [LOCAL, KUBE_DNS, LOCAL6]) {
      expect(dig(server, 'webpod.default.svc.cluster.local')).toBe('10.96.152.212\n');
    }
    expect(tracked(POD, POD6)).toEqual([]);
    const table = runIn(node, 'nft', 'list', 'table', 'inet', 'nodens-nodelocaldns');
    expect(table).toMatch(new RegExp(`ip daddr ${KUBE_DNS} udp dport 53 counter packets [1-9]\\d* bytes \\d+ notrack`));
    expect(table).toMatch(new RegExp(`ip6 saddr ${LOCAL6} udp sport 53 counter packets [1-9]\\d* bytes \\d+ notrack`));
    expect(await cache.stop()).toBe(0);
    expect(runIn(node, 'nft', 'list', 'tables')).not.toContain('nodens');
    expect(links()).not.toContain('nodelocaldns');
  });
});
