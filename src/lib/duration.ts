import type { Milliseconds } from './units.js';

const UNIT: Record<string, Milliseconds> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Reads a duration as Go writes it: an optional sign and one or more decimal numbers with a unit (`1h30m`, `1.5s`,
 * `250ms`, `0`).
 * Returns undefined when the text is none. Units: ns us ms s m h (https://pkg.go.dev/time#ParseDuration).
 */
export function parseDuration(text: string): Milliseconds | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  const match = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/u.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gu))
    total += Number(count) * UNIT[unit!]!;
  return match[1] === '-' ? -total : total;
}

/** Writes a duration the way Go prints it: `1h0m0s`, `1.5s`, `250ms`, `12.5µs`, `0s`. */
export function formatDuration(duration: Milliseconds): string {
  const nanos = Math.round(Math.abs(duration) * 1e6);
  if (nanos === 0) return '0s';
  const sign = duration < 0 ? '-' : '';
  if (nanos < 1e3) return `${sign}${nanos}ns`;
  if (nanos < 1e6) return `${sign}${trim(nanos / 1e3)}µs`;
  if (nanos < 1e9) return `${sign}${trim(nanos / 1e6)}ms`;
  const seconds = nanos / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${trim((nanos - (hours * 3600 + minutes * 60) * 1e9) / 1e9)}s`;
  return sign + (hours ? `${hours}h${minutes}m${rest}` : minutes ? `${minutes}m${rest}` : rest);
}

const trim = (value: number): string => value.toFixed(9).replace(/\.?0+$/, '');
