// In a circle with context.ts, query.ts: a query has a context, which has the labels that are computed from the query.
import type { Query } from './query.js';

/** Computes the value of a label for a query; undefined where the query has no such label. */
export type MetadataSource = (query: Query, label: string) => string | undefined;

/** A handler that knows something about queries, under labels `plugin/name`, which others may read. */
export interface ProvidesMetadata {
  /**
   * Labels and how to compute them. Asked once, when the block is set up. One that ends in a slash stands for all that
   * begin like it.
   */
  metadata(): Readonly<Record<string, MetadataSource>>;
}

export const providesMetadata = <T extends object>(handler: T): handler is T & ProvidesMetadata =>
  typeof (handler as Partial<ProvidesMetadata>).metadata === 'function';

/** A label: two or more names with a slash between them. */
const LABEL = /^[^\s/{}]+(\/[^\s/{}]+)+$/;

export const isMetadataLabel = (text: string): boolean => LABEL.test(text);

/** The labels of one query. A value is computed when it is first asked for, and only once. */
export class Metadata {
  private values: Map<string, string | (() => string)> | undefined;

  constructor(
    private readonly query: Query,
    private readonly sources: ReadonlyMap<string, MetadataSource>,
  ) {}

  /** The label's value; undefined when nobody provides it. */
  get(label: string): string | undefined {
    const known = this.values?.get(label);
    if (typeof known === 'string') return known;
    const compute = known ?? this.sources.get(label) ?? this.familyOf(label);
    const value = compute?.(this.query, label);
    if (value !== undefined) (this.values ??= new Map()).set(label, value);
    return value;
  }

  private familyOf(label: string): MetadataSource | undefined {
    for (const [name, source] of this.sources) if (name.endsWith('/') && label.startsWith(name)) return source;
    return undefined;
  }

  /** Provides a label that only comes up while the query is answered, such as the upstream that was asked. */
  set(label: string, value: string | (() => string)): void {
    (this.values ??= new Map()).set(label, value);
  }

  /** All labels that have a value, in alphabetical order. */
  labels(): string[] {
    return [...new Set([...this.sources.keys(), ...(this.values?.keys() ?? [])])].sort();
  }
}
