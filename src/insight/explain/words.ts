import type { AttemptNote, CacheNote } from '../../chain/index.js';
import type { FilePlace } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { rcodeName } from '../../wire/index.js';

/** `1.2 ms`, `951 ms`, `5.0 s`. */
export function timeText(time: Milliseconds): string {
  if (time < 100) return `${time.toFixed(1)} ms`;
  return time < 2000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`;
}

/** `Corefile:3`. */
export const placeText = ({ file, line }: FilePlace): string => (line === undefined ? file : `${file}:${line}`);

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** What a cache knew, in words: undefined for a server without one. */
export function cacheText(note: CacheNote | undefined): string {
  switch (note?.state) {
    case undefined:
      return 'no cache';
    case 'hit':
      return ['cache hit', ...ageText(note)].join(', ');
    case 'stale':
      return `cache: stale, ${ageText(note).join(', ')}`;
    case 'miss':
      return 'cache miss';
    case 'disabled':
      return `cache disabled for ${note.what === 'success' ? 'answers' : 'denials'} of this name`;
    case 'bypassed':
      return 'no cache for such queries';
  }
}

function ageText({ age, left }: CacheNote): string[] {
  if (age === undefined || left === undefined) return [];
  return [`stored ${age} s ago`, left > 0 ? `valid for ${left} s` : `over since ${-left} s`];
}

/** Attempts of one kind with one upstream. */
export interface AskedUpstream {
  readonly plugin: string;
  readonly to: string;
  readonly protocol: AttemptNote['protocol'];
  readonly result: AttemptNote['result'];
  /** `NOERROR`, `timeout`, `connection refused`. */
  readonly outcome: string;
  readonly times: number;
  /** From the first message to the end of the last one. */
  readonly time: Milliseconds;
}

/** The attempts of a query, those that came to the same with one upstream taken together. */
export function askedOf(notes: readonly AttemptNote[]): readonly AskedUpstream[] {
  const groups = new Map<string, AttemptNote[]>();
  for (const note of notes) {
    const key = [note.to, note.protocol, outcomeText(note)].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), note]);
  }
  return [...groups.values()].map((group) => {
    const [{ plugin, to, protocol, result }] = group as [AttemptNote];
    const time = Math.max(...group.map(({ ended }) => ended)) - Math.min(...group.map(({ sent }) => sent));
    return { plugin, to, protocol, result, outcome: outcomeText(group[0]!), times: group.length, time };
  });
}

function outcomeText({ result, rcode, text = 'error' }: AttemptNote): string {
  if (result === 'answered') return rcodeName(rcode ?? 0);
  if (result === 'error') return errorText(text);
  return result === 'timeout' ? 'timeout' : 'overtaken';
}

/** What an error of the network comes to: `connection refused`. Addresses and ports before it are told already. */
export const errorText = (text: string): string =>
  text.replace(/^(dial|read|write) (udp|tcp) \S+: ((connect|read|write): )?/, '');

/** `10.0.0.1:53 by UDP: timeout after 5.0 s, asked 4 times`. */
export const askedText = ({ to, protocol, outcome, times, time }: AskedUpstream): string =>
  `${to} by ${protocol.toUpperCase()}: ${outcome} after ${timeText(time)}${times > 1 ? `, asked ${times} times` : ''}`;
