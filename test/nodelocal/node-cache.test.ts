import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { HostNetwork } from '../../src/net/host-network.js';
import type { Endpoint, TcpListener } from '../../src/net/network.js';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import type { Folder, NodeCacheFiles } from '../../src/nodelocal/folder.js';
import { NodeCache } from '../../src/nodelocal/node-cache.js';
import { StartLog } from '../../src/nodelocal/start-log.js';
import { TestLog } from '../support/block.js';
import { FakeNode } from './fake-node.js';
import { RENDERED, SAVED, START_LOG, TEMPLATE } from './recorded.js';

const FLAGS = [
  '-localip',
  '169.254.20.10,10.96.0.10',
  '-conf',
  '/etc/Corefile',
  '-upstreamsvc',
  'kube-dns-upstream',
  '-pidfile',
  '/run/node-cache.pid',
  '-metrics-listen-address',
  '127.0.0.1:0',
];
const ENV = { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.31.170' };
const BASE = '/etc/coredns/Corefile.base';

/** A file system of texts by path. */
class FakeFiles implements NodeCacheFiles {
  readonly texts = new Map<string, string>([[BASE, TEMPLATE]]);
  readOnly = false;

  read = (file: string): string => this.texts.get(file) ?? missing(file);
  write = (file: string, text: string): void => {
    if (this.readOnly) throw new Error('EROFS: read-only file system');
    this.texts.set(file, text);
  };
  folder = (folder: string): Folder => {
    const found = [...this.texts]
      .filter(([file]) => file.startsWith(`${folder}/`))
      .map(([file, text]) => [file.slice(folder.length + 1), text] as const);
    return found.length > 0 ? new Map(found) : missing(folder);
  };
  exists = (file: string): boolean => [...this.texts.keys()].some((known) => known.startsWith(`${file}/`));
}

const missing = (file: string): never => {
  throw new Error(`ENOENT: no such file or directory, open '${file}'`);
};

/** Keeps the ports that were drawn. */
class WatchedNetwork extends HostNetwork {
  readonly ports: number[] = [];

  override async listenTcp(...args: Parameters<HostNetwork['listenTcp']>): Promise<TcpListener> {
    const listener = await super.listenTcp(...args);
    this.ports.push(listener.local.port);
    return listener;
  }
}

let network: WatchedNetwork;
let clock: ManualClock;
let files: FakeFiles;
let node: FakeNode;
let log: TestLog;
let started: string;
let metrics: Metrics;
let others: Endpoint[];
let reloads: number;
let signals: number;

beforeEach(() => {
  clock = new ManualClock(new Date(2026, 10, 20, 19, 12, 51).getTime());
  network = new WatchedNetwork();
  files = new FakeFiles();
  node = new FakeNode();
  log = new TestLog();
  started = '';
  metrics = new Metrics();
  others = [];
  reloads = 0;
  signals = 0;
});

const nodeCache = (args: readonly string[] = FLAGS, env: Record<string, string> = ENV): NodeCache =>
  new NodeCache(parseNodeCacheFlags(args), {
    clock,
    metrics,
    env,
    files,
    log,
    run: (...args) => node.run(...args),
    placesOfOthers: () => others,
    network,
    self: { pid: 4711, signalReload: () => void signals++ },
    startLog: new StartLog(clock, (text) => void (started += text)),
  });
const serving = (cache: NodeCache): Promise<void> => cache.serving(() => void reloads++);
const errorCount = async (type: string): Promise<number> =>
  Number(new RegExp(`errortype="${type}"} (\\d+)`).exec(await metrics.text())![1]);
const startLines = (): string[] => started.split('\n').filter((line) => line !== '');

describe('a start', () => {
  it('logs what node-cache logs, line by line', async () => {
    const cache = nodeCache([...FLAGS, '-setupinterface=false']);
    await cache.prepare();
    await serving(cache);
    await cache.end();
    // Without those of the server, of Go, of the command that starts it, and of waiting for a file: rules are set as
    // soon as queries are taken.
    const theirs = START_LOG.filter(
      (line) => !/Starting node-cache|pidfile '|maxprocs|plugin\/|:53 on|CoreDNS-|linux\/|SIGTERM|goroutine/.test(line),
    );
    expect([...startLines(), ...log.lines]).toEqual(theirs);
  });

  it('sets up the link before the server starts, and the rules when it serves', async () => {
    const cache = nodeCache();
    await cache.prepare();
    expect([node.link('nodelocaldns')?.addresses.length, node.saved().length]).toEqual([2, 0]);
    await serving(cache);
    expect(node.saved()).toEqual(SAVED);
    await cache.end();
  });

  it('writes the Corefile', async () => {
    const cache = nodeCache();
    await cache.prepare();
    expect(files.texts.get('/etc/Corefile')).toBe(RENDERED);
    await cache.end();
  });

  it('takes the domain of the cluster from the environment', async () => {
    const cache = nodeCache(FLAGS, { ...ENV, CLUSTER_DOMAIN: 'cluster.test' });
    await cache.prepare();
    expect(files.texts.get('/etc/Corefile')).toContain('cluster.test:53 {');
    await cache.end();
  });

  it.each<{ name: string; env: Record<string, string>; shown: string }>([
    { name: 'no', env: {}, shown: '' },
    { name: 'a bad', env: { KUBE_DNS_UPSTREAM_SERVICE_HOST: 'None' }, shown: 'None' },
  ])('with $name address of the upstream service says so, and what comes of it', async ({ env, shown }) => {
    const cache = nodeCache(FLAGS, env);
    await cache.prepare();
    expect(startLines()[2]).toBe(
      '2026/11/20 19:12:51 [WARNING] Unable to lookup IP address of Upstream service ' +
        `kube-dns-upstream, env $KUBE_DNS_UPSTREAM_SERVICE_HOST \`${shown}\``,
    );
    expect(startLines()[3]).toContain(
      '[WARNING] Without an upstream service, names of the cluster are answered with SERVFAIL',
    );
    expect(files.texts.get('/etc/Corefile')).toContain('rcode SERVFAIL');
    await cache.end();
  });

  it('without a template goes on with the Corefile that is there', async () => {
    files.texts.delete(BASE);
    const cache = nodeCache();
    await cache.prepare();
    expect(
      startLines()
        .slice(2, 5)
        .map((line) => line.slice(20)),
    ).toEqual([
      `[ERROR] Failed to read node-cache coreFile ${BASE} - ENOENT: no such file or directory, open '${BASE}'`,
      '[INFO] Skipping kube-dns configmap sync as no directory was specified',
      "[ERROR] Failed to sync node-local-dns config directory /etc/coredns, err: ENOENT: no such file or directory, open '/etc/coredns'",
    ]);
    expect(await errorCount('configmap')).toBe(2);
    await cache.end();
  });

  it('that cannot write the Corefile says so', async () => {
    files.readOnly = true;
    const cache = nodeCache();
    await cache.prepare();
    expect(started).toContain('[ERROR] Failed to write config file /etc/Corefile - err EROFS: read-only file system');
    expect(await errorCount('configmap')).toBe(1);
    await cache.end();
  });
});

describe('the kube-dns ConfigMap', () => {
  it('is taken from where the addon mounts it', async () => {
    files.texts.set('/etc/kube-dns/upstreamNameservers', '["192.0.2.1"]');
    const cache = nodeCache();
    await cache.prepare();
    expect(started).toContain('[INFO] Updated Corefile with 0 custom stubdomains and upstream servers 192.0.2.1\n');
    expect(started).not.toContain('Skipping');
    await cache.end();
  });

  it('is followed', async () => {
    files.texts.set('/cm/stubDomains', '{"a.test": ["192.0.2.1"]}');
    const cache = nodeCache([...FLAGS, '-kubednscm', '/cm']);
    await cache.prepare();
    await serving(cache);
    files.texts.set('/cm/stubDomains', '{"a.test": ["192.0.2.1"], "b.test": ["192.0.2.2"]}');
    clock.advance(10_000);
    expect(files.texts.get('/etc/Corefile')).toContain('b.test:53 {');
    expect(log.lines.find((line) => line.includes('Updated'))).toBe(
      '[INFO] Updated Corefile with 2 custom stubdomains and upstream servers /etc/resolv.conf',
    );
    expect(reloads).toBe(1);
    await cache.end();
  });

  it('that became bad is left out of account', async () => {
    files.texts.set('/cm/stubDomains', '{"a.test": ["192.0.2.1"]}');
    const cache = nodeCache([...FLAGS, '-kubednscm', '/cm']);
    await cache.prepare();
    await serving(cache);
    files.texts.set('/cm/stubDomains', '{"a.test": 1}');
    clock.advance(20_000);
    expect(log.lines.filter((line) => line.includes('config'))).toEqual([
      '[ERROR] Invalid config: stubDomains: a.test: got 1, allowed: a list of servers',
    ]);
    expect(reloads).toBe(0);
    expect(files.texts.get('/etc/Corefile')).toContain('a.test:53 {');
    await cache.end();
  });

  it('that is missing at the start is told, and taken once it is there', async () => {
    const cache = nodeCache([...FLAGS, '-kubednscm', '/cm']);
    await cache.prepare();
    await serving(cache);
    expect(started).toContain(
      "[ERROR] Failed to sync kube-dns config directory /cm, err: ENOENT: no such file or directory, open '/cm'",
    );
    clock.advance(10_000);
    expect(log.lines.at(-1)).toBe(
      "[ERROR] Error loading config from /cm: ENOENT: no such file or directory, open '/cm'",
    );
    files.texts.set('/cm/upstreamNameservers', '["192.0.2.9"]');
    clock.advance(10_000);
    expect(files.texts.get('/etc/Corefile')).toContain('forward . 192.0.2.9');
    expect(await errorCount('configmap')).toBe(2);
    await cache.end();
  });
});

describe('while serving', () => {
  it('a changed template is rendered and loaded, an unchanged one is left alone', async () => {
    const cache = nodeCache();
    await cache.prepare();
    await serving(cache);
    clock.advance(30_000);
    expect(reloads).toBe(0);
    files.texts.set(BASE, TEMPLATE.replace('cache 30', 'cache 60'));
    clock.advance(10_000);
    expect(reloads).toBe(1);
    expect(files.texts.get('/etc/Corefile')).toContain('cache 60');
    await cache.end();
  });

  it('a changed template is loaded by a signal when told so', async () => {
    const cache = nodeCache([...FLAGS, '-reloadwithsignal']);
    await cache.prepare();
    await serving(cache);
    files.texts.set(BASE, TEMPLATE.replace('cache 30', 'cache 60'));
    clock.advance(10_000);
    expect([reloads, signals, log.lines.at(-1)]).toEqual([0, 1, '[INFO] Sending reload signal to PID 4711']);
    await cache.end();
  });

  it('a template that is gone does not take the Corefile away', async () => {
    const cache = nodeCache();
    await cache.prepare();
    await serving(cache);
    files.texts.set('/etc/coredns/other', '');
    files.texts.delete(BASE);
    clock.advance(10_000);
    expect(reloads).toBe(0);
    expect(files.texts.get('/etc/Corefile')).toBe(RENDERED);
    await cache.end();
  });

  it('link and rules are looked after each interval', async () => {
    const cache = nodeCache([...FLAGS, '-syncinterval', '30s']);
    await cache.prepare();
    await serving(cache);
    node.rules.clear();
    clock.advance(29_999);
    expect(node.saved()).toEqual([]);
    await clock.advanceAsync(1);
    await cache.closing();
    expect(log.lines.filter((line) => line.includes('Added back'))).toHaveLength(48);
    await cache.end();
  });

  it('metrics are served, with all counts from the start', async () => {
    const cache = nodeCache();
    await cache.prepare();
    const url = `http://127.0.0.1:${network.ports[0]}/metrics`;
    const response = await fetch(url);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const type of ['iptables', 'iptables_lock', 'interface_add', 'interface_check', 'configmap'])
      expect(text).toContain(`coredns_nodecache_setup_errors_total{errortype="${type}"} 0\n`);
    expect(text).toContain(
      '# HELP coredns_nodecache_setup_errors_total The number of errors during periodic ' +
        'network setup for node-cache\n# TYPE coredns_nodecache_setup_errors_total counter\n',
    );
    expect(text).toContain('process_resident_memory_bytes');
    await cache.end();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('metrics that cannot be served do not keep DNS from being served', async () => {
    const taken = await network.listenTcp({ address: '127.0.0.1', port: 0 }, () => undefined);
    const cache = nodeCache([...FLAGS.slice(0, -1), `127.0.0.1:${taken.local.port}`]);
    await cache.prepare();
    expect(started).toContain(
      `[ERROR] Failed to start metrics handler: node-cache: cannot listen on 127.0.0.1:${taken.local.port} (tcp)`,
    );
    expect(files.texts.get('/etc/Corefile')).toBe(RENDERED);
    await cache.end();
    taken.close();
  });
});

describe('an end', () => {
  const up = async (...more: string[]): Promise<NodeCache> => {
    const cache = nodeCache([...FLAGS, ...more]);
    await cache.prepare();
    await serving(cache);
    return cache;
  };

  it('takes the rules away first, and the link when the last answer has left', async () => {
    const cache = await up();
    await cache.closing();
    expect([node.saved().length, node.link('nodelocaldns') === undefined]).toEqual([0, false]);
    await cache.end();
    expect(node.link('nodelocaldns')).toBeUndefined();
    expect(log.lines.filter((line) => line.includes('Tearing'))).toEqual(['[INFO] Tearing down']);
  });

  it('leaves no timer', async () => {
    const cache = await up();
    await cache.end();
    expect(clock.pending).toBe(0);
  });

  it.each([
    { name: 'told to', more: ['-skipteardown'], handOver: false },
    { name: 'another process has taken over', more: [], handOver: true },
  ])('leaves everything behind when $name', async ({ more, handOver }) => {
    const cache = await up(...more);
    if (handOver) cache.handOver();
    await cache.closing();
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')?.addresses.length]).toEqual([SAVED, 2]);
    expect(clock.pending).toBe(0);
  });

  it('before serving leaves the link to whoever has it', async () => {
    const cache = nodeCache();
    await cache.prepare();
    await cache.end();
    expect(node.link('nodelocaldns')?.addresses).toHaveLength(2);
  });

  const OTHER = { address: '10.96.0.10', port: 53 };

  it('leaves link and rules to another process that serves at one of the addresses', async () => {
    const cache = await up();
    others = [OTHER];
    await cache.closing();
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')?.addresses.length]).toEqual([SAVED, 2]);
    expect(log.lines.at(-1)).toBe('[INFO] Another process serves at -localip: link and rules stay');
    expect(clock.pending).toBe(0);
  });

  it.each([
    { name: 'at another port', place: { ...OTHER, port: 9253 } },
    { name: 'at another address', place: { ...OTHER, address: '127.0.0.53' } },
    { name: 'at all addresses', place: { ...OTHER, address: '0.0.0.0' } },
  ])('takes them away where another process listens $name', async ({ place }) => {
    const cache = await up();
    others = [place];
    await cache.closing();
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')]).toEqual([[], undefined]);
  });

  it('takes them away when the other process ended while this one did', async () => {
    const cache = await up();
    others = [OTHER];
    await cache.closing();
    others = [];
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')]).toEqual([[], undefined]);
  });

  it('takes them away again when the other process put them back before it ended', async () => {
    const cache = await up();
    await cache.closing();
    await serving(nodeCache());
    expect(node.saved()).toEqual(SAVED);
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')]).toEqual([[], undefined]);
  });

  it('puts them back for a process that began meanwhile', async () => {
    const cache = await up();
    await cache.closing();
    const { run } = node;
    Object.assign(node, {
      run: (command: string, args: readonly string[], stdin?: string) => {
        if (args.join(' ') === 'link del nodelocaldns') others = [OTHER];
        return run(command, args, stdin);
      },
    });
    await cache.end();
    expect([node.saved(), node.link('nodelocaldns')?.addresses.length]).toEqual([SAVED, 2]);
  });
});
