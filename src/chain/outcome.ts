import { Reply } from './reply.js';
import { Transfer } from './transfer.js';

/** No reply at all: the query is left unanswered. */
export const DROP: unique symbol = Symbol('drop');
export type Drop = typeof DROP;

export type Outcome = Reply | Drop | Transfer;

/** The reply that an outcome is, for handlers that observe: of a transfer its head, undefined for no reply. */
export function replyOf(outcome: Outcome): Reply | undefined {
  if (outcome === DROP) return undefined;
  return outcome instanceof Transfer ? outcome.head : outcome;
}

/** Applies `change` at once to a plain reply, later to a promised one. DROP and transfers pass unchanged. */
export function mapReply(
  outcome: Outcome | Promise<Outcome>,
  change: (reply: Reply) => Outcome,
): Outcome | Promise<Outcome> {
  if (outcome instanceof Promise)
    return outcome.then((settled) => (settled instanceof Reply ? change(settled) : settled));
  return outcome instanceof Reply ? change(outcome) : outcome;
}
