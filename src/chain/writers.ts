import type { Handler } from './handler.js';

/**
 * Names for the `plugin` label of `coredns_dns_responses_total`: of replies that came at once, and of those that had
 * to be waited for.
 * An empty name stands where no plugin made a reply.
 */
export interface Writers {
  readonly atOnce: string;
  readonly waited: string;
}

export const NOBODY: Writers = { atOnce: '', waited: '' };

/**
 * Which plugin stands as the writer of a chain's replies. In the reference it is the one whose code hands the message
 * over, found by looking at the
 * call stack: the first plugin behind `prometheus` that wraps replies (loadbalance, cache, rewrite), otherwise the
 * plugin that answers. Here it is settled
 * when the chain is known: the first handler that wraps, else `forward` for replies that were waited for and the
 * first other answering plugin for
 * those that came at once.
 */
export function writersOf(handlers: readonly Handler[]): Writers {
  const wrapping = handlers.find(({ role }) => role === 'wraps');
  if (wrapping) return { atOnce: wrapping.name, waited: wrapping.name };
  const answering = handlers.filter(({ role }) => role !== 'observes');
  const waits = answering.find((handler) => handler.waits)?.name;
  const other = answering.find((handler) => !handler.waits)?.name;
  return { atOnce: other ?? waits ?? '', waited: waits ?? other ?? '' };
}
