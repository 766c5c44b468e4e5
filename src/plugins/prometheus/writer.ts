import type { Handler, WrapsReply } from '../../chain/index.js';

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

/** Handlers that hand on what others answer and change nothing of it. */
const PASS_ON = new Set(['prometheus', 'errors', 'log', 'loop']);

/** The plugin that asks upstreams, and so the one whose replies are waited for. */
const WAITS = 'forward';

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
  const wrapping = handlers.find((handler) => (handler as Partial<WrapsReply>).wrapsReply === true);
  if (wrapping) return { atOnce: wrapping.name, waited: wrapping.name };
  const answering = handlers.map((handler) => handler.name).filter((name) => !PASS_ON.has(name) && name !== 'rewrite');
  const forward = answering.includes(WAITS) ? WAITS : undefined;
  const other = answering.find((name) => name !== WAITS);
  return { atOnce: other ?? forward ?? '', waited: forward ?? other ?? '' };
}
