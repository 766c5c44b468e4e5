import { expect, it } from 'vitest';
import { newStats, type Upstream } from '../../../src/exchange/index.js';
import { Metrics } from '../../../src/metrics/metrics.js';
import { forwardMetrics, type UpstreamMetrics } from '../../../src/plugins/forward/metrics.js';

/** What is shown of an upstream after something happened. */
async function shown(happens: (upstream: UpstreamMetrics) => void): Promise<string[]> {
  const metrics = new Metrics();
  happens(forwardMetrics(metrics).upstream('a:53'));
  const lines = (await metrics.text()).split('\n').filter((line) => line.includes('to="a:53"'));
  return lines.map((line) => line.replace('coredns_', '')).sort();
}

const upstream = (stats: Partial<ReturnType<typeof newStats>>, rest: object = {}): Upstream =>
  ({
    latency: undefined,
    slowest: undefined,
    isSilent: false,
    stats: { ...newStats(), ...stats },
    ...rest,
  }) as Upstream;

it.each<{ name: string; happens: (upstream: UpstreamMetrics) => void; want: string[] }>([
  { name: 'nothing', happens: (one) => one.observe(upstream({})), want: [] },
  {
    name: 'attempts without a reply',
    happens: (one) => [1, 2].forEach(() => one.unanswered()),
    want: ['forward_unanswered_total{to="a:53"} 2'],
  },
  {
    name: 'early queries, of which one won',
    happens: (one) => {
      one.hedged();
      one.hedged();
      one.hedgeWon();
    },
    want: ['forward_hedges_total{to="a:53"} 2', 'forward_hedges_won_total{to="a:53"} 1'],
  },
  {
    name: 'checks that failed',
    happens: (one) => one.healthCheckFailed(),
    want: ['proxy_healthcheck_failures_total{proxy_name="forward",to="a:53"} 1'],
  },
  {
    name: 'wrong replies, each once however often somebody looks',
    happens: (one) => {
      one.observe(upstream({ strays: 2, malformed: 1 }));
      one.observe(upstream({ strays: 5, malformed: 1 }));
      one.observe(upstream({ strays: 5, malformed: 1 }));
    },
    want: [
      'forward_wrong_replies_total{reason="format",to="a:53"} 1',
      'forward_wrong_replies_total{reason="id",to="a:53"} 5',
    ],
  },
  {
    name: 'how long replies take, in seconds, of one that answers',
    happens: (one) => one.observe(upstream({}, { latency: 20, slowest: 50 })),
    want: [
      'forward_upstream_latency_seconds{quantile="0.95",to="a:53"} 0.05',
      'forward_upstream_latency_seconds{quantile="mean",to="a:53"} 0.02',
      'forward_upstream_silent{to="a:53"} 0',
    ],
  },
  {
    name: 'one that does not answer',
    happens: (one) => one.observe(upstream({}, { isSilent: true })),
    want: ['forward_upstream_silent{to="a:53"} 1'],
  },
])('metrics show $name', async ({ happens, want }) => expect(await shown(happens)).toEqual(want));
