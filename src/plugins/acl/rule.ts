import type { Zones } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { Networks } from '../../lib/networks.js';

export const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const;
export type AclAction = (typeof ACTIONS)[number];

/** A line: what to do with queries of these types from these addresses. undefined stands for all. */
export interface AclPolicy {
  readonly action: AclAction;
  readonly types: ReadonlySet<number> | undefined;
  readonly sources: Networks | undefined;
}

/** The lines of one directive, and the zones that they are for. */
export interface AclRule {
  readonly zones: Zones;
  readonly policies: readonly AclPolicy[];
}

/** What the first line that fits says; undefined when none does. */
export function actionFor(policies: readonly AclPolicy[], type: number, source: IpBytes): AclAction | undefined {
  for (const { action, types, sources } of policies)
    if ((types === undefined || types.has(type)) && (sources === undefined || sources.contains(source))) return action;
  return undefined;
}
