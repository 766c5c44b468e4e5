import { readFile } from 'node:fs/promises';
import { openLibc } from '../fastpath/libc.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';

/** After the start, and once more when what starting had left to be done has been done, too. */
const WHEN: readonly Milliseconds[] = [1000, 10_000];
const SMAPS = '/proc/self/smaps';
const MADV_DONTNEED = 4;
const FILE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +(\/.*)$/gm;
/** Libraries, those of packages too. */
const LIBRARY = /\.(?:so|node)[.\d]*$/;

/** A part of this process's addresses. */
export interface Mapping {
  readonly start: number;
  readonly size: Octets;
}

/**
 * The mappings of the program and its libraries that nobody writes to and of which this process has no page of its own,
 * from the text of proc(5)'s `smaps`: what is resident of them can be had from the file again. Other files are left
 * alone: another thread may put something of its own in their place meanwhile, which would be lost.
 */
export function fileMappings(smaps: string, program = process.execPath): Mapping[] {
  // One search through all of it: line by line it takes several times as long.
  return [...smaps.matchAll(FILE_MAPPING)]
    .filter(({ 3: file = '' }) => file === program || LIBRARY.test(file))
    .filter(({ index }) => kilobytes(smaps, 'Rss', index) > 0 && kilobytes(smaps, 'Anonymous', index) === 0)
    .map(([, from = '', to = '']) => ({ start: parseInt(from, 16), size: parseInt(to, 16) - parseInt(from, 16) }));
}

/** The first such field behind `from`. */
function kilobytes(smaps: string, field: string, from: number): number {
  const at = smaps.indexOf(`\n${field}:`, from) + field.length + 2;
  return Number(smaps.slice(at, smaps.indexOf(' kB', at)));
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
