import type { TrailNote } from '../chain/index.js';
import type { FilePlace } from '../lib/errors.js';
import type { Milliseconds } from '../lib/units.js';

/** Why a query was kept. */
export type RecordedFor = 'slow' | 'failed' | 'stale';

/** A query that was slow, failed or was answered past the answer's time, whole. Plain data. */
export interface FlightQuery {
  /** When it came in, as ISO 8601 has it, in UTC. */
  readonly at: string;
  readonly why: readonly RecordedFor[];
  readonly name: string;
  readonly type: string;
  readonly class: string;
  /** Flags and EDNS of the question: `rd`, `cd`, `ad`, `do`, `edns 1232`. */
  readonly asked: readonly string[];
  readonly client: { readonly address: string; readonly port: number; readonly transport: string };
  /** Label of the listening address. */
  readonly server: string;
  readonly zones: readonly string[];
  readonly place: FilePlace | undefined;
  readonly view: string;
  /** Names of the block's handlers, in their order. */
  readonly handlers: readonly string[];
  /** What handlers told; times in milliseconds from when the query came in. */
  readonly notes: readonly TrailNote[];
  /** Rcode, or NODATA; undefined for silence. */
  readonly result: string | undefined;
  readonly cause: string | undefined;
  /** Codes of extended errors with their texts. */
  readonly errors: readonly (readonly [code: number, text: string])[];
  /** Until the answer. */
  readonly time: Milliseconds;
}

/** All that was kept, as it is asked for and written to files. */
export interface FlightRecord {
  /** Of this form. */
  readonly form: 'nodens-record/1';
  /** Version of the program. */
  readonly program: string;
  readonly pid: number;
  /** When it was written, and on what occasion. */
  readonly written: string;
  readonly occasion: string;
  /** Queries that would have been kept, had there not been too many within one second. */
  readonly omitted: number;
  /** Oldest first. */
  readonly queries: readonly FlightQuery[];
}
