import fc from 'fast-check';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { Metrics, SLIM_TIME_BOUNDS, TIME_BOUNDS } from '../../src/metrics/metrics.js';
import { familyText } from '../../src/metrics/text.js';

describe('the text exposition format', () => {
  it.each<{ name: string; labels: Record<string, string>; value: number; want: string }>([
    { name: 'no labels', labels: {}, value: 1, want: 'a_b 1' },
    { name: 'labels in their order', labels: { z: '1', a: '2' }, value: 0.5, want: 'a_b{z="1",a="2"} 0.5' },
    { name: 'what has to be escaped', labels: { l: 'a"b\\c\nd' }, value: 0, want: 'a_b{l="a\\"b\\\\c\\nd"} 0' },
    { name: 'infinity', labels: {}, value: Infinity, want: 'a_b +Inf' },
    { name: 'less than all', labels: {}, value: -Infinity, want: 'a_b -Inf' },
    { name: 'no number', labels: {}, value: NaN, want: 'a_b NaN' },
    { name: 'a large number', labels: {}, value: 1e21, want: 'a_b 1e+21' },
  ])('$name', ({ labels, value, want }) =>
    expect(familyText({ name: 'a_b', help: 'x\\y\nz', type: 'gauge' }, [{ name: 'a_b', labels, value }])).toBe(
      `# HELP a_b x\\\\y\\nz\n# TYPE a_b gauge\n${want}\n`,
    ),
  );

  it('is what prom-client writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.double({ noNaN: true })), { minLength: 1, maxLength: 5 }),
        async (help, series) => {
          fc.pre(help !== '');
          const registry = new Registry();
          const theirs = new Gauge({ name: 'a_b', help, labelNames: ['l'], registers: [registry] });
          const samples = [...new Map(series)].map(([l, value]) => ({ name: 'a_b', labels: { l }, value }));
          for (const { labels, value } of samples) theirs.set(labels, value);
          const ours = familyText({ name: 'a_b', help, type: 'gauge' }, samples);
          expect(ours).toBe(await registry.metrics());
        },
      ),
    );
  });
});

it('a family without series is left out, and families stand by name', async () => {
  const metrics = new Metrics('n');
  metrics.counter('b', 'two', 'Second.').with().inc(2);
  metrics.gauge('c', 'none', 'Nothing.', ['l']);
  metrics.histogram('a', 'one', 'First.', [1, 2_000_000]).with().observe(1.5);
  expect(await metrics.text()).toBe(
    [
      '# HELP n_a_one First.',
      '# TYPE n_a_one histogram',
      'n_a_one_bucket{le="1"} 0',
      'n_a_one_bucket{le="2e+06"} 1',
      'n_a_one_bucket{le="+Inf"} 1',
      'n_a_one_sum 1.5',
      'n_a_one_count 1',
      '# HELP n_b_two Second.',
      '# TYPE n_b_two counter',
      'n_b_two 2',
      '',
    ].join('\n'),
  );
});

describe('bounds of durations', () => {
  // As CoreDNS has them (plugin/plugin.go): from a quarter of a millisecond to eight seconds, or to two and a half.
  it.each([
    { name: 'each twice the one before', bounds: TIME_BOUNDS, count: 16, factor: 2, last: 8.192 },
    { name: 'each ten times the one before', bounds: SLIM_TIME_BOUNDS, count: 5, factor: 10, last: 2.5 },
  ])('$name', ({ bounds, count, factor, last }) => {
    expect([bounds.length, bounds[0], bounds[1]! / bounds[0]!]).toEqual([count, 0.00025, factor]);
    expect(bounds.at(-1)).toBeCloseTo(last, 9);
  });
});
