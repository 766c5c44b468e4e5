import { describe, expect, it } from 'vitest';
import type { Libc } from '../../src/dataplane/libc.js';
import { openListening } from '../../src/dataplane/listening-socket.js';
import { FakeLibc } from '../support/fake-libc.js';

const EAFNOSUPPORT = 97;
const EADDRNOTAVAIL = 99;
const EACCES = 13;

/** A system that lets IPv4 sockets be opened, and fails those of IPv6 in its way. */
class Ipv4Only extends FakeLibc {
  readonly bound: string[] = [];
  readonly options: string[] = [];
  private code = 0;

  constructor(
    private readonly fails: 'socket' | 'bind',
    private readonly reason: number,
  ) {
    super();
  }

  override errno(): number {
    return this.code;
  }

  override socket: Libc['socket'] = (family) => {
    if (family !== 10) return 4;
    this.code = this.reason;
    return this.fails === 'socket' ? -1 : 6;
  };

  override bind: Libc['bind'] = (fd, address) => {
    this.bound.push(Buffer.from(address).toString('hex'));
    return fd === 4 ? 0 : -1;
  };

  override setsockopt: Libc['setsockopt'] = (fd, level, option) => {
    this.options.push(`${fd} ${level} ${option}`);
    return 0;
  };
}

describe('all addresses', () => {
  it.each([
    { name: 'there is no IPv6', libc: new Ipv4Only('socket', EAFNOSUPPORT) },
    { name: 'IPv6 is switched off', libc: new Ipv4Only('bind', EADDRNOTAVAIL) },
  ])('are those of IPv4 where $name', ({ libc }) => {
    expect(openListening(libc, { address: '', port: 53 }, undefined)).toBe(4);
    expect(libc.bound.at(-1)).toBe('02000035000000000000000000000000');
    // IPPROTO_IP, IP_PKTINFO
    expect(libc.options).toContain('4 0 8');
  });

  it('are refused for any other reason', () => {
    expect(() => openListening(new Ipv4Only('bind', EACCES), { address: '', port: 53 }, undefined)).toThrow(
      'bind EACCES :53',
    );
  });
});

it('one address of IPv6 has no other in its place', () => {
  expect(() =>
    openListening(new Ipv4Only('bind', EADDRNOTAVAIL), { address: '2001:db8::1', port: 53 }, undefined),
  ).toThrow('bind EADDRNOTAVAIL 2001:db8::1:53');
});
