/** One figure of a row, and what it has to be. */
export interface Figure {
  readonly what: string;
  readonly got: number;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Depends on how quick the machine is. */
  readonly timed?: boolean;
}

/** How much of a row is played: `short` is for CI. */
export type Scale = 'short' | 'full';

/** One kind of weather. */
export interface Weather {
  readonly name: string;
  /** Programs that it needs beside Node. */
  readonly needs: readonly string[];
  /** The short form is played only when it is named: a test holds the same. */
  readonly tested?: boolean;
  /** Needs the machine for itself: what else runs there would be taken for its doing. */
  readonly alone?: boolean;
  play(scale: Scale): Promise<readonly Figure[]>;
}

export const holds = ({ got, atMost, atLeast }: Figure): boolean =>
  (atMost === undefined || got <= atMost) && (atLeast === undefined || got >= atLeast);
