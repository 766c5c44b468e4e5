import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import { Losses } from '../../src/net/losses.js';
import { showLosses } from '../../src/server/losses.js';

describe('datagrams that were lost on their way out', () => {
  it('show by reason, those of all threads and sockets together', async () => {
    const metrics = new Metrics();
    const [threads, sockets] = [new Losses(), new Losses()];
    showLosses(metrics, [threads, undefined, sockets]);
    expect(await metrics.text()).not.toContain('unsent');
    for (const errno of [11, 105, 101, 113, 1, 90]) new Losses(threads.memory).count(errno);
    sockets.add('buffer_full', 5);
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('coredns_dns_unsent'));
    expect(lines).toEqual([
      'coredns_dns_unsent_datagrams_total{reason="buffer_full"} 7',
      'coredns_dns_unsent_datagrams_total{reason="other"} 1',
      'coredns_dns_unsent_datagrams_total{reason="refused"} 1',
      'coredns_dns_unsent_datagrams_total{reason="unreachable"} 2',
    ]);
  });
});
