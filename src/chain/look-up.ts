import { Class, isName, type Edns, type Name, type Rr } from '../wire/index.js';
import type { Next } from './handler.js';
import { Query } from './query.js';
import type { Outcome } from './outcome.js';
import { Reply } from './reply.js';

/** What the server itself says about a name: its sections, which errors leave empty, and whether it was cut short. */
export interface Found {
  readonly rcode: number;
  readonly answer: readonly Rr[];
  readonly authority: readonly Rr[];
  readonly additional: readonly Rr[];
  readonly edns: Edns | undefined;
  readonly truncated: boolean;
}

/**
 * Most questions that one client's query may lead to, one within the other: names can lead to each other, and to
 * longer and longer ones.
 */
const MAX_NESTED = 8;

/**
 * Asks the server, through `ask`, for the target of an alias on behalf of `query`: with its transport, flags and
 * EDNS, in class IN. undefined
 * when nothing was answered, for a name that is none, and where one question leads to another more than 8 deep.
 */
export function lookUp(
  ask: Next,
  query: Query,
  name: Name,
  type: number,
): Found | undefined | Promise<Found | undefined> {
  if (query.context.depth >= MAX_NESTED || !isName(name)) return undefined;
  const asked = new Query(query.withQuestion(name, type, Class.IN).bytes, query.context.nested());
  const outcome = ask(asked);
  return outcome instanceof Promise ? outcome.then((settled) => found(settled, asked)) : found(outcome, asked);
}

function found(outcome: Outcome, asked: Query): Found | undefined {
  if (!(outcome instanceof Reply)) return undefined;
  const { answer, authority, additional, edns } = outcome.messageFor(asked);
  return { rcode: outcome.rcode, answer, authority, additional, edns, truncated: outcome.truncated };
}
