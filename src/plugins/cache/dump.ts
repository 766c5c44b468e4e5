import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import { readRegularFile } from '../../lib/regular-file.js';
import type { Milliseconds, Octets, Seconds } from '../../lib/units.js';
import type { EncodedRecords } from '../../wire/index.js';
import { CacheEntry } from './entry.js';
import type { KeptKind } from './lifetime.js';
import type { CacheType } from './options.js';

/** Another format has another first line: what is not known is not read. */
const FORMAT = 'nodens cache 1';
const TYPES: readonly CacheType[] = ['success', 'denial'];
const KINDS: readonly KeptKind[] = ['answer', 'referral', 'denial', 'failure'];

/** One entry as a line of JSON: `until` is wall time, as the clock of the next process starts anew. */
interface Line {
  readonly name: string;
  readonly variant: number;
  readonly flags: number;
  readonly rcode: number;
  readonly ttl: Seconds;
  readonly type: CacheType;
  readonly kind: KeptKind;
  readonly until: Milliseconds;
  readonly counts: readonly [number, number, number];
  readonly ttls: readonly number[];
  readonly bytes: string;
}

/** Writes entries that are no failures into a file of its owner alone, put into place when it is complete. */
export function writeDump(file: string, clock: Clock, entries: Iterable<CacheEntry>): void {
  const fresh = `${file}.${process.pid}`;
  // Whatever stands there, a link to another file perhaps, is not written to.
  rmSync(fresh, { force: true });
  writeFileSync(fresh, dumpOf(clock, entries), { mode: 0o600, flag: 'wx' });
  renameSync(fresh, file);
}

/** Entries that are no failures, as text. */
export function dumpOf(clock: Clock, entries: Iterable<CacheEntry>): string {
  const lines = [FORMAT];
  const wall = clock.now() - clock.monotonic();
  for (const entry of entries) if (entry.kind !== 'failure') lines.push(JSON.stringify(lineOf(entry, wall)));
  return `${lines.join('\n')}\n`;
}

function lineOf({ name, variant, flags, rcode, ttl, type, kind, stored, records }: CacheEntry, wall: number): Line {
  const { bytes, answers, authorities, additionals, ttls } = records;
  const until = Math.round(wall + stored + ttl * 1000);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  return {
    ...{ name, variant, flags, rcode, ttl, type, kind, until },
    ...{ counts: [answers, authorities, additionals], ttls, bytes: text },
  };
}

/**
 * Gives `keep` each entry of a file that has time left, or is not past it by `maxStale`. Returns how many. What a
 * clock that was set back would give a longer life gets `longest` at most.
 *
 * @throws NodensError for a file that `writeDump` did not write; ENOENT where there is none
 */
export function readDump(
  file: string,
  clock: Clock,
  maxStale: Seconds,
  longest: Seconds,
  keep: (entry: CacheEntry) => void,
): number {
  return readDumpText(file, readRegularFile(file).toString('latin1'), clock, maxStale, longest, keep);
}

/** The same for text that is there already; errors show `file`. */
export function readDumpText(
  file: string,
  text: string,
  clock: Clock,
  maxStale: Seconds,
  longest: Seconds,
  keep: (entry: CacheEntry) => void,
): number {
  const [format, ...lines] = text.split('\n');
  if (format !== FORMAT) throw unreadable(file, 1, `got '${format!.slice(0, 40)}', allowed: ${FORMAT}`);
  const wall = clock.now() - clock.monotonic();
  let count = 0;
  lines.forEach((text, i) => {
    if (text === '') return;
    const entry = entryOf(parse(file, i + 2, text), wall, longest);
    const left = entry.timeLeft(clock.monotonic());
    if (left <= 0 && !entry.isStale(left, maxStale)) return;
    keep(entry);
    count++;
  });
  return count;
}

function entryOf({ ttl, type, kind, until, counts, ttls, bytes, ...kept }: Line, wall: number, longest: Seconds) {
  const [answers, authorities, additionals] = counts;
  const records: EncodedRecords = { bytes: Buffer.from(bytes, 'base64'), answers, authorities, additionals, ttls };
  const life = Math.min(ttl, longest);
  return new CacheEntry({ ...kept, records }, life, type, kind, until - wall - life * 1000);
}

function parse(file: string, line: number, text: string): Line {
  let read: Partial<Line>;
  try {
    read = JSON.parse(text) as Partial<Line>;
  } catch {
    throw unreadable(file, line, 'got no JSON, allowed: an entry');
  }
  const { name, variant, flags, rcode, ttl, type, kind, until, counts, ttls, bytes } = read;
  const whole = (value: unknown, most: number): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
  const size: Octets = typeof bytes === 'string' ? Buffer.byteLength(bytes, 'base64') : 0;
  const good =
    typeof name === 'string' &&
    name.endsWith('.') &&
    typeof bytes === 'string' &&
    TYPES.includes(type!) &&
    KINDS.includes(kind!) &&
    whole(variant, Number.MAX_SAFE_INTEGER) &&
    whole(flags, 0xffff) &&
    whole(rcode, 0xfff) &&
    whole(ttl, 2 ** 31 - 1) &&
    whole(until, Number.MAX_SAFE_INTEGER) &&
    Array.isArray(counts) &&
    counts.length === 3 &&
    Array.isArray(ttls) &&
    counts.reduce((sum, count) => sum + (whole(count, 0xffff) ? count : NaN), 0) === ttls.length &&
    ttls.every((at) => whole(at, size - 6));
  if (!good) throw unreadable(file, line, 'got something else, allowed: an entry');
  return read as Line;
}

const unreadable = (file: string, line: number, what: string): NodensError =>
  new NodensError('NODENS_CACHE_FILE', `${file}:${line}: ${what}`);
