import { expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import { UpstreamLoads } from '../../src/top/upstreams.js';

it('upstreams are as busy and as slow as they were of late, what is older counting less', () => {
  const metrics = new Metrics('coredns');
  const took = metrics.histogram('proxy', 'request_duration_seconds', 'Time.', [1], ['to']);
  const unanswered = metrics.counter('forward', 'unanswered_total', 'Lost.', ['to']);
  const loads = new UpstreamLoads(metrics);
  expect(loads.loads(1000)).toEqual([]);

  took.with({ to: 'a:53' }).observe(0.5, 4);
  unanswered.with({ to: 'a:53' }).inc(2);
  unanswered.with({ to: 'b:53' }).inc(8);
  loads.tick(0.5);
  expect(loads.loads(2000)).toEqual([
    { to: 'a:53', rate: 2, latency: 0.5, unanswered: 1 },
    { to: 'b:53', rate: 0, latency: undefined, unanswered: 4 },
  ]);

  // Half of 4 and 2 more; half of 2 s and 3 s more.
  took.with({ to: 'a:53' }).observe(1.5, 2);
  unanswered.with({ to: 'a:53' }).inc(3);
  loads.tick(0.5);
  expect(loads.loads(1000)).toEqual([
    { to: 'a:53', rate: 4, latency: 1, unanswered: 4 },
    { to: 'b:53', rate: 0, latency: undefined, unanswered: 4 },
  ]);

  // A single answer tells how long it took, one that is long over no more.
  loads.tick(0.25);
  expect(loads.loads(1000)[0]).toEqual({ to: 'a:53', rate: 1, latency: 1, unanswered: 1 });
  loads.tick(1e-12);
  expect(loads.loads(1000)[0]!.latency).toBeUndefined();
});
