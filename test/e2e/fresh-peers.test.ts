import { afterEach, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { DebianServer, freePort, isInstalled } from '../support/debian-server.js';
import { until } from '../support/kube.js';
import { running } from '../support/running.js';

const ZONE =
  '$ORIGIN cluster.local.\n@ 5 IN SOA ns hostmaster 1 2 3 4 5\n@ 5 IN NS ns\nns 5 IN A 192.0.2.53\nweb 5 IN A 192.0.2.1\n';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** unbound, with the zone as data of its own. */
async function unbound(): Promise<number> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-fresh-'));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const conf = `server:\n  interface: 127.0.0.1@${port}\n  username: ""\n  chroot: ""\n  use-syslog: no\n  pidfile: "${dir}/pid"\n  local-zone: "cluster.local." static\n  local-data: "web.cluster.local. 5 IN A 192.0.2.1"\nremote-control:\n  control-enable: no\n`;
  writeFileSync(path.join(dir, 'conf'), conf);
  const child = spawn('unbound', ['-d', '-c', path.join(dir, 'conf')], { stdio: 'ignore' });
  ends.push(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return port;
}

const authoritative =
  (start: () => Promise<DebianServer>): (() => Promise<number>) =>
  async () => {
    const server = await start();
    ends.push(() => server.stop());
    return server.port;
  };

const PEERS = [
  { program: 'nsd', start: authoritative(() => DebianServer.nsd('cluster.local', ZONE)) },
  { program: 'named', start: authoritative(() => DebianServer.named('cluster.local', ZONE)) },
  { program: 'knotd', start: authoritative(() => DebianServer.knot('cluster.local', ZONE)) },
  { program: 'unbound', start: unbound },
].filter(({ program }) => {
  const found = isInstalled(program);
  if (!found) console.log(`test/e2e/fresh-peers: ${program} is not installed; skipped`);
  return found;
});

describe.skipIf(PEERS.length === 0)('upstreams that know no stateful operations', () => {
  it.each(PEERS)('$program: is asked once, and answers as before', async ({ start }) => {
    const port = await start();
    const node = await running(
      `cluster.local:0 {\n bind 127.0.0.1\n cache\n subscribe\n forward . 127.0.0.1:${port} {\n force_tcp\n }\n}`,
    );
    ends.push(() => node.stop());
    await until(() => node.log.some((line) => line.includes('does not tell of changes')), node.log.join('\n'));
    const metrics = await node.server.runtime.metrics.text();
    expect(metrics).toContain(`coredns_subscribe_ended_total{reason="refused",to="127.0.0.1:${port}"} 1`);
    let addresses: unknown[] = [];
    for (let tries = 0; tries < 50 && addresses.length === 0; tries++)
      addresses = (await node.ask('web.cluster.local.')).answer.map(({ rdata }) => [...rdata]);
    expect(addresses).toEqual([[192, 0, 2, 1]]);
  });
});
