import type { PlaybackFrame } from './frames.js';

/** A lookup as the page's address names it, and the moment of it that is shown. */
export interface PageAddress {
  readonly topology: string;
  /** `namespace/name`. */
  readonly pod: string;
  readonly name: string;
  /** `A,AAAA`, `A` or `AAAA`. */
  readonly types: string;
  readonly libc: string;
  /** As {@link stepOf} writes it. */
  readonly step: string;
}

const KEYS: readonly (keyof PageAddress)[] = ['topology', 'pod', 'name', 'types', 'libc', 'step'];
/** What an address does not say because nearly all would. */
const DEFAULTS: PageAddress = { topology: '', pod: '', name: '', types: 'A,AAAA', libc: 'glibc', step: '' };

/** Reads the part of an address behind the question mark. What it does not say is as a new page has it. */
export function readAddress(search: string): PageAddress {
  const params = new URLSearchParams(search);
  return Object.fromEntries(KEYS.map((key) => [key, params.get(key) ?? DEFAULTS[key]])) as unknown as PageAddress;
}

/** The part of an address behind the question mark, with it; empty where there is nothing to say. */
export function addressText(address: PageAddress): string {
  const told = KEYS.filter((key) => address[key] !== DEFAULTS[key]).map(
    (key) => `${key}=${encodeURIComponent(address[key]).replaceAll('%2F', '/').replaceAll('%2C', ',')}`,
  );
  return told.length === 0 ? '' : `?${told.join('&')}`;
}

/** A moment as an address names it: empty for the first, `3.2` for hop 2 of query 3, `end`. */
export const stepOf = ({ kind, query, hop }: PlaybackFrame): string =>
  kind === 'start' ? '' : kind === 'end' ? 'end' : `${query + 1}.${hop + 1}`;

/**
 * The number of the moment that an address names. The same lookup may take fewer hops another time, as when a cache
 * has the answer: then it is the last moment of that query, and the first of all where there is no such query.
 */
export function frameAt(frames: readonly PlaybackFrame[], step: string): number {
  const exact = frames.findIndex((frame) => stepOf(frame) === step);
  if (exact >= 0) return exact;
  const query = Number.parseInt(step, 10) - 1;
  return Math.max(
    0,
    frames.findLastIndex((frame) => frame.query === query && query >= 0),
  );
}
