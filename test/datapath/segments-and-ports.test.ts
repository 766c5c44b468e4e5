import { describe, expect, it } from 'vitest';
import type { Bound } from '../../src/datapath/netns/port-table.js';
import type { Packet } from '../../src/datapath/packet.js';
import { PortTable } from '../../src/datapath/netns/port-table.js';
import { SendQueue } from '../../src/datapath/sockets/tcp-queue.js';
import { Timers } from '../../src/datapath/timers.js';

describe('segments on their way', () => {
  /** A queue whose segments, and whether it was given up, are told with the time. */
  function queue(initial = 100) {
    const timers = new Timers();
    let now = 0;
    const told: string[] = [];
    const made = new SendQueue(
      timers,
      () => now,
      initial,
      ({ seq }) => told.push(`${now} ${seq}`),
      () => told.push(`${now} given up`),
    );
    const pass = (to: number): void => {
      for (; timers.next !== undefined && timers.next <= to; timers.runUntil(now)) now = timers.next;
      now = to;
    };
    const send = (length: number, ...flags: ('SYN' | 'ACK' | 'FIN')[]): void =>
      made.send({ flags, length, payload: new Uint8Array(0) });
    return { queue: made, told, pass, send, timers };
  }

  it('are sent again after 0.2 s, then after twice the time before', () => {
    const { told, pass, send } = queue();
    send(10, 'ACK');
    pass(3000);
    expect(told).toEqual(['0 100', '200 100', '600 100', '1400 100', '3000 100']);
  });

  it('wait two minutes at most, and are given up after fifteen times', () => {
    const { told, pass, send } = queue();
    send(10, 'ACK');
    pass(10_000_000);
    const times = told.map((line) => Number(line.split(' ')[0]));
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    expect([waits.length, Math.max(...waits), told.at(-1)!.split(' ').slice(1).join(' ')]).toEqual([
      16,
      120_000,
      'given up',
    ]);
  });

  it.each([
    { name: 'a SYN: six times', flags: ['SYN'], end: '127000 given up', sent: 7 },
    { name: 'its answer: five times', flags: ['SYN', 'ACK'], end: '63000 given up', sent: 6 },
  ] as const)('that begin a connection wait a second: $name', ({ flags, end, sent }) => {
    const { told, pass, send } = queue();
    send(1, ...flags);
    pass(1_000_000);
    expect([told[1], told.at(-1), told.length]).toEqual(['1000 100', end, sent + 1]);
  });

  it('go when they are acknowledged as a whole; the next one is waited for anew', () => {
    const { queue: own, told, pass, send, timers } = queue();
    send(10, 'ACK');
    send(5, 'ACK');
    expect([own.next, own.acknowledge(109)]).toEqual([115, false]);
    pass(150);
    expect(own.acknowledge(110)).toBe(false);
    pass(349);
    expect(told).toEqual(['0 100', '0 110']);
    pass(350);
    expect(told).toEqual(['0 100', '0 110', '350 110']);
    expect([own.acknowledge(115), timers.next]).toEqual([true, undefined]);
    send(1, 'FIN');
    pass(550);
    expect(told.slice(3)).toEqual(['350 115', '550 115']);
    own.clear();
    expect(timers.next).toBeUndefined();
  });

  it('are not put off by an acknowledgement of nothing new', () => {
    const { queue: own, told, pass, send } = queue();
    send(10, 'ACK');
    pass(150);
    own.acknowledge(100);
    pass(200);
    expect(told).toEqual(['0 100', '200 100']);
  });

  it('count on beyond the largest number', () => {
    const { queue: own, send } = queue(2 ** 32 - 4);
    send(10, 'ACK');
    expect([own.next, own.acknowledge(5), own.acknowledge(6)]).toEqual([6, false, true]);
  });
});

