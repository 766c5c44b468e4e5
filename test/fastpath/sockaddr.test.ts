import { describe, expect, it } from 'vitest';
import { ClientAddress, encodeSockaddr } from '../../src/fastpath/sockaddr.js';

describe('an address', () => {
  it.each([
    { name: 'of IPv4', at: { address: '192.0.2.7', port: 53 }, hex: '02000035c00002070000000000000000' },
    {
      name: 'of IPv6',
      at: { address: '2001:db8::1', port: 5353 },
      hex: '0a0014e90000000020010db800000000000000000000000100000000',
    },
    {
      name: 'of a link, with the number of its interface',
      at: { address: 'fe80::1%3', port: 53 },
      hex: '0a00003500000000fe80000000000000000000000000000103000000',
    },
    {
      name: 'of a link that is not there',
      at: { address: 'fe80::1%nowhere', port: 53 },
      hex: '0a00003500000000fe80000000000000000000000000000100000000',
    },
    {
      name: 'of all',
      at: { address: '', port: 1053 },
      hex: '0a00041d000000000000000000000000000000000000000000000000',
    },
  ])('$name is what the kernel takes', ({ at, hex }) => {
    expect(Buffer.from(encodeSockaddr(at)).toString('hex')).toBe(hex);
  });

  it.each(['', '127.0.0.1', '::1'].map((address) => ({ address, port: 65_535 })))('$address comes back', (at) => {
    const peer = new ClientAddress(encodeSockaddr(at), 0);
    expect({ address: peer.address, port: peer.port, ipVersion: peer.ipVersion }).toEqual({
      address: at.address === '' ? '::' : at.address,
      port: 65_535,
      ipVersion: at.address === '127.0.0.1' ? 4 : 6,
    });
  });

  it('of IPv4 at a socket of both families is one of IPv4', () => {
    expect(new ClientAddress(encodeSockaddr({ address: '::ffff:192.0.2.1', port: 1 }), 0)).toMatchObject({
      address: '192.0.2.1',
      ipVersion: 4,
    });
  });

  it('that is none is refused', () => {
    expect(() => encodeSockaddr({ address: 'localhost', port: 53 })).toThrow(
      "expected an IPv4 or IPv6 address, got 'localhost'",
    );
  });
});
