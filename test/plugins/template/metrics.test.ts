import { expect, it } from 'vitest';
import { Metrics } from '../../../src/metrics/metrics.js';
import { MatchCounters } from '../../../src/plugins/template/metrics.js';
import { query } from '../../support/dns.js';

it('counts questions of each class and type apart, whatever their numbers', async () => {
  const metrics = new Metrics();
  const family = metrics.counter('template', 'matches_total', 'x', ['server', 'zone', 'view', 'class', 'type']);
  const counters = new MatchCounters(family);
  const asked = [
    { class: 1, type: 'TYPE40000' },
    { class: 2, type: 'TYPE7232' },
    { class: 2, type: 'TYPE7232' },
  ];
  for (const { class: number, type } of asked)
    counters.count(query('a.', type, { class: number }), '.', () => ({ class: String(number), type }));
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('coredns_template_'));
  expect(lines.map((line) => line.replace(/^.*class="(\d)".*type="(\w+)".* (\d)$/, '$1 $2 $3'))).toEqual([
    '1 TYPE40000 1',
    '2 TYPE7232 2',
  ]);
});
