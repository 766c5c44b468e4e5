import { describe, expect, it } from 'vitest';
import { Batch } from '../../src/fastpath/batch.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { FakeLibc } from '../support/fake-libc.js';

const sockaddr = (address: string, port = 40_000): Uint8Array => encodeSockaddr({ address, port });
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

/** Datagrams as they were received: their addresses, and where they came in. */
function received(libc: FakeLibc, ...from: readonly (readonly [address: Uint8Array, control?: Uint8Array])[]): Batch {
  const batch = new Batch(libc, 4, 64);
  libc.incoming.push(
    ...from.map(([address, control = Buffer.alloc(0)], i) => ({ bytes: Buffer.alloc(i + 1, 'x'), address, control })),
  );
  expect(libc.recvmmsg(3, batch.pointer, 4)).toBe(from.length);
  return batch;
}

describe('the sender of a datagram', () => {
  it.each([
    { address: '192.0.2.7', ipv6: false, ip: 'c0000207' },
    { address: '::ffff:192.0.2.7', ipv6: false, ip: 'c0000207' },
    { address: '2001:db8::7', ipv6: true, ip: '20010db8000000000000000000000007' },
    { address: '::1', ipv6: true, ip: '00000000000000000000000000000001' },
    { address: '::fffe:192.0.2.7', ipv6: true, ip: '00000000000000000000fffec0000207' },
    { address: '0:0:0:1:0:ffff:c000:207', ipv6: true, ip: '00000000000000010000ffffc0000207' },
    { address: '1::ffff:c000:207', ipv6: true, ip: '00010000000000000000ffffc0000207' },
  ])('$address is of IPv6: $ipv6', ({ address, ipv6, ip }) => {
    const batch = received(new FakeLibc(), [sockaddr('10.0.0.1')], [sockaddr(address)], [sockaddr('::2')]);
    expect(batch.fromIpv6(1)).toBe(ipv6);
    const at = batch.ipOffset(1);
    expect(hex(batch.addresses.subarray(at, at + ip.length / 2))).toBe(ip);
    expect([batch.fromIpv6(0), batch.fromIpv6(2)]).toEqual([false, true]);
    expect([1, 2, 3].map((_, i) => batch.length(i))).toEqual([1, 2, 3]);
  });

  it('has all its room again for the next receive', () => {
    const libc = new FakeLibc();
    const control = Buffer.alloc(40, 7);
    const batch = received(libc, [sockaddr('10.0.0.1'), control.subarray(0, 32)]);
    expect([batch.addressLength(0), batch.controlLength(0)]).toEqual([16, 32]);
    batch.reset(0);
    libc.incoming.push({ bytes: Buffer.from('next'), address: sockaddr('2001:db8::9'), control });
    libc.recvmmsg(3, batch.pointer, 1);
    expect([batch.length(0), batch.addressLength(0), batch.controlLength(0)]).toEqual([4, 28, 40]);
    expect(hex(batch.addresses.subarray(0, 28))).toBe(hex(sockaddr('2001:db8::9')));
    expect(hex(batch.controls.subarray(0, 40))).toBe(hex(control));
  });
});

describe('answers', () => {
  // struct cmsghdr of IP_PKTINFO: interface 5, the address it came in at; and of IPV6_PKTINFO.
  const PKTINFO = '1c00000000000000000000000800000005000000c0000201c000020100000000';
  const inAt6 = (address: string): string => `24000000000000002900000032000000${address}0500000000000000`;
  const GLOBAL = '20010db8000000000000000000000001';
  const LINK = 'fe800000000000000000000000000001';

  it('go to where the queries came from, from where they came in', () => {
    const libc = new FakeLibc();
    const [v4, v6] = [sockaddr('192.0.2.7'), sockaddr('2001:db8::7')];
    const control = Buffer.from(PKTINFO, 'hex');
    const queries = received(
      libc,
      [v4],
      [v6, Buffer.from(inAt6(GLOBAL), 'hex')],
      [v6, Buffer.from(inAt6(LINK), 'hex')],
      [v4, control],
    );
    const answers = new Batch(libc, 4, 64);
    [3, 1, 2, 0].forEach((j, i) => {
      answers.bytes.write(`a${j}`, i * 64);
      answers.setLength(i, 2);
      answers.answerTo(i, queries, j);
    });
    answers.send(9, 4, () => expect.unreachable());
    expect(libc.sent.map(({ bytes, address }) => [Buffer.from(bytes).toString(), hex(address)])).toEqual([
      ['a3', hex(v4)],
      ['a1', hex(v6)],
      ['a2', hex(v6)],
      ['a0', hex(v4)],
    ]);
    // The interface is left to the routing table, but with a link-local address.
    expect(libc.sent.map(({ control: sent }) => hex(sent))).toEqual([
      PKTINFO.replace('0800000005000000', '0800000000000000'),
      inAt6(GLOBAL).replace(/0500000000000000$/, '0'.repeat(16)),
      inAt6(LINK),
      '',
    ]);
  });

  it('behind one that cannot be sent keep their own address and place', () => {
    const libc = new FakeLibc();
    const batch = new Batch(libc, 4, 64);
    const [v4, v6] = [sockaddr('192.0.2.7'), sockaddr('2001:db8::7')];
    const rows = [
      ['gone', v4, undefined],
      ['x', v6, Buffer.from(inAt6(LINK), 'hex')],
      ['yyyyyy', v4, undefined],
      ['zz', v6, undefined],
    ] as const;
    rows.forEach(([text, address, control], i) => {
      batch.bytes.write(text, i * 64);
      batch.setLength(i, text.length);
      batch.setAddress(i, address, control);
    });
    const lost: number[][] = [];
    libc.sends = [-101, 1];
    batch.send(9, 4, (...loss) => lost.push(loss));
    expect(lost).toEqual([[101, 1]]);
    expect(libc.sent.map((one) => [Buffer.from(one.bytes).toString(), hex(one.address), hex(one.control)])).toEqual(
      rows.slice(1).map(([text, address, control]) => [text, hex(address), hex(control) ?? '']),
    );
  });
});
