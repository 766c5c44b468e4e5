import type { Zones } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { FilePlace } from '../../lib/errors.js';
import type { Networks } from '../../lib/networks.js';

export const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const;
export type AclAction = (typeof ACTIONS)[number];

/** A line: what to do with queries of these types from these addresses. undefined stands for all. */
export interface AclPolicy {
  readonly action: AclAction;
  readonly types: ReadonlySet<number> | undefined;
  readonly sources: Networks | undefined;
  /** The line as it stands, and where. */
  readonly text: string;
  readonly place: FilePlace | undefined;
}

/** The lines of one directive, and the zones that they are for. */
export interface AclRule {
  readonly zones: Zones;
  readonly policies: readonly AclPolicy[];
}

/** The first line that fits; undefined when none does. */
export const policyFor = (policies: readonly AclPolicy[], type: number, source: IpBytes): AclPolicy | undefined =>
  policies.find(
    ({ types, sources }) =>
      (types === undefined || types.has(type)) && (sources === undefined || sources.contains(source)),
  );
