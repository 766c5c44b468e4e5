import { expect, it } from 'vitest';
import { portRecords } from '../../../src/plugins/k8s_external/records.js';
import { texts } from '../../support/dns.js';

it.each([
  { targets: 1, weight: 100 },
  { targets: 3, weight: 33 },
  { targets: 100, weight: 1 },
  // A weight of 0 would be hardly ever chosen (RFC 2782).
  { targets: 101, weight: 1 },
])('SRV records of $targets targets weigh $weight each', ({ targets, weight }) => {
  const list = Array.from({ length: targets }, (_, i) => ({ host: `10.0.0.${i}`, label: `a${i}`, port: 8443 }));
  const made = texts(portRecords('lb.test.', 'test.', list, 5));
  expect(made).toHaveLength(targets);
  expect(new Set(made.map((text) => text.replace(/a\d+\.test\.$/, '')))).toEqual(
    new Set([`lb.test. 5 IN SRV 0 ${weight} 8443 `]),
  );
});
