import { randomInt } from 'node:crypto';
import { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { AnswersBelow, WorkerPoolOptions } from '../fastpath/worker-pool-options.js';
import { KernelAnswers } from '../kernel/kernel-answers.js';
import { realClock } from '../lib/clock.js';
import { NodensError } from '../lib/errors.js';
import { memoryLimit } from '../lib/memory-limit.js';
import { defaultWorkers, type IoOptions } from './io-flags.js';

/** What threads are started with, and by whom. */
export interface Starting extends Pick<WorkerPoolOptions, 'log' | 'inherited' | 'started' | 'countClients' | 'begun'> {
  readonly begin?: typeof UdpWorkerPool.begin;
  readonly open?: typeof KernelAnswers.open;
}

/** Threads that have been begun. */
export interface StartingWorkers {
  readonly pool: UdpWorkerPool;
  /**
   * Whether they run; where not, the log says why, and the pool is stopped. Rejects when batched I/O is insisted on and
   * they do not.
   */
  readonly running: Promise<boolean>;
}

/**
 * Begins to start the threads, and before them the program in the kernel where that is asked for and can be had;
 * undefined where plain sockets are asked for, or where there is nothing better. Throws when batched I/O is insisted on
 * and not to be had.
 */
export function beginWorkers(
  options: IoOptions | undefined,
  {
    begin = UdpWorkerPool.begin.bind(UdpWorkerPool),
    open = KernelAnswers.open.bind(KernelAnswers),
    ...starting
  }: Starting,
): StartingWorkers | undefined {
  const { mode, workers, devices, clientLimit, memory }: IoOptions = options ?? {
    mode: 'auto',
    workers: defaultWorkers(),
  };
  if (mode === 'dgram') return undefined;
  const below = mode === 'kernel' ? openBelow({ devices, clientLimit, memory }, starting, open) : undefined;
  const failed = (error: unknown): false => {
    below?.close();
    const reason = (error as Error).message;
    if (mode === 'batched') throw new NodensError('NODENS_FLAG', `-io batched: ${reason}`, { cause: error });
    starting.log.info(`datagrams are taken as with -io dgram: ${reason}`);
    return false;
  };
  let pool;
  try {
    pool = begin({ ...starting, workers, memory: memoryLimit(memory), below });
  } catch (error) {
    failed(error);
    return undefined;
  }
  const running = pool.running.then(() => true, failed);
  // The Corefile may fail before anybody asks.
  running.catch(() => undefined);
  return { pool, running };
}

function openBelow(
  { devices, clientLimit, memory }: Pick<IoOptions, 'devices' | 'clientLimit' | 'memory'>,
  { log, inherited }: Pick<Starting, 'log' | 'inherited'>,
  open: NonNullable<Starting['open']>,
): AnswersBelow | undefined {
  try {
    const seed = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;
    const below = open({ devices, limit: memoryLimit(memory), seed, clock: realClock, log, clientLimit, inherited });
    const where = devices?.join(', ') ?? 'devices that have an address';
    log.info(`the kernel answers at ${where} what may be shared with everybody`);
    return below;
  } catch (error) {
    log.warning(`datagrams are taken as with -io batched, without the kernel: ${(error as Error).message}`);
    return undefined;
  }
}
