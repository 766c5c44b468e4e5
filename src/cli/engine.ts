import v8 from 'node:v8';
import vm from 'node:vm';
import type { Milliseconds } from '../lib/units.js';

/** Both halves of the young generation together, in bytes. */
const YOUNG_GENERATION = 4 << 20;
/** Numbers in an array of 64 KB, which is still made in the young generation. */
const FILLER = 8192;
/** Arrays after which growing is given up: some four times what is needed. */
const MAX_FILLERS = 128;
/** Collecting less than this takes some milliseconds, in bytes. */
const MUCH = 32 << 20;
const SOON: Milliseconds = 100;

/**
 * Sets V8 up for a server that lives long on a node that it shares with pods: its garbage dies young and its hot code
 * is little. A young generation of two times 2 MB (half of it makes a forward a fifth dearer, more is memory that pods
 * could use), no code between interpreted and optimized, a collector that can be called, and that does its small work
 * by itself: waking threads for it takes longer. As flags of the command line would do it, which a launcher of one line
 * cannot give on each system; to be called before anything else grows the heap.
 */
export function tuneEngine(): void {
  tuneThreads();
  // What is kept, as in a cache, is old; by default as much again, or three times as much, may be garbage.
  v8.setFlagsFromString('--heap-growing-percent=30');
  // The largest size is fixed when the process starts, but not whether the generation grows: let it grow, with what
  // survives, to the size that is wanted, and no further.
  const survivors: number[][] = [];
  while (youngGeneration() < YOUNG_GENERATION && survivors.length < MAX_FILLERS)
    survivors.push(new Array<number>(FILLER).fill(0.5));
  holdYoungGeneration();
}

/** The part of it that threads mind, to be called before one is begun. */
export function tuneThreads(): void {
  v8.setFlagsFromString('--no-sparkplug');
  v8.setFlagsFromString('--expose-gc');
  v8.setFlagsFromString('--no-parallel-scavenge');
}

/** The young generation grows no further; to be called again after each start of a thread, which undoes it in V8. */
export const holdYoungGeneration = (): void => v8.setFlagsFromString('--semi-space-growth-factor=1');

const youngGeneration = (): number =>
  v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;

/** Frees what nothing refers to any more. */
export function collectGarbage(): void {
  (vm.runInNewContext('gc') as () => void)();
}

/**
 * Frees what starting leaves behind: reading thousands of objects leaves twice their size, and the heap would grow on
 * from there. Much of it goes before queries come, which would wait for that; little is left until the first are
 * answered.
 */
export function collectAfterStart(): void {
  if (v8.getHeapStatistics().used_heap_size > MUCH) collectGarbage();
  else setTimeout(collectGarbage, SOON).unref();
}
