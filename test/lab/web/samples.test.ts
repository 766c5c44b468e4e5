import { expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import type { ServerSpan } from '../../../src/lab/trace/tracer.js';
import type { LiveSample } from '../../../src/lab/web/api.js';
import { Samples } from '../../../src/lab/web/samples.js';

/** As the page draws them: a sample every two seconds, of the last ten minutes. */
const SAMPLE_PERIOD = 2000;
const KEPT = 300;

const visit = (
  server: string,
  answeredBy: string | undefined,
  plugins: string[],
  took: number | undefined,
): ServerSpan => ({
  server,
  name: 'example.org.',
  type: 'A',
  transport: 'udp',
  remote: { address: '10.0.0.1', port: 1 },
  local: { address: '10.0.0.2', port: 53 },
  depth: 0,
  started: 100,
  plugins,
  notes: [],
  questions: [],
  answeredBy,
  rcode: 'NOERROR',
  ended: took === undefined ? undefined : 100 + took,
});

function world(): {
  readonly clock: ManualClock;
  readonly samples: Samples;
  readonly told: LiveSample[];
  readonly counters: { packets: number; cpu: number };
} {
  const clock = new ManualClock();
  const counters = { packets: 10, cpu: 5 };
  const told: LiveSample[] = [];
  return {
    clock,
    counters,
    told,
    samples: new Samples({ clock, packets: () => counters.packets, cpu: () => counters.cpu }, (sample) =>
      told.push(sample),
    ),
  };
}

it('counts hits, misses and time of each server, and what the whole lab took', () => {
  const { clock, samples, told, counters } = world();
  samples.count(visit('kube-system/coredns', 'cache', ['cache'], 1));
  samples.count(visit('kube-system/coredns', 'kubernetes', ['cache', 'kubernetes'], 3));
  samples.count(visit('kube-system/coredns', 'kubernetes', ['kubernetes'], undefined));
  samples.count(visit('resolver', 'hosts', ['hosts'], 2));
  Object.assign(counters, { packets: 25, cpu: 9 });
  clock.advance(SAMPLE_PERIOD - 1);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([
    {
      time: clock.now(),
      period: SAMPLE_PERIOD,
      packets: 15,
      cpu: 4,
      servers: {
        'pod/kube-system/coredns': { queries: 3, hits: 1, misses: 1, time: 4 },
        'host/resolver': { queries: 1, hits: 0, misses: 0, time: 2 },
      },
    },
  ]);
  clock.advance(SAMPLE_PERIOD);
  expect(told[1]).toMatchObject({ servers: {}, packets: 0, cpu: 0 });
});

it('keeps the newest, and ends when it is closed', () => {
  const { clock, samples, told } = world();
  clock.advance(SAMPLE_PERIOD * (KEPT + 5));
  expect(samples.list()).toEqual(told.slice(-KEPT));
  samples.close();
  clock.advance(SAMPLE_PERIOD * 5);
  expect(told).toHaveLength(KEPT + 5);
  expect(clock.pending).toBe(0);
});
