import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import type { TcpConnection } from '../../../src/net/network.js';
import { Knock } from '../../../src/plugins/forward/knock.js';
import { FakeNetwork } from '../../support/fake-network.js';

const TO = { address: '10.0.0.1', port: 53 };

/** What comes of the connection is decided by the row. */
class Door extends FakeNetwork {
  readonly knocks: number[] = [];
  signal: AbortSignal | undefined;
  stream: Duplex | undefined;
  open!: () => void;
  refuse!: (code: string) => void;

  override connectTcp: FakeNetwork['connectTcp'] = (remote, signal) => {
    this.knocks.push(this.clock.monotonic());
    this.signal = signal;
    return new Promise<TcpConnection>((resolve, reject) => {
      this.refuse = (code) => reject(Object.assign(new Error(code), { code }));
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      this.open = () => {
        this.stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
        resolve({ stream: this.stream, local: { address: '10.0.0.2', port: 40_000 }, remote });
      };
    });
  };
}

async function knocking(wait: number) {
  const clock = new ManualClock();
  const door = new Door(clock);
  const knock = new Knock(door, clock, TO);
  await clock.advanceAsync(wait);
  return { clock, door, knock, isUnanswered: () => knock.isUnanswered(clock.monotonic()) };
}

describe('Knock', () => {
  it('leaves an upstream alone that answers within 100 ms', async () => {
    const { clock, door, knock, isUnanswered } = await knocking(99);
    expect(door.knocks).toEqual([]);
    knock.stop();
    await clock.advanceAsync(10_000);
    expect([door.knocks, clock.pending, isUnanswered()]).toEqual([[], 0, false]);
  });

  it('says that nobody opened when that took 400 ms, and not before', async () => {
    const { clock, door, isUnanswered } = await knocking(100);
    expect(door.knocks).toHaveLength(1);
    await clock.advanceAsync(399);
    expect(isUnanswered()).toBe(false);
    await clock.advanceAsync(1);
    expect(isUnanswered()).toBe(true);
    // It opens after all.
    door.open();
    await clock.advanceAsync(0);
    expect([isUnanswered(), door.stream!.destroyed]).toEqual([false, true]);
  });

  it.each([
    ...['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'].map((code) => ({ code, want: true })),
    ...['ECONNREFUSED', 'ECONNRESET', 'EMFILE', 'EACCES'].map((code) => ({ code, want: false })),
  ])('$code says that nobody is there: $want', async ({ code, want }) => {
    const { clock, door, isUnanswered } = await knocking(100);
    door.refuse(code);
    await clock.advanceAsync(1000);
    expect(isUnanswered()).toBe(want);
    expect(door.knocks).toHaveLength(1);
  });

  it('given up, keeps what was found', async () => {
    const { clock, door, knock, isUnanswered } = await knocking(100);
    knock.stop();
    expect(door.signal?.aborted).toBe(true);
    await clock.advanceAsync(399);
    expect(isUnanswered()).toBe(false);
    await clock.advanceAsync(1);
    expect(isUnanswered()).toBe(true);
  });
});
