import { UdpWorkerPool, type WorkerPoolOptions } from '../fastpath/udp-worker-pool.js';
import { NodensError } from '../lib/errors.js';
import { memoryLimit } from '../lib/memory-limit.js';
import { defaultWorkers, type IoOptions } from './io-flags.js';

/** What threads are started with, and by whom. */
export interface Starting extends Pick<WorkerPoolOptions, 'log' | 'inherited' | 'started'> {
  readonly start?: typeof UdpWorkerPool.start;
}

/**
 * Starts the threads; undefined where plain sockets are asked for, or where there is nothing better. Rejects when
 * batched I/O is insisted on.
 */
export async function startWorkers(
  options: IoOptions | undefined,
  { start = UdpWorkerPool.start.bind(UdpWorkerPool), ...starting }: Starting,
): Promise<UdpWorkerPool | undefined> {
  const { mode, workers } = options ?? { mode: 'auto', workers: defaultWorkers() };
  if (mode === 'dgram') return undefined;
  try {
    return await start({ ...starting, workers, memory: memoryLimit() });
  } catch (error) {
    if (mode === 'batched')
      throw new NodensError('NODENS_FLAG', `-io batched: ${(error as Error).message}`, { cause: error });
    starting.log.info(`datagrams are taken as with -io dgram: ${(error as Error).message}`);
    return undefined;
  }
}
