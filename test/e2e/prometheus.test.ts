import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { Gateway } from '../../src/lab/gateway/gateway.js';
import { Lab } from '../../src/lab/lab.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { Session } from '../../src/lab/session/session.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { Program } from '../support/program.js';

/** Whether the real program (Debian package `prometheus`) is there. */
function installed(): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const there = installed();
const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-prometheus-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!there)(
  `a real Prometheus${there ? '' : ' (not tried: there is no program "prometheus", the Debian package has it)'}`,
  () => {
    it('scrapes the cache hits of a server in the lab', async () => {
      const lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
      const gateway = new Gateway(lab, { host: new HostNetwork(), port: 0 });
      await gateway.open();
      const session = new Session(lab, { read: () => '' }, COMMANDS);
      const say = (line: string): Promise<number> => session.run(line, { write: () => undefined });
      await say('kubectl -n kube-system scale deploy/coredns --replicas 1');
      for (let time = 0; time < 3; time++) expect(await say('kubectl exec curl-pod -- nslookup google.com')).toBe(0);

      const url = new URL(gateway.http().find((entry) => entry.url.endsWith('/metrics'))!.url);
      const config = path.join(folder, 'prometheus.yml');
      writeFileSync(
        config,
        `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: coredns\n    metrics_path: ${url.pathname}\n    static_configs: [{ targets: ['${url.host}'] }]\n`,
      );
      const port = await freePort();
      const prometheus = new Program([
        'prometheus',
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      const query = async (text: string): Promise<readonly { value: [number, string] }[]> => {
        try {
          const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
          return ((await response.json()) as { data: { result: { value: [number, string] }[] } }).data.result;
        } catch {
          return [];
        }
      };
      try {
        // A and AAAA of google.com, asked twice more each within their thirty seconds.
        await expect
          .poll(() => query('coredns_cache_hits_total{type="success"}'), { timeout: 15_000, interval: 200 })
          .toMatchObject([{ value: [expect.any(Number), '4'] }]);
        expect(await query('up{job="coredns"}')).toMatchObject([{ value: [expect.any(Number), '1'] }]);
      } finally {
        await prometheus.stop();
        gateway.close();
        void session.close().then(() => lab.stop());
      }
    }, 30_000);
  },
);
