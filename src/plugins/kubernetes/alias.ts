import { lookUp, type Next, type Query } from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import { Type, encodeName, isSubdomain, lowerName, type Name, type Rr } from '../../wire/index.js';
import type { EndpointsFound, Finding } from './object-finder.js';
import { addressRecords, record } from './records.js';
import type { Zone } from './zone.js';

/** Most aliases that lead to each other within the zone. */
const MAX_CHAIN = 10;

export interface AliasContext {
  readonly zone: Zone;
  readonly ttl: Seconds;
  /** Asks the whole server. */
  readonly ask: Next;
  /** What a name in the zone is. */
  find(name: Name): Finding;
}

/** The records an alias comes to, none where it leads nowhere, and whether some of them were cut off on the way. */
export interface Resolved {
  readonly answer: readonly Rr[];
  readonly truncated: boolean;
}

const NOWHERE: Resolved = { answer: [], truncated: false };

export const aliasRecord = (name: Name, target: Name, ttl: Seconds): Rr =>
  record(name, Type.CNAME, ttl, encodeName(target));

/**
 * Follows an alias to addresses of the type asked for: within the zone through the cluster's objects, elsewhere by
 * asking the server itself. An alias within
 * the zone that comes to no address is left out; one that leads elsewhere is told even if nothing was found there.
 */
export function resolveAlias(
  query: Query,
  name: Name,
  target: Name,
  context: AliasContext,
  seen: readonly Name[] = [],
): Resolved | Promise<Resolved> {
  const goal = lowerName(target);
  if (goal === lowerName(name) || seen.length > MAX_CHAIN || seen.includes(goal)) return NOWHERE;
  const alias = aliasRecord(name, target, context.ttl);
  if (!isSubdomain(context.zone.name, goal)) {
    const found = lookUp(context.ask, query, target, query.type);
    const followed = (result: Awaited<typeof found>): Resolved =>
      result === undefined ? NOWHERE : { answer: [alias, ...result.answer], truncated: result.truncated };
    return found instanceof Promise ? found.then(followed) : followed(found);
  }
  const finding = context.find(goal);
  if (typeof finding === 'string') return NOWHERE;
  const further =
    'targets' in finding
      ? resolveEndpoints(query, target, finding, context, [...seen, goal])
      : resolveAlias(query, target, finding.alias, context, [...seen, goal]);
  return further instanceof Promise ? further.then((resolved) => after(alias, resolved)) : after(alias, further);
}

/** The addresses of endpoints of the type asked for, and what the names of others come to. */
export function resolveEndpoints(
  query: Query,
  name: Name,
  { targets, names = [] }: EndpointsFound,
  context: AliasContext,
  seen: readonly Name[] = [],
): Resolved | Promise<Resolved> {
  const own: Resolved = { answer: addressRecords(name, query.type, targets, context.ttl), truncated: false };
  if (names.length === 0) return own;
  const others = names.map((target) => resolveAlias(query, name, target, context, seen));
  const waits = others.some((each) => each instanceof Promise);
  return waits
    ? Promise.all(others.map(async (each) => each)).then((all) => joined([own, ...all]))
    : joined([own, ...(others as Resolved[])]);
}

const joined = (parts: readonly Resolved[]): Resolved => ({
  answer: parts.flatMap(({ answer }) => answer),
  truncated: parts.some(({ truncated }) => truncated),
});

const after = (alias: Rr, { answer, truncated }: Resolved): Resolved => ({
  answer: answer.length === 0 ? [] : [alias, ...answer],
  truncated,
});
