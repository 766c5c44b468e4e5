import { describe, expect, it } from 'vitest';
import { compareIps } from '../../src/datapath/address.js';

describe('the order of addresses', () => {
  const ordered = [
    '0.0.0.0',
    '1.2.3.4',
    '1.2.3.5',
    '1.2.10.0',
    '10.0.0.1',
    '172.20.1.1',
    '255.255.255.255',
    '::',
    '::1',
    '2001:db8::9',
    '2001:db8::10',
    'fe80::1',
  ];

  it('is numeric, IPv4 before IPv6', () => {
    expect([...ordered].reverse().sort(compareIps)).toEqual(ordered);
    const signs = ordered.map((a) => ordered.map((b) => Math.sign(compareIps(a, b))));
    expect(signs).toEqual(ordered.map((_, i) => ordered.map((__, k) => Math.sign(i - k))));
  });
});
