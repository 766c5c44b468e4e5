import { describe, expect, it } from 'vitest';
import { cidrContains, formatIp, parseCidr, parseIp, type Cidr } from '../../src/lib/cidr.js';
import { Networks, sourceIp } from '../../src/lib/networks.js';
import { seededRandom } from '../../src/lib/random.js';

describe('Networks', () => {
  const set = new Networks(
    ['10.0.0.0/8', '192.0.2.128/25', '192.0.2.7', '198.51.100.0/23', 'fd00::/9', '2001:db8::1'].map((text) => parseCidr(text)!), // prettier-ignore
  );
  it.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.129', true],
    ['192.0.2.127', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.101.255', true],
    ['fd7f::1', true],
    ['fd80::1', false],
    ['2001:db8::1', true],
    ['2001:db8::2', false],
    ['a00::', false],
  ])('%s: %s', (ip, want) => expect(set.contains(parseIp(ip)!)).toBe(want));

  it.each([
    { name: 'everything of IPv4', blocks: ['0.0.0.0/0'], ip: '1.2.3.4', want: true },
    { name: 'nothing of IPv6', blocks: ['0.0.0.0/0'], ip: '::1', want: false },
    { name: 'nothing at all', blocks: [], ip: '1.2.3.4', want: false },
  ])('$name', ({ blocks, ip, want }) =>
    expect(new Networks(blocks.map((text) => parseCidr(text)!)).contains(parseIp(ip)!)).toBe(want),
  );

  it('says what looking at each block says', () => {
    const random = seededRandom(7);
    const ip = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.uint32() & 0x83);
    const blocks = Array.from({ length: 60 }, (_, i): Cidr => {
      const length = i % 2 ? 4 : 16;
      return parseCidr(`${formatIp(ip(length))}/${random.uint32() % (length * 8 + 1)}`)!;
    }).filter(({ prefix }) => prefix > 3);
    const set = new Networks(blocks);
    for (let i = 0; i < 500; i++) {
      const address = ip(i % 2 ? 4 : 16);
      expect(set.contains(address)).toBe(blocks.some((block) => cidrContains(block, address)));
    }
  });
});

describe('sourceIp', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['nowhere', undefined],
    ['', undefined],
  ])('%s is %s', (text, want) => {
    const ip = sourceIp(text);
    expect(ip && formatIp(ip)).toBe(want);
  });
});
