import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COREDNS, Cluster } from './cluster.js';
import { findEngine } from './engine.js';
import { testImage } from './image.js';
import { ROOT } from './project.js';
import { run, works } from './run.js';

const found = findEngine();
const engine = typeof found === 'string' ? undefined : found;
if (typeof found === 'string') console.log(`test/e2e/compose: ${found}; skipped`);

const STEPS = [
  'google.com.default.svc.cluster.local.',
  'google.com.svc.cluster.local.',
  'google.com.cluster.local.',
  'google.com.davolink.',
  'google.com.',
];
const POD = '172.20.1.236';
/** In one go, because what does not exist is kept for five seconds. */
const TWICE = 'nslookup google.com; nslookup google.com';

/** The rules and links of this machine, which are none of the containers' business. */
const ofThisMachine = async (): Promise<string> =>
  (await run(['ip', '-br', 'link'])) + (works('nft', '--version') ? await run(['nft', 'list', 'tables']) : '');

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });

describe.skipIf(!engine)(`docker-compose.yml in ${engine?.name}`, () => {
  let before: string;
  let port: number;

  beforeAll(async () => {
    before = await ofThisMachine();
    port = await freePort();
    await engine!.start();
  });

  afterAll(() => engine!.stop());

  /** Runs the tests of a profile while it is up. */
  function profile(name: string, tests: (cluster: Cluster) => void): void {
    describe(`profile ${name}`, () => {
      const cluster = new Cluster(engine!, name, () => port);
      beforeAll(() => cluster.up());
      afterAll(() => cluster.down());
      tests(cluster);

      it.each(cluster.project.checked)('is healthy at %s', async (service, check) => {
        await expect
          .poll(() => cluster.project.exec(service, 'sh', '-c', `${check} && echo yes`), {
            timeout: 20_000,
            interval: 500,
          })
          .toMatch(/yes\n$/);
      });

      it('ends at once when asked to, all of it in order', async () => {
        const started = performance.now();
        const codes = await cluster.project.stop();
        // One that takes no SIGTERM would be killed after half a minute, with 137 as its exit code. On an idle
        // machine it takes four seconds, and where a cache goes on for what still comes, nine.
        expect(performance.now() - started).toBeLessThan(29_000);
        expect(codes).toEqual(cluster.project.services.map(() => 0));
      });
    });
  }

  profile('cluster', (cluster) => {
    it('runs servers as nobody, without a right and with a file system that cannot be written to', async () => {
      const status = await cluster.project.exec('coredns-vvgfm', 'cat', '/proc/1/status');
      for (const line of [/^Uid:\t65534\t/m, /^CapPrm:\t0+$/m, /^CapBnd:\t0+$/m]) expect(status).toMatch(line);
      await expect(cluster.project.exec('coredns-vvgfm', 'touch', '/nodens/file')).rejects.toThrow(
        'Read-only file system',
      );
    });

    it('plays a lesson of the lab in a container too', async () =>
      expect(await cluster.inPod('/nodens/bin/nodens', 'lab', 'run', 'names')).toContain('Address: 142.250.196.110'));

    it('gives a pod its resolv.conf and one way out', async () => {
      expect(await cluster.inPod('cat', '/etc/resolv.conf')).toBe(
        'search default.svc.cluster.local svc.cluster.local cluster.local Davolink\nnameserver 10.96.0.10\noptions ndots:5\n',
      );
      expect(await cluster.inPod('ip', 'route')).toMatch(
        /^default via 172\.20\.1\.1 dev eth0 \n172\.20\.1\.1 dev eth0 scope link ?\n$/,
      );
    });

    it.each([
      { query: 'webpod +search', want: '10.96.152.212\n' },
      { query: 'webpod.default.svc.cluster.local +tcp', want: '10.96.152.212\n' },
      { query: '-x 10.96.152.212', want: 'webpod.default.svc.cluster.local.\n' },
      {
        query: '_dns._udp.kube-dns.kube-system.svc.cluster.local SRV',
        want: '0 100 53 kube-dns.kube-system.svc.cluster.local.\n',
      },
      { query: 'google.com +search', want: '142.250.196.110\n' },
    ])('answers dig $query', async ({ query, want }) =>
      expect(await cluster.inPod('dig', '+short', ...query.split(' '))).toBe(want),
    );

    it('leads webpod to one of its pods, which says so', async () => {
      const said = await cluster.inPod('curl', '-s', 'webpod');
      expect(said).toMatch(/^Hostname: webpod-556878d5d7-(7p8bn|r4dmh)\n/);
      expect(said).toMatch(/^RemoteAddr: 172\.20\.1\.236:\d+\nGET \/ HTTP\/1\.1\nHost: webpod\n/m);
    });

    it('answers on the other node as well', async () =>
      expect(await cluster.project.exec('curl-pod-w1', 'dig', '+short', '+search', 'webpod')).toBe('10.96.152.212\n'));

    it('shows nslookup what it showed on the real cluster', async () => {
      const seen = await cluster.during(() => cluster.inPod('nslookup', 'google.com'));
      expect(seen.output).toContain(';; Got recursion not available from 10.96.0.10');
      expect(seen.output).toMatch(
        /Server:\s+10\.96\.0\.10\nAddress:\s+10\.96\.0\.10#53\n\n(Non-authoritative answer:\n)?Name:\s+google\.com\nAddress: 142\.250\.196\.110\nName:\s+google\.com\nAddress: 2404:6800:4004:825::200e\n/,
      );
      // Question and sizes as in the transcripts; a name that the pod asked for before comes from the cache, with AA.
      const answers = cluster
        .atCoredns(seen)
        .map(({ type, name, rest }) => `${type} ${name} ${rest.replace('qr,aa,rd,ra', 'qr,rd,ra')}`)
        .sort();
      expect(answers).toEqual(
        [
          'A google.com.default.svc.cluster.local. 54 false 512" NXDOMAIN qr,aa,rd 147',
          'A google.com.svc.cluster.local. 46 false 512" NXDOMAIN qr,aa,rd 139',
          'A google.com.cluster.local. 42 false 512" NXDOMAIN qr,aa,rd 135',
          'A google.com.davolink. 37 false 512" NXDOMAIN qr,rd,ra 112',
          'A google.com. 28 false 512" NOERROR qr,rd,ra 54',
          'AAAA google.com. 28 false 512" NOERROR qr,rd,ra 66',
        ].sort(),
      );
    });

    it('takes ten queries for a name outside, with ndots:5, in the order of the search list', async () => {
      const seen = await cluster.during(() => cluster.inPod('getent', 'ahosts', 'google.com'));
      expect(seen.output).toContain('142.250.196.110');
      const asked = cluster.atCoredns(seen);
      expect(asked.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
        STEPS.flatMap((name) => [`A ${name}`, `AAAA ${name}`]).sort(),
      );
      // The service spreads steps over two pods, and each pod sees those that it got in order.
      for (const pod of COREDNS) {
        const steps = seen.logged(pod).map(({ name }) => STEPS.indexOf(name));
        expect(steps).toEqual([...steps].sort((a, b) => a - b));
      }
      expect(asked.every(({ from, protocol }) => from === POD && protocol === 'udp')).toBe(true);
    });

    it('lets the node translate the service and masquerade what leaves the cluster', async () => {
      const seen = await cluster.during(() => cluster.inPod('dig', '+short', 'cloudflare.com'));
      expect(seen.output).toBe('104.16.133.229\n');
      expect(
        seen
          .logged('resolver')
          .map(({ from, name, protocol }) => ({ node: /^10\.0\.2\.1[56]$/.test(from), name, protocol })),
      ).toEqual([{ node: true, name: 'cloudflare.com.', protocol: 'udp' }]);
      expect(await cluster.tracked(POD)).toMatch(
        /dst=10\.96\.0\.10 sport=\d+ dport=53 src=172\.20\.(1\.144|0\.186) dst=172\.20\.1\.236 sport=53/,
      );
    });
  });

  profile('node-local', (cluster) => {
    it('has link and rules on the node, in a container without a writable file system', async () => {
      await expect
        .poll(() => cluster.onNode('sh', '-c', 'iptables-save | grep -c "NodeLocal DNS Cache"'), {
          timeout: 20_000,
          interval: 500,
        })
        .toBe('24\n');
      expect(await cluster.onNode('ip', '-br', 'address', 'show', 'nodelocaldns')).toMatch(
        /169\.254\.20\.10\/32 10\.96\.0\.10\/32/,
      );
    });

    it('asks the cluster DNS by TCP for names of the cluster, and the resolver by UDP for the others', async () => {
      const seen = await cluster.during(() => cluster.inPod('nslookup', 'google.com'));
      expect(seen.logged('node-cache-ctr').map(({ name }) => name)).toEqual([...STEPS, 'google.com.']);
      expect(seen.logged('node-cache-ctr').every(({ from }) => from === POD)).toBe(true);
      expect(
        cluster
          .atCoredns(seen)
          .map(({ name, protocol }) => [name, protocol])
          .sort(),
      ).toEqual(
        STEPS.slice(0, 3)
          .map((name) => [name, 'tcp'])
          .sort(),
      );
      // From the node: by its address on the pods' side towards its own pod, by that between nodes towards the other
      // one.
      expect(cluster.atCoredns(seen).every(({ from }) => /^(172\.20\.1\.1|192\.168\.10\.100)$/.test(from))).toBe(true);
      expect(seen.logged('resolver').map(({ from, name, protocol }) => [from, name, protocol])).toEqual(
        ['google.com.davolink.', 'google.com.', 'google.com.'].map((name) => ['10.0.2.15', name, 'udp']),
      );
    });

    it('answers from the cache of the node the second time, and counts it', async () => {
      const hits = async (): Promise<number> =>
        [...(await cluster.metrics('172.20.1.1:9253')).matchAll(/^coredns_cache_hits_total\S* (\d+)$/gm)].reduce(
          (sum, [, count]) => sum + Number(count),
          0,
        );
      const earlier = await hits();
      const seen = await cluster.during(() => cluster.inPod('sh', '-c', TWICE));
      expect(seen.logged('node-cache-ctr')).toHaveLength(12);
      expect([...cluster.atCoredns(seen), ...seen.logged('resolver')].length).toBeLessThanOrEqual(6);
      expect((await hits()) - earlier).toBeGreaterThanOrEqual(6);
    });

    it("keeps the pod's queries out of connection tracking", async () => expect(await cluster.tracked(POD)).toBe(''));

    it('is scraped by Prometheus, as all servers are', async () => {
      const up = ['coredns-gbnm8', 'coredns-vvgfm', 'node-cache-ctr', 'node-cache-w1', 'resolver'];
      await expect
        .poll(async () => (await cluster.query('up == 1')).map(({ pod }) => pod).sort(), {
          timeout: 20_000,
          interval: 500,
        })
        .toEqual(up);
    });

    it('fills each panel of the dashboard (Grafana itself is not run, there is no Debian package: each expression is asked of Prometheus)', async () => {
      const expressions = dashboardExpressions();
      expect(expressions.length).toBeGreaterThanOrEqual(10);
      // Rates need two scrapes with queries before and between them.
      await expect
        .poll(
          async () => {
            await cluster.inPod('nslookup', 'google.com');
            await cluster.inPod('nslookup', 'ubuntu.com');
            const empty: string[] = [];
            for (const expression of expressions) {
              const series = await cluster.query(expression);
              if (!series.some(({ value }) => Number.isFinite(value))) empty.push(expression);
            }
            return empty;
          },
          { timeout: 50_000, interval: 1000 },
        )
        .toEqual([]);
      // Every query that the node cache took cost something, and most were hits.
      const [cost] = await cluster.query(
        `sum(rate(process_cpu_seconds_total{pod="node-cache-ctr"}[1m])) / sum(rate(coredns_dns_requests_total{pod="node-cache-ctr"}[1m]))`,
      );
      expect(cost!.value).toBeGreaterThan(0);
      expect(cost!.value).toBeLessThan(1);
    });

    it('leaves the node as it was when its cache ends: queries go to the cluster DNS again', async () => {
      await cluster.project.restart('node-cache-ctr', 'stop');
      expect(await cluster.onNode('sh', '-c', 'iptables-save; ip link')).not.toMatch(/nodelocal/i);
      const seen = await cluster.during(() => cluster.inPod('dig', '+short', '+search', 'webpod'));
      expect(seen.output).toBe('10.96.152.212\n');
      expect(cluster.atCoredns(seen).map(({ from, protocol }) => [from, protocol])).toEqual([[POD, 'udp']]);
      await cluster.project.restart('node-cache-ctr', 'start');
    });
  });

  profile('redirect', (cluster) => {
    const REDIRECTED = '10.96.0.10:53 leads to the cache of this node, 172.20.1.211';
    const redirect = async (): Promise<string[]> => (await cluster.project.logs(['redirect-ctr'])).get('redirect-ctr')!;
    const redirected = (times: number): Promise<void> =>
      expect
        .poll(async () => (await redirect()).filter((line) => line === REDIRECTED).length, {
          timeout: 40_000,
          interval: 300,
        })
        .toBe(times);

    it("leads the service's address to the cache of the node, and changes no resolv.conf", async () => {
      await redirected(1);
      expect(await cluster.inPod('cat', '/etc/resolv.conf')).toContain('nameserver 10.96.0.10\n');
      expect(await cluster.inPod('dig', 'webpod', '+search')).toMatch(
        /SERVER: 10\.96\.0\.10#53\(10\.96\.0\.10\) \(UDP\)/,
      );
      expect(await cluster.tracked(POD)).toMatch(
        /dst=10\.96\.0\.10 sport=\d+ dport=53 src=172\.20\.1\.211 dst=172\.20\.1\.236 sport=53/,
      );
    });

    it('asks the cluster DNS by TCP for names of the cluster, and the resolver by UDP for the others', async () => {
      const seen = await cluster.during(() => cluster.inPod('nslookup', 'google.com'));
      expect(seen.logged('node-local-dns-ctr').map(({ from, name }) => [from, name])).toEqual(
        [...STEPS, 'google.com.'].map((name) => [POD, name]),
      );
      expect(
        cluster
          .atCoredns(seen)
          .map(({ from, name, protocol }) => [from, name, protocol])
          .sort(),
      ).toEqual(
        STEPS.slice(0, 3)
          .map((name) => ['172.20.1.211', name, 'tcp'])
          .sort(),
      );
      expect(seen.logged('resolver').map(({ from, name, protocol }) => [from, name, protocol])).toEqual(
        ['google.com.davolink.', 'google.com.', 'google.com.'].map((name) => ['10.0.2.15', name, 'udp']),
      );
    });

    it('answers from that cache the second time', async () => {
      const seen = await cluster.during(() => cluster.inPod('sh', '-c', TWICE));
      expect(seen.logged('node-local-dns-ctr')).toHaveLength(12);
      expect([...cluster.atCoredns(seen), ...seen.logged('resolver')].length).toBeLessThanOrEqual(6);
    });

    it('has what the page on it says to type', async () => {
      const page = readFileSync(path.join(ROOT, 'deploy/README.md'), 'utf8');
      const commands = [...page.matchAll(/^\$ docker compose exec ([\w-]+) (.*)$/gm)].map(
        ([, service = '', command = '']) => ({ service, command }),
      );
      expect(commands.length).toBeGreaterThanOrEqual(4);
      for (const { service, command } of commands) {
        // What runs until it is interrupted gets something to show, and an end: by time, for the first packets may be
        // those of a connection that closes.
        const endless = command.startsWith('tcpdump');
        let isRunning = endless;
        const output = cluster.project
          .exec(service, 'sh', '-c', endless ? `timeout 4 ${command} || [ $? = 124 ]` : command)
          .finally(() => (isRunning = false));
        while (isRunning) await cluster.inPod('dig', '+short', 'webpod.default.svc.cluster.local');
        expect(await output, command).toMatch(/10\.96\.0\.10|172\.20\.1\.236/);
      }
    });

    it('leaves other ports of the service where they were', async () =>
      expect(await cluster.metrics('10.96.0.10:9153')).toContain('coredns_build_info'));

    it('falls back to the cluster DNS while the cache is gone', async () => {
      await cluster.project.restart('node-local-dns-ctr', 'stop');
      await expect
        .poll(redirect, { timeout: 40_000, interval: 300 })
        .toContain('the cache of this node is not ready: 10.96.0.10:53 leads to the cluster DNS');
      const seen = await cluster.during(() => cluster.inPod('dig', '+short', '+search', 'webpod'));
      expect(seen.output).toBe('10.96.152.212\n');
      expect(cluster.atCoredns(seen).map(({ from, protocol }) => [from, protocol])).toEqual([[POD, 'udp']]);
      await cluster.project.restart('node-local-dns-ctr', 'start');
      await redirected(2);
    });
  });

  describe('the image for clusters', () => testImage(engine!));

  it('leaves links and rules of this machine as they were', async () => {
    await engine!.stop();
    expect(await ofThisMachine()).toBe(before);
  });
});

/**
 * The expressions of the dashboard that Grafana is provisioned with, with the variable that Grafana itself would fill
 * in.
 */
function dashboardExpressions(): string[] {
  const dashboard = JSON.parse(readFileSync(path.join(ROOT, 'deploy/compose/grafana/dashboards/dns.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '30s')),
  );
}
