import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import { LOSS_REASONS, Losses } from '../../src/net/losses.js';
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

  it.each([
    { errno: 11, name: 'EAGAIN', reason: 'buffer_full' },
    { errno: 12, name: 'ENOMEM', reason: 'buffer_full' },
    { errno: 105, name: 'ENOBUFS', reason: 'buffer_full' },
    { errno: 100, name: 'ENETDOWN', reason: 'unreachable' },
    { errno: 101, name: 'ENETUNREACH', reason: 'unreachable' },
    { errno: 112, name: 'EHOSTDOWN', reason: 'unreachable' },
    { errno: 113, name: 'EHOSTUNREACH', reason: 'unreachable' },
    { errno: 1, name: 'EPERM', reason: 'refused' },
    { errno: 13, name: 'EACCES', reason: 'refused' },
    { errno: 90, name: 'EMSGSIZE', reason: 'other' },
  ])('by $name are $reason', ({ errno, reason }) => {
    const losses = new Losses();
    losses.count(errno);
    losses.count(errno, 4);
    const counted = LOSS_REASONS.filter((each) => losses.of(each) > 0).map((each) => [each, losses.of(each)]);
    expect(counted).toEqual([[reason, 5]]);
  });
});
