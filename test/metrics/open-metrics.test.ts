import { describe, expect, it } from 'vitest';
import { metricsAnswer } from '../../src/chain/index.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { toOpenMetrics, wantsOpenMetrics } from '../../src/metrics/open-metrics.js';
import { running } from '../support/running.js';

const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('OpenMetrics', () => {
  it('is wanted by those who say so', () => {
    const rows: [string | undefined, boolean][] = [
      [undefined, false],
      ['*/*', false],
      ['text/plain', false],
      ['application/openmetrics-text', true],
      ['application/openmetrics-text; version=1.0.0; charset=utf-8', true],
      ['application/openmetrics-text;version=0.0.1', false],
      ['application/openmetrics-text;q=0', false],
      ['application/openmetrics-text;q=0.2, text/plain;q=0.5', false],
      ['application/openmetrics-text;q=0.5, text/plain;q=0.5', true],
      [PROMETHEUS, true],
    ];
    for (const [accept, wanted] of rows) expect([accept, wantsOpenMetrics(accept)]).toEqual([accept, wanted]);
  });

  it('names counters without their ending, and ends', async () => {
    const metrics = new Metrics('n');
    metrics.counter('', 'asked_total', 'Asked "often".', ['le']).with({ le: 'x' }).inc(2);
    metrics.counter('', 'odd', 'No ending.').with().inc();
    metrics.histogram('', 'took', 'Time.', [0.5, 1, 2_000_000]).with().observe(1);
    metrics.gauge('', 'now', 'Gauge.').with().set(3);
    expect(toOpenMetrics(await metrics.text())).toBe(
      [
        '# HELP n_asked Asked \\"often\\".',
        '# TYPE n_asked counter',
        'n_asked_total{le="x"} 2',
        '# HELP n_now Gauge.',
        '# TYPE n_now gauge',
        'n_now 3',
        '# HELP n_odd No ending.',
        '# TYPE n_odd unknown',
        'n_odd 1',
        '# HELP n_took Time.',
        '# TYPE n_took histogram',
        'n_took_bucket{le="0.5"} 0',
        'n_took_bucket{le="1.0"} 1',
        'n_took_bucket{le="2e+06"} 1',
        'n_took_bucket{le="+Inf"} 1',
        'n_took_sum 1',
        'n_took_count 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('of a server names each family once, and no sample stands outside of its own', async () => {
    const server = await running('.:0 {\nbind 127.0.0.1\nprometheus 127.0.0.1:0\ncache\nhosts {\n192.0.2.1 x\n}\n}');
    await server.ask('x.');
    const { headers, body } = await metricsAnswer(server.server.runtime.metrics, { headers: { accept: PROMETHEUS } });
    await server.stop();
    expect(headers).toMatchObject({
      'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      vary: 'accept, accept-encoding',
    });
    const lines = (body as string).trimEnd().split('\n');
    const families = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
    expect(new Set(families).size).toBe(families.length);
    expect(families).toContain('coredns_dns_requests');
    let family = '';
    for (const line of lines) {
      family = /^# TYPE (\S+)/.exec(line)?.[1] ?? family;
      if (!line.startsWith('#')) expect(line.startsWith(family)).toBe(true);
    }
    expect(lines.at(-1)).toBe('# EOF');
  });
});
