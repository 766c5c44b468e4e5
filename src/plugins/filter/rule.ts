import type { Query, Zones } from '../../chain/index.js';
import type { Networks } from '../../lib/networks.js';
import { sourceIp } from '../../lib/networks.js';
import type { Type } from '../../wire/index.js';
import { type Name } from '../../wire/index.js';

/** The types of addresses. */
export type AddressType = typeof Type.A | typeof Type.AAAA;

/** What is suppressed for whom: a directive. */
export interface FilterRule {
  readonly type: AddressType;
  readonly zones: Zones;
  /** Clients; all when undefined. */
  readonly sources: Networks | undefined;
  /** Only while this host has a way out for the other family and none for this one. */
  readonly auto: boolean;
  /** Also for names that have no address of the other family. */
  readonly always: boolean;
}

/** The zone by which a rule is for the query; undefined where it is not. */
export function zoneFor(rule: FilterRule, query: Query): Name | undefined {
  const zone = rule.zones.match(query.name);
  if (zone === undefined || rule.sources === undefined) return zone;
  const source = sourceIp(query.client.remote.address);
  return source !== undefined && rule.sources.contains(source) ? zone : undefined;
}
