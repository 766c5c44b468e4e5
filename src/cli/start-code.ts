import { readFile } from 'node:fs/promises';
import { openLibc } from '../fastpath/libc.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';

/** After the start, and once more when what starting had left to be done has been done, too. */
const WHEN: readonly Milliseconds[] = [1000, 10_000];
const SMAPS = '/proc/self/smaps';
const MADV_DONTNEED = 4;

/** A part of this process's addresses. */
export interface Mapping {
  readonly start: number;
  readonly size: Octets;
}

/**
 * The mappings of files that nobody writes to and of which this process has no page of its own, from the text of
 * proc(5)'s `smaps`: what is resident of them can be had from the file again.
 */
export function fileMappings(smaps: string): Mapping[] {
  const found: Mapping[] = [];
  let mapping: Mapping | undefined;
  let resident = false;
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(\S*)/.exec(line);
    if (head !== null) {
      const [, from = '', to = '', permissions = '', path = ''] = head;
      const start = parseInt(from, 16);
      mapping =
        /^r-[-x]p$/.test(permissions) && path.startsWith('/') ? { start, size: parseInt(to, 16) - start } : undefined;
      resident = false;
      continue;
    }
    const [, field, amount] = /^(Rss|Anonymous): +(\d+) kB/.exec(line) ?? [];
    if (field === 'Rss') resident = Number(amount) > 0;
    if (field === 'Anonymous' && amount === '0' && resident && mapping !== undefined) found.push(mapping);
  }
  return found;
}

/** Drops what is resident of the program's files; undefined where the system has no such call. */
export function loadDrop(): (() => Promise<void>) | undefined {
  let madvise: (start: number, size: Octets, advice: number) => number;
  try {
    madvise = openLibc().lib.func('int madvise(uintptr_t, size_t, int)') as typeof madvise;
  } catch {
    return undefined;
  }
  return async () => {
    try {
      for (const { start, size } of fileMappings(await readFile(SMAPS, 'latin1'))) madvise(start, size, MADV_DONTNEED);
    } catch {
      // A system without it, or a process that may not look: everything stays.
    }
  };
}

/**
 * Takes what only the start needed of the program and its libraries, as they lie in their files, out of memory: a
 * quarter of what an idle server has. What is needed again comes back when it is touched.
 */
export function dropStartCode(clock: Clock, drop = loadDrop()): void {
  if (drop !== undefined) for (const time of WHEN) clock.setTimeout(() => void drop(), time);
}