describe('the ports of a namespace', () => {
  let cookie = 0;
  const bound = (localAddress: string, more: Partial<Bound> = {}): Bound => ({
    protocol: 'UDP',
    cookie: ++cookie,
    localAddress,
    localPort: 53,
    peer: undefined,
    reusePort: false,
    ...more,
  });
  const peer = (ip: string, port: number) => ({ ip, port });

  it.each([
    { name: 'another address', one: bound('10.0.0.1'), other: bound('10.0.0.2'), free: true },
    { name: 'the same address', one: bound('10.0.0.1'), other: bound('10.0.0.1'), free: false },
    { name: 'all addresses', one: bound('10.0.0.1'), other: bound('0.0.0.0'), free: false },
    { name: 'all of the other family', one: bound('10.0.0.1'), other: bound('::'), free: true },
    { name: 'all of both families', one: bound('10.0.0.1'), other: bound(''), free: false },
    {
      name: 'one that shares, as the first does not',
      one: bound(''),
      other: bound('', { reusePort: true }),
      free: false,
    },
    { name: 'two that share', one: bound('', { reusePort: true }), other: bound('', { reusePort: true }), free: true },
    { name: 'another protocol', one: bound(''), other: bound('', { protocol: 'TCP' }), free: true },
    {
      name: 'the same peer',
      one: bound('10.0.0.1', { peer: peer('a', 1) }),
      other: bound('10.0.0.1', { peer: peer('a', 1) }),
      free: false,
    },
    {
      name: "another port of the peer's",
      one: bound('10.0.0.1', { peer: peer('a', 1) }),
      other: bound('10.0.0.1', { peer: peer('a', 2) }),
      free: true,
    },
    {
      name: 'another peer',
      one: bound('10.0.0.1', { peer: peer('a', 1) }),
      other: bound('10.0.0.1', { peer: peer('b', 1) }),
      free: true,
    },
    {
      name: 'the same peer from another address',
      one: bound('10.0.0.1', { peer: peer('a', 1) }),
      other: bound('10.0.0.2', { peer: peer('a', 1) }),
      free: true,
    },
    {
      name: 'a TCP connection beside its listener',
      one: bound('', { protocol: 'TCP' }),
      other: bound('10.0.0.1', { protocol: 'TCP', peer: peer('a', 1) }),
      free: true,
    },
    {
      name: 'a connected datagram socket beside all',
      one: bound(''),
      other: bound('10.0.0.1', { peer: peer('a', 1) }),
      free: false,
    },
  ])('$name: free is $free', ({ one, other, free }) => {
    const table = new PortTable();
    table.add(one);
    if (free) expect(() => table.add(other)).not.toThrow();
    else expect(() => table.add(other)).toThrow('EADDRINUSE');
    table.remove(one);
    expect(table.list().map((socket) => socket.cookie)).toEqual(free ? [other.cookie] : []);
  });

  it.each([
    { draw: 0, want: 32_768 },
    { draw: 2 ** 32 - 1, want: 60_999 },
  ])('that are drawn are those of Linux: $want', ({ draw, want }) =>
    expect(new PortTable().ephemeral('UDP', { uint32: () => draw })).toBe(want),
  );

  it('are taken one after the other, the first again after the last', () => {
    const table = new PortTable();
    const last = { uint32: () => 2 ** 32 - 1 };
    table.add(bound('', { localPort: 60_999 }));
    expect([table.ephemeral('UDP', last), table.ephemeral('TCP', last)]).toEqual([32_768, 60_999]);
  });

  it.each([
    { name: 'the one that is connected to the sender', want: 'connected' },
    { name: 'the one at the address, for others', from: 2, want: 'bound' },
    { name: 'the one at all addresses, for another address', to: '10.0.0.8', want: 'all' },
    { name: 'nobody, of the other family', to: 'fd00::1', want: undefined },
  ])('lead a packet to $name', ({ from = 1, to = '10.0.0.1', want }) => {
    const sockets: Record<string, Bound> = {
      all: bound('0.0.0.0'),
      bound: bound('10.0.0.1'),
      connected: bound('10.0.0.1', { peer: peer('10.0.0.9', 1) }),
    };
    // Each is entered in a table that lets them share, whatever came first.
    for (const names of [Object.keys(sockets), Object.keys(sockets).reverse()]) {
      const table = new PortTable();
      for (const name of names) table.add({ ...sockets[name]!, reusePort: true });
      const packet = { protocol: 'UDP', src: '10.0.0.9', sport: from, dst: to, dport: 53 } as Packet;
      expect(table.receiver(packet)?.cookie).toBe(want === undefined ? undefined : sockets[want]!.cookie);
    }
  });

  it.each([
    { name: 'another host', packet: { src: '10.0.0.8', sport: 1, dst: '10.0.0.1' } },
    { name: 'another port', packet: { src: '10.0.0.9', sport: 2, dst: '10.0.0.1' } },
    { name: 'its peer, to another address', packet: { src: '10.0.0.9', sport: 1, dst: '10.0.0.2' } },
  ])('lead nothing of $name to a connected socket', ({ packet }) => {
    const table = new PortTable();
    table.add(bound('10.0.0.1', { peer: peer('10.0.0.9', 1) }));
    expect(table.receiver({ protocol: 'UDP', dport: 53, ...packet } as Packet)).toBeUndefined();
  });

  it('are listed by protocol, port and age', () => {
    const table = new PortTable();
    const [old, young] = [bound('10.0.0.1'), bound('10.0.0.2')];
    const all = [young, bound('', { localPort: 52 }), old, bound('', { protocol: 'TCP', localPort: 80 })];
    for (const socket of all) table.add(socket);
    expect(
      table.list().map(({ protocol, localPort, localAddress }) => `${protocol} ${localPort} ${localAddress}`),
    ).toEqual(['TCP 80 ', 'UDP 52 ', 'UDP 53 10.0.0.1', 'UDP 53 10.0.0.2']);
  });
});
