import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { World } from '../../datapath/world.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Ages } from './ages.js';
import { humanDuration } from './human-duration.js';

/** What the lists show and the model does not hold. */
export interface KubectlFacts {
  readonly ages: Pick<Ages, 'of'>;
  /** Local redirect policies of the cluster. */
  readonly policies?: readonly { readonly namespace: string; readonly name: string }[];
  /** The selector of a service as `app=webpod`. */
  selector?(namespace: string, name: string): string | undefined;
  /** Containers of a pod that run, of how many, and restarts. Default: all of one, by the pod's readiness. */
  containers?(pod: Pod): {
    readonly ready: number;
    readonly of: number;
    readonly restarts?: number;
    /** How long ago the program ended last. */
    readonly ended?: Milliseconds;
    readonly status?: string;
  };
  /** Labels of objects that the model keeps none of. */
  readonly labels?: (kind: 'node' | 'service', namespace: string, name: string) => Readonly<Record<string, string>>;
  /** Whether a node is kept free of new pods. Default: no node is. */
  readonly cordoned?: (node: string) => boolean;
  /** What a node says of its software. */
  readonly nodeInfo?: {
    readonly version: string;
    readonly os: string;
    readonly kernel: string;
    readonly runtime: string;
  };
}

/** One object as a row: `wide` cells follow the others with -o wide. */
export interface KubectlRow {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cells: readonly string[];
  readonly wide: readonly string[];
}

/** One kind of object that can be listed. */
export interface KubectlKind {
  /** Plural, with its API group where that is not the core one. */
  readonly resource: string;
  /** What goes before a name when several kinds are listed. */
  readonly singular: string;
  readonly names: readonly string[];
  readonly namespaced: boolean;
  readonly columns: readonly string[];
  readonly wideColumns: readonly string[];
  /** Place in `columns` before which the wide columns stand; at the end when left out. */
  readonly wideAt?: number;
  readonly warning?: string;
  rows(world: World, facts: KubectlFacts): KubectlRow[];
  /** Order of rows; by namespace and name when left out. */
  readonly order?: (a: KubectlRow, b: KubectlRow) => number;
}

/** What stands in a column without a value. */
export const NONE = '<none>';

export const row = (
  namespace: string,
  name: string,
  cells: readonly string[],
  wide: readonly string[] = [],
  labels: Readonly<Record<string, string>> = {},
): KubectlRow => ({ namespace, name, labels, cells: [name, ...cells], wide });
export const orNone = (text: string): string => (text === '' ? NONE : text);

export const age = (value: Milliseconds): string => humanDuration(value);
