import { expect, it } from 'vitest';
import type { ManualClock } from '../../src/lib/clock.js';
import { countRefused } from '../../src/server/refused.js';
import { TestBlock } from '../support/block.js';
import { query } from '../support/dns.js';

it('counts what reaches no server block, with the time that it took', async () => {
  const { runtime } = new TestBlock();
  const clock = runtime.clock as ManualClock;
  const count = countRefused(runtime);
  for (const time of [250, 1250]) {
    const asked = query('a.example.', 'A', { received: clock.monotonic() });
    clock.advance(time);
    count(asked);
  }
  const lines = (await runtime.metrics.text()).split('\n').filter((line) => line.includes('zone="dropped"'));
  expect(lines.filter((line) => /_(?:count|sum|total)\{/.test(line)).map((line) => line.replace(/\{.*\}/, ''))).toEqual(
    expect.arrayContaining([
      'coredns_dns_request_duration_seconds_sum 1.5',
      'coredns_dns_request_duration_seconds_count 2',
      'coredns_dns_requests_total 2',
      'coredns_dns_responses_total 2',
    ]),
  );
  expect(lines.find((line) => line.startsWith('coredns_dns_responses_total'))).toContain('rcode="REFUSED"');
});
