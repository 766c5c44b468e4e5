import os from 'node:os';
import { Channel } from './channel.js';
import { repeat, type Clock } from './clock.js';
import type { Logger } from './log.js';
import type { Milliseconds, Octets } from './units.js';

/** What is done about memory, the mildest first; each does what those before it do, too. */
export const MEMORY_STEPS = ['ample', 'shrink', 'wait', 'refuse'] as const;
export type MemoryStep = (typeof MEMORY_STEPS)[number];

/** Shares of the ceiling from which caches shrink, new connections wait, and queries are refused. */
const SHARES = { shrink: 0.85, wait: 0.92, refuse: 0.97 } as const;
/** A step is left at so much less, lest it come and go all the time. */
const SLACK = 0.02;
const INTERVAL: Milliseconds = 100;
/** Of a container's limit, what is left to the kernel: buffers of sockets, pages of files. */
const MARGIN = 0.1;

/** Where the operator says nothing: the container's limit less a tenth; undefined where there is no limit. */
export function defaultCeiling(
  limit: Octets = process.constrainedMemory(),
  total: Octets = os.totalmem(),
): Octets | undefined {
  return limit > 0 && limit < total ? Math.floor(limit * (1 - MARGIN)) : undefined;
}

/** Reads `170Mi`, `1Gi`, `500M` or a number of bytes, as Kubernetes writes quantities; undefined for anything else. */
export function parseMemory(text: string): Octets | undefined {
  const found = /^(\d{1,15})(Ki|Mi|Gi|k|M|G)?$/.exec(text);
  if (found === null) return undefined;
  const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 } as const;
  return Number(found[1]) * (found[2] === undefined ? 1 : units[found[2] as keyof typeof units]);
}

export interface CeilingParts {
  readonly ceiling: Octets;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the process takes, in bytes; by default with the program's own pages, as buffers of sockets come on top. */
  readonly resident?: () => Octets;
  /** Frees what nothing refers to any more. */
  readonly collect?: () => void;
}

/** Keeps a process below a size: looks ten times a second, and says what is to be done about it. */
export class MemoryCeiling {
  /** Told ten times a second while caches are to shrink. */
  readonly shrinking = new Channel<void>();
  private index = 0;
  private collected: Milliseconds = -Infinity;

  constructor(private readonly parts: CeilingParts) {
    // The process ends as it would without.
    repeat(parts.clock, INTERVAL, () => this.look());
  }

  get ceiling(): Octets {
    return this.parts.ceiling;
  }

  get step(): MemoryStep {
    return MEMORY_STEPS[this.index]!;
  }

  /** Whether connections that come now are to wait. */
  get delays(): boolean {
    return this.index >= 2;
  }

  /** Whether queries are to be refused that would need memory. */
  get refuses(): boolean {
    return this.index >= 3;
  }

  private look(): void {
    const { ceiling, log, resident = () => process.memoryUsage.rss(), collect, clock } = this.parts;
    const share = resident() / ceiling;
    const before = this.step;
    const wanted = stepAt(share);
    this.index = wanted >= this.index ? wanted : Math.max(wanted, stepAt(share + SLACK));
    if (this.step !== before)
      log.warning(`memory: ${Math.round(share * 100)} % of ${Math.round(ceiling / 2 ** 20)} MiB: ${WORDS[this.step]}`);
    if (this.index === 0) return;
    this.shrinking.emit();
    const now = clock.monotonic();
    if (now - this.collected < 10 * INTERVAL) return;
    this.collected = now;
    collect?.();
  }
}

const WORDS: Readonly<Record<MemoryStep, string>> = {
  ample: 'all is well again',
  shrink: 'caches shrink',
  wait: 'new connections wait',
  refuse: 'queries are refused that are not answered from what is kept',
};

const stepAt = (share: number): number =>
  share >= SHARES.refuse ? 3 : share >= SHARES.wait ? 2 : share >= SHARES.shrink ? 1 : 0;
