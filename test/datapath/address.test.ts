import { describe, expect, it } from 'vitest';
import { addressAt, compareIps, offsetIn } from '../../src/datapath/address.js';
import { parseCidr } from '../../src/lib/cidr.js';

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

it.each([
  { block: '10.0.0.0/22', ip: '10.0.0.0', place: 0 },
  { block: '10.0.0.0/22', ip: '10.0.1.4', place: 260 },
  { block: '10.0.0.0/22', ip: '10.0.3.255', place: 1023 },
  { block: '10.0.0.0/8', ip: '10.1.2.3', place: 66_051 },
  { block: 'fd00::/64', ip: 'fd00::2:1', place: 131_073 },
])('$ip is number $place of $block', ({ block, ip, place }) => {
  const cidr = parseCidr(block)!;
  expect([offsetIn(cidr, ip), addressAt(cidr, place)]).toEqual([place, ip]);
});
