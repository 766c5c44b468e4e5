import type { Milliseconds } from '../../lib/units.js';
import type { Proxy } from './proxy.js';

/** What is known of an upstream, to be told to another process: as text, which may be another version's. */
interface KnownUpstream {
  readonly to: string;
  /** Health checks that failed in a row. */
  readonly fails: number;
  /** It left queries unanswered, and was not heard since. */
  readonly silent: boolean;
  /** See `RoundTrip.state`. */
  readonly roundTrip: readonly number[];
}

/** What this process has learnt of its upstreams, as text. */
export const knownUpstreams = (proxies: readonly Proxy[]): string =>
  JSON.stringify(proxies.map((proxy): KnownUpstream => ({ to: proxy.address, ...proxy.known })));

/**
 * Goes on with what another process has learnt; upstreams that it does not know, and words of another version, are left
 * out.
 */
export function learnOf(proxies: readonly Proxy[], text: string, now: Milliseconds): void {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    return;
  }
  if (!Array.isArray(told)) return;
  for (const known of told.filter(isKnown)) proxies.find(({ address }) => address === known.to)?.goOn(known, now);
}

function isKnown(value: unknown): value is KnownUpstream {
  if (typeof value !== 'object' || value === null) return false;
  const { to, fails, silent, roundTrip } = value as Partial<Record<keyof KnownUpstream, unknown>>;
  const isAmount = (one: unknown): boolean => typeof one === 'number' && Number.isFinite(one) && one >= 0;
  const isState = Array.isArray(roundTrip) && roundTrip.length === 4 && roundTrip.every(isAmount);
  return typeof to === 'string' && typeof silent === 'boolean' && isAmount(fails) && isState;
}
