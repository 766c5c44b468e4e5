import { describe, expect, it } from 'vitest';
import type { Libc } from '../../src/fastpath/libc.js';
import { openListening } from '../../src/fastpath/listening-socket.js';
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

/** A system that lets everything be opened, but for options that are refused. */
class Recorded extends FakeLibc {
  readonly set: { level: number; option: number; value: number }[] = [];

  constructor(private readonly refused: readonly number[] = []) {
    super();
  }

  override socket: Libc['socket'] = () => 4;
  override bind: Libc['bind'] = () => 0;
  override setsockopt: Libc['setsockopt'] = (_fd, level, option, value) => {
    this.set.push({ level, option, value: Buffer.from(value).readInt32LE() });
    return this.refused.includes(option) ? -1 : 0;
  };
}

describe('buffers', () => {
  const SIZE = 4 << 20;
  it.each([
    { name: 'may go beyond it', refused: [] },
    { name: 'may not', refused: [32, 33] },
  ])('for bursts of queries and for slow ways out go to the limit, then where the process $name', ({ refused }) => {
    const libc = new Recorded(refused);
    expect(openListening(libc, { address: '127.0.0.1', port: 53 }, undefined)).toBe(4);
    expect(libc.set.filter(({ value }) => value === SIZE).map(({ option }) => option)).toEqual([8, 33, 7, 32]);
  });
});

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

  it.each([
    { address: '', only: 0 },
    { address: '::', only: 1 },
    { address: '::1', only: 1 },
  ])('of both families are listened at for "$address": V6ONLY $only', ({ address, only }) => {
    const libc = new Recorded();
    openListening(libc, { address, port: 53 }, undefined);
    expect(libc.set).toContainEqual({ level: 41, option: 26, value: only });
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
