import { expect, it } from 'vitest';
import { auto } from '../../../src/plugins/auto/setup.js';
import { prometheus } from '../../../src/plugins/prometheus/setup.js';
import { linkChain } from '../../../src/chain/index.js';
import { directives, TestBlock } from '../../support/block.js';
import { query } from '../../support/dns.js';

it('counts queries under the zones that it serves, as they come and go', async () => {
  const text = 'prometheus\nauto {\ndirectory /z\nreload 1s\n}';
  const zone = '$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.1\n';
  const files: Record<string, string> = { '/z': '', '/z/db.a.test': zone };
  const block = new TestBlock({ zones: ['test.'], files });
  const made = [prometheus, auto].map((one) => one.setup(directives(text, one.name), block));
  block.chain = made.flatMap((one) => one ?? []);
  await block.run('start');
  const ask = async (name: string): Promise<void> => void (await linkChain(block.chain)(query(name)));
  const counted = async (): Promise<string[]> => {
    const lines = (await block.metrics.text()).split('\n');
    const pattern = /^coredns_dns_requests_total\{.*zone="([^"]*)".*\} (\d+)$/;
    return lines.flatMap((line) => pattern.exec(line)?.slice(1, 3).join(' ') ?? []).sort();
  };
  await ask('www.a.test.');
  await ask('www.b.test.');
  expect(await counted()).toEqual(['a.test. 1', 'test. 1']);
  files['/z/db.b.test'] = zone;
  await block.clock.advanceAsync(1000);
  await ask('www.b.test.');
  delete files['/z/db.a.test'];
  await block.clock.advanceAsync(1000);
  await ask('www.a.test.');
  expect(await counted()).toEqual(['a.test. 1', 'b.test. 1', 'test. 2']);
});
