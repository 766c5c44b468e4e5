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
 * Which plugin stands as the writer of a chain's replies: the one right behind `prometheus`, whoever answers, as with
 * CoreDNS, where each plugin hands what comes back on to the one before it.
 */
export function writersOf(handlers: readonly Handler[]): Writers {
  const name = handlers[handlers.findIndex((handler) => handler.name === 'prometheus') + 1]?.name ?? '';
  return { atOnce: name, waited: name };
}
