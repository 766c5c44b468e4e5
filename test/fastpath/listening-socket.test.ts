import { describe, expect, it } from 'vitest';
import type { Libc } from '../../src/fastpath/libc.js';
import { isReadable, openListening, setOption, turnAway } from '../../src/fastpath/listening-socket.js';
import { listenFirst } from '../../src/fastpath/shared-tcp.js';
import { FakeLibc } from '../support/fake-libc.js';

const EAFNOSUPPORT = 97;
const EADDRNOTAVAIL = 99;
const EACCES = 13;

/** A system that lets IPv4 sockets be opened, and fails those of IPv6 in its way. */
class Ipv4Only extends FakeLibc {
  readonly bound: string[] = [];
  readonly options: string[] = [];
  readonly closed: number[] = [];
  override close = (...fds: readonly number[]): number => {
    this.closed.push(...fds);
    return 0;
  };
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
    const libc = new Ipv4Only('bind', EACCES);
    expect(() => openListening(libc, { address: '', port: 53 }, undefined)).toThrow('bind EACCES :53');
    expect(libc.closed).toEqual([6]);
  });
});

describe('a TCP socket', () => {
  it('is not left open where its place is taken', () => {
    const libc = new Ipv4Only('bind', EACCES);
    expect(() => listenFirst(libc, { address: '::1', port: 53 })).toThrow('bind EACCES ::1:53');
    expect(libc.closed).toEqual([6]);
  });

  it.each([
    { address: '127.0.0.1', V6ONLY: [] },
    { address: '', V6ONLY: [[41, 26, 0]] },
  ])('shares its place only when it listens, at "$address"', ({ address, V6ONLY }) => {
    const libc = new Recorded();
    const steps: unknown[] = [];
    libc.setsockopt = (_fd, level, option, value) => (steps.push([level, option, Buffer.from(value).readInt32LE()]), 0);
    libc.bind = () => (steps.push('bind'), 0);
    libc.listen = () => (steps.push('listen'), 0);
    expect(listenFirst(libc, { address, port: 53 })).toBe(4);
    // SOL_SOCKET with SO_REUSEADDR, and with SO_REUSEPORT
    expect(steps).toEqual([[1, 2, 1], ...V6ONLY, 'bind', 'listen', [1, 15, 1]]);
  });
});

it.each([
  { refused: [], want: true },
  { refused: [15], want: false },
])('an option is set, or it is said that it is not: $want', ({ refused, want }) =>
  expect(setOption(new Recorded(refused), 4, [1, 15, 1])).toBe(want),
);

describe('a socket is readable', () => {
  it.each([
    { name: 'where something waits', ready: 1, events: 1, want: true },
    { name: 'where something waits, and it has met an error', ready: 1, events: 9, want: true },
    { name: 'not where it has met an error alone', ready: 1, events: 8, want: false },
    { name: 'not where nothing waits', ready: 0, events: 1, want: false },
    { name: 'not where the system does not say', ready: -1, events: 1, want: false },
  ])('$name', ({ ready, events, want }) => {
    const libc = new FakeLibc();
    const memory = libc.memory.bind(libc);
    let polled: Buffer = Buffer.alloc(0);
    libc.memory = (size) => {
      const made = memory(size);
      polled = made.bytes;
      return made;
    };
    const asked: number[] = [];
    libc.poll = () => {
      // struct pollfd: the descriptor, the events that are asked for, those that there are.
      asked.push(polled.readInt32LE(0), polled.readInt16LE(4));
      polled.writeInt16LE(events, 6);
      return ready;
    };
    expect(isReadable(libc, 7)).toBe(want);
    expect(asked).toEqual([7, 1]);
  });
});

describe('a socket is turned away', () => {
  const V4 = '020000097f0000010000000000000000';
  const V6 = `0a000009${'00'.repeat(19)}01${'00'.repeat(4)}`;
  it.each([
    { address: '127.0.0.1', refuses: [], peers: [V4], want: true },
    { address: '', refuses: [], peers: [V6], want: true },
    { address: '0.0.0.0', refuses: [V6], peers: [V6, V4], want: true },
    { address: '::', refuses: [V6, V4], peers: [V6, V4], want: false },
    { address: '::1', refuses: [V6], peers: [V6], want: false },
  ])('at "$address" to a peer that never sends, refused $refuses: $want', ({ address, refuses, peers, want }) => {
    const libc = new FakeLibc();
    const tried: string[] = [];
    libc.connect = (fd, to) => {
      expect(fd).toBe(7);
      const peer = Buffer.from(to).toString('hex');
      tried.push(peer);
      return refuses.includes(peer) ? -1 : 0;
    };
    expect(turnAway(libc, 7, { address, port: 53 })).toBe(want);
    expect(tried).toEqual(peers);
  });
});

it('one address of IPv6 has no other in its place', () => {
  expect(() =>
    openListening(new Ipv4Only('bind', EADDRNOTAVAIL), { address: '2001:db8::1', port: 53 }, undefined),
  ).toThrow('bind EADDRNOTAVAIL 2001:db8::1:53');
});
