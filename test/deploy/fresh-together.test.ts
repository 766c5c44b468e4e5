import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderCorefile } from '../../src/nodelocal/corefile-template.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { objectOf, objectsIn } from './addon.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const corefileOf = (file: string, name: string): string =>
  objectOf(objectsIn(readFileSync(path.join(ROOT, 'deploy', file), 'utf8')), 'ConfigMap', name).data!.Corefile!;

/** At drawn ports of the loopback interface, without what others ask and what needs time. */
const onLoopback = (text: string): string =>
  text
    .replace(/^( *)bind .*\n/gm, '')
    .replace(/:53 \{\n/g, ':0 {\n    bind 127.0.0.1\n')
    .replace(/^ *(?:loop|reload|ready|prometheus .*|health .*\{\n.*\n *\}|health .*)\n/gm, '')
    .replace('/etc/resolv.conf', '127.0.0.1:1');

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: made-later, namespace: default}
spec: {clusterIP: 10.96.9.9, ports: [{port: 80}]}
`;
const SOON = { timeout: 15_000, interval: 10 };
const QUESTION = { name: 'made-later.default.svc.cluster.local.', type: 1 };

describe('the Corefiles of the cluster DNS and of the node cache, side by side', () => {
  let dir: string;
  const servers: Server[] = [];
  const start = async (corefile: string, metrics = new Metrics()): Promise<Server> => {
    const server = await Server.create({ corefile, log: new TestLog(), network: new HostNetwork(), metrics });
    servers.push(server);
    await server.listen();
    return server;
  };

  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-fresh-'));
    cpSync(path.join(ROOT, 'corefiles/cluster'), dir, { recursive: true });
  });
  afterEach(async () => {
    for (const server of servers.splice(0).reverse()) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each([{ file: 'node-local-dns.yaml' }, { file: 'node-local-dns-lrp.yaml' }])(
    'have a node know what is made in the cluster ($file)',
    async ({ file }) => {
      const cluster = await start(
        onLoopback(corefileOf('cluster-dns.yaml', 'nodens'))
          .replaceAll('__PILLAR__DNS__DOMAIN__', 'cluster.local')
          .replace('__PILLAR__NODE__NETWORK__', '127.0.0.0/8')
          .replace(/(kubernetes [^{]*\{)/, `$1\n        manifests ${dir}`),
      );
      const metrics = new Metrics();
      const { text } = renderCorefile(onLoopback(corefileOf(file, 'node-local-dns')), {
        ...{ localIps: ['127.0.0.1'], dnsPort: 53, domain: 'cluster.local', prometheus: ':0' },
        clusterDns: `127.0.0.1:${cluster.banner()[0]!.replace(/.*:(\d+).*/, '$1')}`,
        kubeDns: { stubDomains: new Map(), upstreamNameservers: ['127.0.0.1:1'] },
      });
      const node = await start(text, metrics);
      await expect.poll(() => metrics.text(), SOON).toMatch(/^coredns_subscribe_push_enabled\S* 1$/m);
      // Both keep that.
      for (const server of [cluster, node]) expect((await server.inject(QUESTION))?.rcode).toBe(3);
      writeFileSync(path.join(dir, 'service.yaml'), SERVICE);
      await expect.poll(async () => (await node.inject(QUESTION))?.rcode, SOON).toBe(0);
      expect(await metrics.text()).toMatch(/^coredns_subscribe_changes_total\S* [1-9]/m);
    },
  );
});
