import { describe, expect, it } from 'vitest';
import { usableCpus } from '../../src/server/cpus.js';
import { IO_FLAGS, ioFromFlags } from '../../src/server/io-flags.js';
import { startWorkers } from '../../src/server/io.js';
import { parseFlags } from '../../src/lib/go-flags.js';
import { TestLog } from '../support/block.js';

const fromArgs = (...args: string[]): ReturnType<typeof ioFromFlags> => ioFromFlags(parseFlags(args, IO_FLAGS).values);

describe('flags', () => {
  it('leave the choice to the program', () => {
    const workers = Math.max(1, Math.min(4, usableCpus()) - 1);
    expect(fromArgs()).toEqual({ mode: 'auto', workers });
  });

  it.each([
    { args: ['-io', 'dgram', '-workers', '2'], want: { mode: 'dgram', workers: 2 } },
    { args: ['-io=batched', '-workers=16'], want: { mode: 'batched', workers: 16 } },
    { args: ['-io', 'fast'], want: "-io: expected auto, batched, kernel, dgram or kernel=DEVICE,..., got 'fast'" },
    { args: ['-io', 'kernel', '-workers', '1'], want: { mode: 'kernel', workers: 1 } },
    {
      args: ['-io', 'kernel=eth0,cni0', '-workers', '1'],
      want: { mode: 'kernel', workers: 1, devices: ['eth0', 'cni0'] },
    },
    {
      args: ['-io', 'kernel', '-workers', '1', '-kernel.limit', '50'],
      want: { mode: 'kernel', workers: 1, clientLimit: 50 },
    },
    ...[
      ['kernel', '0'],
      ['kernel', '-1'],
      ['kernel', 'x'],
      ['batched', '50'],
    ].map(([io, limit]) => ({
      args: ['-io', io!, '-kernel.limit', limit!],
      want: `-kernel.limit: expected a number of queries a second from 1 with -io kernel, got '${limit}'`,
    })),
    ...['kernel=', 'kernel=a,,b', 'kernel=a b', 'kernel=../x', 'kernel=abcdefghijklmnop', 'batched=eth0'].map((io) => ({
      args: ['-io', io],
      want: `-io: expected auto, batched, kernel, dgram or kernel=DEVICE,..., got '${io}'`,
    })),
    { args: ['-workers', '0'], want: "-workers: expected 1 to 16, got '0'" },
    { args: ['-workers', '17'], want: "-workers: expected 1 to 16, got '17'" },
    { args: ['-workers', '1.5'], want: "-workers: expected 1 to 16, got '1.5'" },
    { args: ['-workers', 'all'], want: "-workers: expected 1 to 16, got 'all'" },
  ])('$args', ({ args, want }) => {
    expect(fromArgs(...args)).toEqual(want);
  });
});

describe('starting', () => {
  const without = (): Promise<never> => Promise.reject(new Error('no batched calls here'));

  it('starts nothing where plain sockets are asked for', async () => {
    const log = new TestLog();
    expect(await startWorkers({ mode: 'dgram', workers: 1 }, { log, start: without })).toBeUndefined();
    expect(log.lines).toEqual([]);
  });

  it('falls back to plain sockets where batched calls are not to be had, and says why', async () => {
    const log = new TestLog();
    expect(await startWorkers({ mode: 'auto', workers: 1 }, { log, start: without })).toBeUndefined();
    expect(log.lines).toEqual(['[INFO] datagrams are taken as with -io dgram: no batched calls here']);
  });

  it('fails when batched calls are insisted on', async () => {
    await expect(startWorkers({ mode: 'batched', workers: 1 }, { log: new TestLog(), start: without })).rejects.toThrow(
      '-io batched: no batched calls here',
    );
  });

  describe('with the kernel', () => {
    const below = { memory: 'kept there', serve: () => () => undefined, close: () => undefined };
    const options = { mode: 'kernel', workers: 1, devices: ['eth7'] } as const;
    const started: unknown[] = [];
    const start = (given: object): Promise<never> => {
      started.push((given as { below?: unknown }).below);
      return Promise.resolve(undefined as never);
    };

    it('gives the threads what answers below them', async () => {
      const log = new TestLog();
      const asked: unknown[] = [];
      const open = (...args: unknown[]): never => {
        asked.push(args[0]);
        return below as never;
      };
      await startWorkers(options, { log, start, open });
      expect([asked, started.pop()]).toEqual([[['eth7']], below]);
      expect(log.lines).toEqual(['[INFO] the kernel answers at eth7 what may be shared with everybody']);
    });

    it('serves as before where the kernel does not let it, and says why', async () => {
      const log = new TestLog();
      const open = (): never => {
        throw new Error('no device eth7');
      };
      await startWorkers(options, { log, start, open });
      expect(started.pop()).toBeUndefined();
      expect(log.lines).toEqual([
        '[WARNING] datagrams are taken as with -io batched, without the kernel: no device eth7',
      ]);
    });
  });
});
