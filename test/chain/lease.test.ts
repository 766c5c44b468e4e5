import { describe, expect, it } from 'vitest';
import { DerivedLease } from '../../src/chain/derived-lease.js';
import { ReplyLease, type LeaseHolder } from '../../src/chain/lease.js';

/** Someone who keeps replies, and what it was told: a place, or several at once. */
function holder(atOnce = false): LeaseHolder & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    withdraw: (place) => void told.push(place),
    ...(atOnce && { withdrawAll: (places: ReadonlySet<number>) => void told.push([...places]) }),
  };
}

describe('a lease', () => {
  it.each<{ name: string; steps: readonly (readonly ['hold' | 'release', number, number?])[]; told: unknown[][] }>([
    { name: 'nobody', steps: [], told: [[], [], []] },
    { name: 'one holder', steps: [['hold', 0, 7]], told: [[7], [], []] },
    { name: 'a holder that names no place', steps: [['hold', 0]], told: [[0], [], []] },
    { name: 'the same place twice', steps: [['hold', 0, 7], ['hold', 0, 7]], told: [[7], [], []] },
    { name: 'two places', steps: [['hold', 0, 7], ['hold', 0, 8], ['hold', 0, 9]], told: [[7, 8, 9], [], []] },
    { name: 'two holders', steps: [['hold', 0, 7], ['hold', 1, 7]], told: [[7], [7], []] },
    { name: 'many places at once', steps: [['hold', 2, 7], ['hold', 2, 8], ['hold', 0, 1]], told: [[1], [], [[7, 8]]] },
    { name: 'one that has let go', steps: [['hold', 0, 7], ['release', 0, 7]], told: [[], [], []] },
    { name: 'one that names no place and lets go', steps: [['hold', 0], ['release', 0]], told: [[], [], []] },
    { name: 'one that lets go of another place', steps: [['hold', 0, 7], ['release', 0, 8]], told: [[7], [], []] },
    { name: 'another that lets go', steps: [['hold', 0, 7], ['release', 1, 7]], told: [[7], [], []] },
    { name: 'one of two that lets go', steps: [['hold', 0, 7], ['hold', 1, 7], ['release', 0, 7]], told: [[], [7], []] },
    { name: 'one of two places let go', steps: [['hold', 2, 7], ['hold', 2, 8], ['release', 2, 7]], told: [[], [], [[8]]] },
    { name: 'all places let go', steps: [['hold', 2, 7], ['hold', 2, 8], ['release', 2, 7], ['release', 2, 8]], told: [[], [], []] },
  ])('that is revoked tells $name', ({ steps, told }) => {
    const lease = new ReplyLease(100);
    const holders = [holder(), holder(), holder(true)];
    for (const [step, who, place] of steps) lease[step](holders[who]!, place);
    expect([lease.revoked, holders.flatMap((one) => one.told)]).toEqual([false, []]);
    lease.revoke();
    lease.revoke();
    lease.hold(holders[0]!, 99);
    expect([lease.revoked, holders.map((one) => one.told)]).toEqual([true, told]);
  }); // prettier-ignore
});

describe('a lease that is made from another', () => {
  const COUNTDOWN = { ttl: 30, from: 5 };

  it.each([
    { name: 'as long as that', until: undefined, want: 100 },
    { name: 'shorter', until: 50, want: 50 },
    { name: 'no longer than that', until: 200, want: 100 },
  ])('is $name, and of the same maker', ({ until, want }) => {
    const inner = new ReplyLease(100, COUNTDOWN);
    const lease = new DerivedLease(inner, until);
    expect([lease.until, lease.countdown, lease.revoked]).toEqual([want, COUNTDOWN, false]);
    expect([new DerivedLease(lease).origin, lease.maker]).toEqual([inner, undefined]);
  });

  it('ends with it, and tells who holds it', () => {
    const inner = new ReplyLease(100);
    const lease = new DerivedLease(inner);
    const [one, another] = [holder(), holder()];
    lease.hold(one, 3);
    lease.hold(another, 4);
    inner.revoke();
    expect([lease.revoked, one.told, another.told]).toEqual([true, [3], [4]]);
  });

  it('tells nobody who has let go of it', () => {
    const inner = new ReplyLease(100);
    const lease = new DerivedLease(inner);
    const [one, another] = [holder(), holder()];
    lease.hold(one, 3);
    lease.hold(another, 4);
    lease.release(one, 3);
    inner.revoke();
    expect([one.told, another.told]).toEqual([[], [4]]);
  });

  it('is revoked with it where nobody holds it, and may be revoked alone', () => {
    const inner = new ReplyLease(100);
    const [alone, held] = [new DerivedLease(inner), new DerivedLease(inner)];
    const one = holder();
    held.hold(one, 3);
    held.revoke();
    expect([held.revoked, inner.revoked, alone.revoked, one.told]).toEqual([true, false, false, [3]]);
    inner.revoke();
    expect(alone.revoked).toBe(true);
  });

  it('holds that one once, as long as anybody holds it', () => {
    const steps: string[] = [];
    class Noted extends ReplyLease {
      override hold(): void {
        steps.push('hold');
      }
      override release(): void {
        steps.push('release');
      }
    }
    const lease = new DerivedLease(new Noted(100));
    const [one, another] = [holder(), holder()];
    lease.hold(one, 1);
    lease.hold(another, 1);
    lease.release(one, 1);
    expect(steps).toEqual(['hold']);
    lease.release(another, 1);
    lease.hold(one, 2);
    expect(steps).toEqual(['hold', 'release', 'hold']);
  });
});
