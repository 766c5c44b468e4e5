import { describe, expect, it } from 'vitest';
import { canonicalIp, cidrContains, formatCidr, hostPort, ipFamily, parseCidr, parseIp } from '../../src/lib/cidr.js';

describe('addresses', () => {
  it.each([
    { text: '10.96.0.10', family: 4, canonical: '10.96.0.10' },
    { text: '2404:6800:4004:825:0:0:0:200e', family: 6, canonical: '2404:6800:4004:825::200e' },
    { text: '::1', family: 6, canonical: '::1' },
    { text: '300.1.1.1', family: 0, canonical: undefined },
    { text: '1.2.3', family: 0, canonical: undefined },
    { text: '010.1.1.1', family: 0, canonical: undefined },
    { text: 'fe80::1%eth0', family: 0, canonical: undefined },
    { text: 'eth0', family: 0, canonical: undefined },
  ])('$text is of family $family', ({ text, family, canonical }) => {
    expect(ipFamily(text)).toBe(family);
    expect(canonicalIp(text)).toBe(canonical);
  });

  it('puts brackets around IPv6 only', () => {
    expect(hostPort('::1', 53)).toBe('[::1]:53');
    expect(hostPort('127.0.0.1', 53)).toBe('127.0.0.1:53');
  });
});

describe('blocks', () => {
  it.each([
    { cidr: '10.0.0.0/8', ip: '10.255.0.1', inside: true },
    { cidr: '10.0.0.0/9', ip: '10.128.0.1', inside: false },
    { cidr: '10.1.2.3/9', ip: '10.127.0.1', inside: true },
    { cidr: '0.0.0.0/0', ip: '203.0.113.9', inside: true },
    { cidr: '0.0.0.0/0', ip: '::1', inside: false },
    { cidr: 'fd00::/8', ip: 'fdff::1', inside: true },
    { cidr: '192.0.2.1', ip: '192.0.2.1', inside: true },
  ])('$cidr holds $ip: $inside', ({ cidr, ip, inside }) =>
    expect(cidrContains(parseCidr(cidr)!, parseIp(ip)!)).toBe(inside),
  );

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/9',
    '10.0.0.0/0008',
    '/8',
    '',
    '10.0.0/8',
    'x/8',
    'fd00::/129',
    '10.0.0.0/-1',
  ])('refuses %s', (text) => expect(parseCidr(text)).toBeUndefined());

  it('clears host bits', () => expect(formatCidr(parseCidr('10.96.12.7/12')!)).toBe('10.96.0.0/12'));
});
