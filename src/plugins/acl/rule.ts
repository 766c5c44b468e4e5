import type { Zones } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { Networks } from '../../lib/networks.js';

export const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const;
export type Action = (typeof ACTIONS)[number];

/** A line: what to do with queries of these types from these addresses. undefined stands for all. */
export interface Policy {
  readonly action: Action;
  readonly types: ReadonlySet<number> | undefined;
  readonly sources: Networks | undefined;
}

/** The lines of one directive, and the zones that they are for. */
export interface Rule {
  readonly zones: Zones;
  readonly policies: readonly Policy[];
}

/** What the first line that fits says; undefined when none does. */
export function actionFor(policies: readonly Policy[], type: number, source: IpBytes): Action | undefined {
  for (const { action, types, sources } of policies)
    if ((types === undefined || types.has(type)) && (sources === undefined || sources.contains(source))) return action;
  return undefined;
}
