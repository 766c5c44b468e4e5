import { describe, expect, it } from 'vitest';
import { usableCpus } from '../../src/server/cpus.js';
import { IO_FLAGS, defaultWorkers, ioFromFlags } from '../../src/server/io-flags.js';
import { beginWorkers } from '../../src/server/io.js';
import { parseFlags } from '../../src/lib/go-flags.js';
import { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { Server } from '../../src/server/server.js';
import { decodeMessage } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';
import { query } from '../support/dns.js';
import { WAYS as WAYS_IN } from '../support/ways.js';

const fromArgs = (...args: string[]): ReturnType<typeof ioFromFlags> => ioFromFlags(parseFlags(args, IO_FLAGS).values);

describe('flags', () => {
  it('leave the choice to the program', () => {
    const workers = defaultWorkers(usableCpus());
    expect(fromArgs()).toEqual({ mode: 'auto', workers });
  });

  // One core is the chain's, and a fourth thread gains nothing.
  it.each([
    { cpus: 1, workers: 1 },
    { cpus: 2, workers: 1 },
    { cpus: 3, workers: 2 },
    { cpus: 4, workers: 3 },
    { cpus: 5, workers: 3 },
    { cpus: 64, workers: 3 },
  ])('leave $workers of $cpus processors to threads', ({ cpus, workers }) =>
    expect(defaultWorkers(cpus)).toBe(workers),
  );

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
      args: ['-io', 'kernel=xdp:eth0,clsact:lxc*,tcx:cni0', '-workers', '1'],
      want: { mode: 'kernel', workers: 1, devices: ['xdp:eth0', 'clsact:lxc*', 'tcx:cni0'] },
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
    ...[
      'kernel=',
      'kernel=a,,b',
      'kernel=a b',
      'kernel=../x',
      'kernel=abcdefghijklmnop',
      'kernel=xdp:',
      'kernel=tc:eth0',
      'batched=eth0',
    ].map((io) => ({
      args: ['-io', io],
      want: `-io: expected auto, batched, kernel, dgram or kernel=DEVICE,..., got '${io}'`,
    })),
    ...['0', '64Mi', '67108864', '1G'].map((memory, i) => ({
      args: ['-io', 'dgram', '-workers', '1', '-memory', memory],
      want: { mode: 'dgram', workers: 1, ...[{}, { memory: 64 << 20 }, { memory: 64 << 20 }, { memory: 1e9 }][i] },
    })),
    ...['1', '67108863', '63Mi', 'much'].map((memory) => ({
      args: ['-memory', memory],
      want: `-memory: expected 0 or at least 64Mi, such as 170Mi, got '${memory}'`,
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
  /** Threads that run, or do not. */
  const pool = (running: Promise<void>): never => ({ running }) as never;
  const broken = (): Error => new Error('no batched calls here');
  const WAYS = [
    {
      when: 'at once',
      begin: (): never => {
        throw broken();
      },
    },
    { when: 'when they start', begin: () => pool(Promise.reject(broken())) },
  ];

  /** What it came to: whether threads take datagrams. */
  const begun = async (...args: Parameters<typeof beginWorkers>): Promise<boolean> =>
    (await beginWorkers(...args)?.running) ?? false;

  it('begins nothing where plain sockets are asked for', () => {
    const log = new TestLog();
    expect(beginWorkers({ mode: 'dgram', workers: 1 }, { log, begin: WAYS[0]!.begin })).toBeUndefined();
    expect(log.lines).toEqual([]);
  });

  it.each(WAYS)('falls back to plain sockets where threads fail $when, and says why', async ({ begin }) => {
    const log = new TestLog();
    expect(await begun({ mode: 'auto', workers: 1 }, { log, begin })).toBe(false);
    expect(log.lines).toEqual(['[INFO] datagrams are taken as with -io dgram: no batched calls here']);
  });

  it.each(WAYS)('ends when batched calls are insisted on and threads fail $when', async ({ begin }) => {
    const log = new TestLog();
    await expect(begun({ mode: 'batched', workers: 1 }, { log, begin })).rejects.toThrow(
      '-io batched: no batched calls here',
    );
    expect(log.lines).toEqual([]);
  });

  it('is no fault where nobody asks how it went, as the Corefile has failed before', async () => {
    const workers = beginWorkers({ mode: 'batched', workers: 1 }, { log: new TestLog(), begin: WAYS[1]!.begin })!;
    // What is rejected and has nobody by now would end the process.
    await new Promise((resolve) => setImmediate(resolve));
    await expect(workers.running).rejects.toThrow('-io batched: no batched calls here');
  });

  it.skipIf(process.platform !== 'linux')('serves with plain sockets a server that was told of threads', async () => {
    const log = new TestLog();
    const program = new URL('file:///nonexistent/worker.js');
    const workers = beginWorkers(
      { mode: 'auto', workers: 1 },
      { log, begin: (options) => UdpWorkerPool.begin({ ...options, program }) },
    )!;
    const corefile = '.:0 {\n  bind 127.0.0.1\n  whoami\n}\n';
    const server = await Server.create({ corefile, log, workerPool: workers.pool });
    expect(await workers.running).toBe(false);
    await server.listen();
    const line = await WAYS_IN.find(({ name }) => name === 'UDP, dgram')!.connect(server, '127.0.0.1');
    expect(decodeMessage(await line.ask(query('www.example.org.').bytes)).rcode).toBe(0);
    line.close();
    await server.stop();
  });

  describe('with the kernel', () => {
    let closed = 0;
    const below = { memory: 'kept there', serve: () => () => undefined, close: () => void closed++ };
    const options = { mode: 'kernel', workers: 1, devices: ['eth7'] } as const;
    const started: unknown[] = [];
    const begin = (given: object): never => {
      started.push((given as { below?: unknown }).below);
      return pool(Promise.resolve());
    };

    it('gives the threads what answers below them', async () => {
      const log = new TestLog();
      const asked: unknown[] = [];
      const open = (...args: unknown[]): never => {
        asked.push((args[0] as { devices: unknown }).devices);
        return below as never;
      };
      expect(await begun(options, { log, begin, open })).toBe(true);
      expect([asked, started.pop(), closed]).toEqual([[['eth7']], below, 0]);
      expect(log.lines).toEqual(['[INFO] the kernel answers at eth7 what may be shared with everybody']);
    });

    it('draws a seed of two numbers of 32 bits for it each time', async () => {
      const seeds: (readonly number[])[] = [];
      const open = (...args: unknown[]): never => {
        seeds.push((args[0] as { seed: readonly number[] }).seed);
        return below as never;
      };
      for (let i = 0; i < 30; i++) await begun(options, { log: new TestLog(), begin, open });
      started.length = 0;
      const numbers = seeds.flat();
      expect(numbers).toHaveLength(60);
      expect(new Set(numbers).size).toBeGreaterThan(55);
      expect(numbers.every((one) => Number.isInteger(one) && one >= 0 && one < 2 ** 32)).toBe(true);
      expect(Math.max(...numbers)).toBeGreaterThan(2 ** 30);
    });

    it.each(WAYS)('lets go of it where threads fail $when', async ({ begin: failing }) => {
      closed = 0;
      expect(await begun(options, { log: new TestLog(), begin: failing, open: () => below as never })).toBe(false);
      expect(closed).toBe(1);
    });

    it('serves as before where the kernel does not let it, and says why', async () => {
      const log = new TestLog();
      const open = (): never => {
        throw new Error('no device eth7');
      };
      expect(await begun(options, { log, begin, open })).toBe(true);
      expect(started.pop()).toBeUndefined();
      expect(log.lines).toEqual([
        '[WARNING] datagrams are taken as with -io batched, without the kernel: no device eth7',
      ]);
    });
  });
});
