import { describe, expect, it } from 'vitest';
import { findProxyHeader } from '../../src/server/proxy-header.js';
import { query } from '../support/dns.js';
import { IPV4, IPV6, SOURCE, V1, v2 } from './proxied.js';

describe('headers of proxies', () => {
  it.each([
    { name: 'version 1', bytes: V1, source: SOURCE },
    {
      name: 'version 1, IPv6',
      bytes: Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 4711 53\r\n'),
      source: { address: '2001:db8::7', port: 4711 },
    },
    { name: 'version 2', bytes: v2(0x21, 0x11, IPV4), source: SOURCE },
    { name: 'version 2 of a datagram', bytes: v2(0x21, 0x12, IPV4), source: SOURCE },
    { name: 'version 2, IPv6', bytes: v2(0x21, 0x21, IPV6), source: { address: '2001:db8::7', port: 4711 } },
    {
      name: 'version 2 with more behind the addresses',
      bytes: v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.alloc(9)])),
      source: SOURCE,
    },
  ])('$name', ({ bytes, source }) => {
    expect(findProxyHeader(Buffer.concat([bytes, Buffer.from('rest')]))).toMatchObject({
      length: bytes.length,
      proxied: { source },
    });
    for (let end = 1; end < bytes.length; end++) expect(findProxyHeader(bytes.subarray(0, end))).toBe('more');
  });

  it.each([
    { name: 'version 1', bytes: V1, want: { address: '192.0.2.1', port: 53 } },
    { name: 'version 2', bytes: v2(0x21, 0x11, IPV4), want: { address: '192.0.2.1', port: 53 } },
    { name: 'version 2, IPv6', bytes: v2(0x21, 0x21, IPV6), want: { address: '2001:db8::1', port: 53 } },
  ])('tell where the client has asked: $name', ({ bytes, want }) =>
    expect(findProxyHeader(bytes)).toMatchObject({ proxied: { destination: want } }),
  );

  const line = (length: number): Buffer => Buffer.from(`PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`);
  it.each([
    { name: 'a line of 107 bytes', bytes: line(107), want: { length: 107 } },
    { name: 'a line of 108 bytes', bytes: line(108), want: 'malformed' },
    { name: '106 bytes of a line', bytes: line(108).subarray(0, 106), want: 'more' },
    { name: '107 bytes of a line', bytes: line(108).subarray(0, 107), want: 'malformed' },
    { name: 'the end of a line at once', bytes: Buffer.from('PROXY \r\n'), want: 'malformed' },
    { name: 'port 65535', bytes: Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 65535 0\r\n'), want: { length: 36 } },
    { name: 'port 65536', bytes: Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 65536 0\r\n'), want: 'malformed' },
    { name: '4,096 bytes', bytes: v2(0x21, 0x11, Buffer.alloc(4080)), want: { length: 4096 } },
    { name: '4,097 bytes', bytes: v2(0x21, 0x11, Buffer.alloc(4081)), want: 'malformed' },
    { name: 'no more than addresses', bytes: v2(0x21, 0x21, IPV6), want: { length: 52 } },
    { name: 'one byte less', bytes: v2(0x21, 0x21, IPV6.subarray(1)), want: 'malformed' },
  ])('are bounded: $name', ({ bytes, want }) => {
    const found = findProxyHeader(bytes);
    if (typeof want === 'string') expect(found).toBe(want);
    else expect(found).toMatchObject(want);
  });

  it.each([
    { name: 'version 1, UNKNOWN', bytes: Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n') },
    { name: 'version 1, UNKNOWN without addresses', bytes: Buffer.from('PROXY UNKNOWN\r\n') },
    { name: 'version 2, LOCAL', bytes: v2(0x20, 0x00) },
    { name: 'version 2, LOCAL with addresses', bytes: v2(0x20, 0x11, IPV4) },
    { name: 'version 2, unspecified', bytes: v2(0x21, 0x00) },
    { name: 'version 2, unix', bytes: v2(0x21, 0x31, Buffer.alloc(216)) },
  ])('$name: nobody', ({ bytes }) =>
    expect(findProxyHeader(bytes)).toMatchObject({ length: bytes.length, proxied: undefined }),
  );

  it.each([
    { name: 'a line without an end', bytes: Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`) },
    { name: 'a family that is none', bytes: Buffer.from('PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n') },
    { name: 'an address of the other family', bytes: Buffer.from('PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n') },
    { name: 'a port too large', bytes: Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 70000 53\r\n') },
    { name: 'a word missing', bytes: Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n') },
    { name: 'version 3', bytes: v2(0x31, 0x11, IPV4) },
    { name: 'a command that is none', bytes: v2(0x22, 0x11, IPV4) },
    { name: 'addresses cut short', bytes: v2(0x21, 0x11, IPV4.subarray(0, 11)) },
    { name: 'a length of 65,535', bytes: v2(0x21, 0x11, IPV4, 65_535) },
  ])('$name: malformed', ({ bytes }) => expect(findProxyHeader(bytes)).toBe('malformed'));

  it.each([Buffer.alloc(0), Buffer.from('\x16\x03\x01'), query('x.').bytes])('no header', (bytes) =>
    expect(findProxyHeader(bytes)).toBe('none'),
  );
});
