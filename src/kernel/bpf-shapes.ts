import type { Octets } from '../lib/units.js';

/** What a map is like. */
export interface MapShape {
  readonly type: number;
  readonly keySize: Octets;
  readonly valueSize: Octets;
  readonly entries: number;
  readonly flags?: number;
  /** Descriptor of a map like those that it holds. */
  readonly inner?: number;
  /** At most 15 letters, digits and underscores. */
  readonly name: string;
}

/** What the kernel says of a program. */
export interface ProgramInfo {
  /** As bpftool shows it. */
  readonly id: number;
  readonly name: string;
  /** Numbers of its maps. */
  readonly maps: readonly number[];
  /** How often it ran, and for how many nanoseconds, while runs were counted. */
  readonly runs: bigint;
  readonly time: bigint;
}

/** How a program is attached: by a link of tcx, by a filter of clsact, by a link of XDP. */
export const ATTACH_KINDS = ['tcx', 'clsact', 'xdp'] as const;
export type AttachKind = (typeof ATTACH_KINDS)[number];

/** A kind of program, and how a link attaches it. */
export interface AttachHook {
  readonly kind: AttachKind;
  readonly programType: number;
  readonly attachType: number;
  readonly linkType: number;
  readonly flags: number;
}
