import { expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';

it('what lies at a bound counts below it, and bounds from a million on have an exponent', async () => {
  const metrics = new Metrics('n');
  const size = metrics.histogram('', 'size', 'Size.', [1, 999_999, 1_000_000, 2_500_000, 1e10]).with();
  for (const value of [1, 1.5, 1_000_000, 3e10]) size.observe(value);
  // As client_golang writes them.
  expect(
    [...(await metrics.text()).matchAll(/^n_size_bucket\{le="(.*)"\} (\d+)$/gm)].map(([, le, n]) => `${le}: ${n}`),
  ).toEqual(['1: 1', '999999: 2', '1e+06: 3', '2.5e+06: 3', '1e+10: 3', '+Inf: 4']);
});
