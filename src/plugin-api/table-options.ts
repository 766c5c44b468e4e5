import type { Milliseconds } from '../lib/units.js';

/** What a table is filled with: entries by name. */
export type TableEntries<Value> =
  | ReadonlyMap<string, Value>
  | Iterable<readonly [string, Value]>
  | AsyncIterable<readonly [string, Value]>
  | Readonly<Record<string, Value>>;

/** What a load gets. */
export interface TableLoad {
  /** Fires when the configuration ends, or when the load takes longer than `timeout`. */
  readonly signal: AbortSignal;
}

/** How a table is filled. */
export interface TableOptions<Value> {
  /** For metrics and log; the plugin's name where it has one table only. */
  readonly name?: string;
  /**
   * Returns all entries, or undefined where nothing has changed since the last time. Keys are names: compared in lower
   * case and without a closing dot. Where it fails, the table keeps what it has.
   */
  load(context: TableLoad): TableResult<Value>;
  /** How often, from the end of one load to the beginning of the next, at least 100 ms; never again by itself without. */
  readonly every?: Milliseconds;
  /** Files that are looked at every 2 s: another time or size of one of them loads at once. */
  readonly watch?: readonly string[];
  /** How long a load may take; 30 s where nothing is said. */
  readonly timeout?: Milliseconds;
  /** A file that keeps the last good entries over a restart, as JSON: values must survive that. */
  readonly keep?: string;
  /** A first load that fails keeps the configuration from starting, unless there is a kept one. */
  readonly required?: boolean;
}

/** What `load` may return. */
export type TableResult<Value> = TableEntries<Value> | undefined | PromiseLike<TableEntries<Value> | undefined>;

/**
 * Entries from elsewhere. An answer that a handler makes at once from what it looks up here, whether it is there or
 * not, may be given again without asking the handler; it is taken back when an entry that was looked up changes.
 */
export interface PluginTable<Value> {
  /** The entry of this very name; letter case and the closing dot do not matter. */
  get(name: string): Value | undefined;
  /** Whether this very name has an entry. */
  has(name: string): boolean;
  /** The entry of the name itself, or of the nearest name above it. */
  closest(name: string): { readonly name: string; readonly value: Value } | undefined;
  /** All of them, for what depends on every one. */
  entries(): ReadonlyMap<string, Value>;
  readonly size: number;
  /** Loads now, or once more after a load under way. Resolves with whether that worked. */
  reload(): Promise<boolean>;
  /** Whether it was loaded once, or taken from what was kept. */
  readonly loaded: boolean;
}
