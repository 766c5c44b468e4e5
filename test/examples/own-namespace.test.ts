import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rcode, rcodeName, type Message } from '../../src/wire/index.js';
import { texts } from '../support/dns.js';
import { running, type Running } from '../support/running.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const EXAMPLE = path.join(ROOT, 'examples/own-namespace');
const read = (file: string): string => readFileSync(path.join(EXAMPLE, file), 'utf8');

const [SHOP, BILLING, SCRAPER, STRANGER] = ['127.0.10.1', '127.0.10.2', '127.0.10.3', '127.0.10.9'];

const addressesIn = ({ answer }: Message): string[] => texts(answer).map((text) => text.split(' ').at(-1)!);

describe('examples/own-namespace', () => {
  let cluster: Running;
  let node: Running;
  beforeAll(async () => {
    const started = { cwd: ROOT, env: { NODENS_PORT: '0' } };
    cluster = await running(read('cluster.Corefile'), started);
    const clusterDns = `127.0.0.1:${cluster.port}`;
    const env = { ...started.env, NODENS_CLUSTER_DNS: clusterDns, NODENS_UPSTREAM: clusterDns };
    node = await running(read('Corefile'), { ...started, env });
    // Nobody waits for the pods to be read: until then nobody is one.
    await vi.waitFor(
      async () => expect((await node.ask('api.red.svc.cluster.local.', 'A', { from: SHOP })).rcode).toBe(Rcode.NOERROR),
      { timeout: 10_000 },
    );
  });
  afterAll(async () => {
    await node.stop();
    await cluster.stop();
  });

  it.each([
    { who: 'shop, of red', from: SHOP, name: 'api.red.svc.cluster.local.', want: '10.96.0.10' },
    { who: 'shop, of red', from: SHOP, name: 'api.blue.svc.cluster.local.', want: '10.96.0.20' },
    { who: 'shop, of red', from: SHOP, name: 'db.blue.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'shop, of red', from: SHOP, name: 'api.metrics.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'shop, of red', from: SHOP, name: 'none.red.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'billing, of blue', from: BILLING, name: 'db.blue.svc.cluster.local.', want: '10.96.0.21' },
    { who: 'billing, of blue', from: BILLING, name: 'api.red.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'billing, of blue', from: BILLING, name: 'api.metrics.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'scraper, of blue', from: SCRAPER, name: 'api.metrics.svc.cluster.local.', want: '10.96.0.30' },
    { who: 'scraper, of blue', from: SCRAPER, name: 'api.red.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'no pod', from: STRANGER, name: 'api.red.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'no pod', from: STRANGER, name: 'api.blue.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'no pod', from: STRANGER, name: 'api.metrics.svc.cluster.local.', want: 'NXDOMAIN' },
    // Names of namespaces end as those of their services do.
    { who: 'shop, of red', from: SHOP, name: 'red.svc.cluster.local.', want: 'NOERROR' },
    { who: 'shop, of red', from: SHOP, name: 'api.bigred.svc.cluster.local.', want: 'NXDOMAIN' },
    { who: 'billing, of blue', from: BILLING, name: '10.0.96.10.in-addr.arpa.', type: 'PTR', want: 'NXDOMAIN' },
    // Asked of the upstream, which serves no such zone.
    { who: 'no pod', from: STRANGER, name: 'www.example.org.', want: 'REFUSED' },
  ])('$who, gets $want for $name', async ({ from, name, type = 'A', want }) => {
    const answer = await node.ask(name, type, { from });
    expect(addressesIn(answer)[0] ?? rcodeName(answer.rcode)).toBe(want);
  });

  it('answers nobody from what was kept for another', async () => {
    const rcodes: string[] = [];
    for (const from of [BILLING, SHOP, BILLING, STRANGER])
      rcodes.push(rcodeName((await node.ask('db.blue.svc.cluster.local.', 'A', { from })).rcode));
    expect(rcodes).toEqual(['NOERROR', 'NXDOMAIN', 'NOERROR', 'NXDOMAIN']);
  });

  it('is as its page shows it', async () => {
    const shown = [...read('README.md').matchAll(/^\$ dig \+short -b (\S+) .* (\S+)\n((?:\d.*\n)*)/gm)];
    expect(shown).toHaveLength(4);
    for (const [, from = '', name = '', want = ''] of shown) {
      const answer = await node.ask(`${name}.`, 'A', { from });
      expect(
        addressesIn(answer)
          .map((address) => `${address}\n`)
          .join(''),
      ).toBe(want);
    }
  });
});
