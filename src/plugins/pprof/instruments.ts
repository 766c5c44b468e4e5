import { Session } from 'node:inspector/promises';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import { cpuProfile, heapProfile, type SampledHeap } from './profile.js';

/** One sample in so many bytes, as Go takes them. */
const HEAP_INTERVAL: Octets = 512 * 1024;

/** V8's profilers for this process's main thread, in which the chains run. Each costs something only while it is used. */
export class Instruments {
  private busy = false;

  constructor(private readonly clock: Clock) {}

  /**
   * Where the CPU's time goes for `duration`, in pprof's format; undefined while V8 makes another profile. Rejects with
   * the reason of `signal`, which ends the profile.
   */
  cpu(duration: Milliseconds, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.alone(async (session) => {
      const began = this.clock.now();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(this.clock, duration, signal);
      const { profile } = await session.post('Profiler.stop');
      return cpuProfile(profile, began);
    });
  }

  /** In the same way: what is allocated for `duration` and in use at its end. */
  heap(duration: Milliseconds, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.alone(async (session) => {
      await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL });
      await sleep(this.clock, duration, signal);
      const { profile } = await session.post('HeapProfiler.stopSampling');
      return heapProfile(profile as unknown as SampledHeap, this.clock.now(), duration, HEAP_INTERVAL);
    });
  }

  private async alone<T>(work: (session: Session) => Promise<T>): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    const session = new Session();
    try {
      session.connect();
      return await work(session);
    } finally {
      session.disconnect();
      this.busy = false;
    }
  }
}
