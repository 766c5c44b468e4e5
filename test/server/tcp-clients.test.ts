import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { TcpClients, type TcpClient } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS, type TcpLimits } from '../../src/server/tcp-limits.js';

/** Connections that note when they are closed, and give back what they keep. */
function world(limits: Partial<TcpLimits> = {}) {
  const clock = new ManualClock();
  const clients = new TcpClients(clock, { ...DEFAULT_TCP_LIMITS, ...limits });
  const closed: string[] = [];
  const client = (name: string, more: Partial<TcpClient> = {}) => {
    let kept = 0;
    const made = {
      overdue: () => false,
      ...more,
      keep: (bytes: number) => {
        const before = kept;
        kept = bytes;
        clients.hold(made, before, bytes);
      },
      destroy: () => {
        closed.push(name);
        made.keep(0);
        clients.remove(made);
      },
    };
    clients.add(made);
    return made;
  };
  return { clock, clients, closed, client };
}

describe('bounds of all TCP clients', () => {
  it('are ten thousand connections: one more closes the one that has been silent for longest', () => {
    const { clients, closed, client } = world();
    const [first] = Array.from({ length: 10_000 }, (_, i) => client(String(i)));
    clients.alive(first!);
    expect([clients.size, closed]).toEqual([10_000, []]);
    client('one more');
    expect([clients.size, closed]).toEqual([10_000, ['1']]);
  });

  it('do not bring back who is gone', () => {
    const { clients, client } = world();
    const one = client('a');
    one.destroy();
    clients.alive(one);
    clients.took(one);
    expect(clients.size).toBe(0);
  });

  it('are 12 MiB that are kept: beyond, who has taken nothing for longest goes first', () => {
    const { clients, closed, client } = world();
    const [a, b] = [client('a'), client('b')];
    a.keep(8 << 20);
    b.keep(4 << 20);
    expect([clients.held, closed]).toEqual([12 << 20, []]);
    clients.took(a);
    a.keep((8 << 20) + 1);
    expect([clients.held, closed]).toEqual([(8 << 20) + 1, ['b']]);
  });

  it('spare who keeps nothing any more, and keep the place of who keeps more', () => {
    const { closed, client } = world({ held: 100 });
    const [a, b, c] = [client('a'), client('b'), client('c')];
    a.keep(10);
    b.keep(10);
    c.keep(10);
    a.keep(0);
    b.keep(20);
    c.keep(90);
    expect(closed).toEqual(['b']);
    a.keep(20);
    expect(closed).toEqual(['b', 'c']);
  });

  it('ask whether something was taken before they close', () => {
    const { clients, closed, client } = world({ held: 100 });
    let taken = true;
    const a = client('a', {
      hasTaken: () => {
        if (taken) clients.took(a);
        const was = taken;
        taken = false;
        return was;
      },
    });
    const b = client('b', { hasTaken: () => false });
    a.keep(50);
    b.keep(60);
    expect(closed).toEqual(['b']);
  });

  it('look for who is late twice a second, while anybody is there', () => {
    const { clock, closed, client } = world();
    const started = clock.monotonic();
    const late = client('late', { overdue: (now) => now - started >= 1000 });
    client('early');
    clock.advance(999);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual(['late']);
    expect(late.overdue(clock.monotonic())).toBe(true);
  });
});
