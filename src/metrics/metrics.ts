import { familyText, type Sample } from './text.js';
import { byText } from '../lib/order.js';

/** The one prefix of all names: dashboards and alerts made for CoreDNS find what they look for. */
export const NAMESPACE = 'coredns';

export type Labels = Readonly<Record<string, string>>;

/** A counter or gauge with its labels bound: one add on a plain number. */
export class Value {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }

  dec(by = 1): void {
    this.value -= by;
  }

  set(value: number): void {
    this.value = value;
  }
}

/**
 * A histogram with its labels bound. `bounds` are upper bounds in rising order; what is above the last counts in
 * `+Inf` only.
 */
export class Histogram {
  sum = 0;
  count = 0;
  private readonly counts: Float64Array;

  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value, `times` times. */
  observe(value: number, times = 1): void {
    this.sum += value * times;
    this.count += times;
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.counts[i]! += times;
  }

  /** Observations at or below each bound. */
  cumulative(): number[] {
    let sum = 0;
    return this.bounds.map((_, i) => (sum += this.counts[i]!));
  }
}

/** All series of one name. Label values are put in alphabetical order of label names, as the reference prints them. */
export class Family<Child> {
  private readonly children = new Map<string, { labels: Labels; child: Child }>();
  private readonly labelNames: readonly string[];
  /** Runs before each scrape: lets a gauge be computed when it is looked at. */
  private readonly beforeCollect = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: 'counter' | 'gauge' | 'histogram',
    labelNames: readonly string[],
    private readonly create: () => Child,
    private readonly samples: (name: string, labels: Labels, child: Child) => Sample[],
  ) {
    this.labelNames = [...labelNames].sort();
  }

  /** The series with these labels, made at 0 when it is new. Not for the query path: keep what it returns. */
  with(labels: Labels = {}): Child {
    const key = this.labelNames.map((label) => labels[label] ?? '').join('\0');
    let entry = this.children.get(key);
    if (!entry) {
      entry = {
        labels: Object.fromEntries(this.labelNames.map((label) => [label, labels[label] ?? ''])),
        child: this.create(),
      };
      this.children.set(key, entry);
    }
    return entry.child;
  }

  /** All series there are. */
  series(): IterableIterator<{ readonly labels: Labels; readonly child: Child }> {
    return this.children.values();
  }

  remove(labels: Labels): void {
    this.children.delete(this.labelNames.map((label) => labels[label] ?? '').join('\0'));
  }

  clear(): void {
    this.children.clear();
  }

  /** Calls `fn` before each scrape until the returned function is called. */
  onCollect(fn: () => void): () => void {
    this.beforeCollect.add(fn);
    return () => void this.beforeCollect.delete(fn);
  }

  /** The family in the text exposition format; empty where it has no series. */
  text(): string {
    for (const fn of this.beforeCollect) fn();
    // CoreDNS lists series by their label values.
    const series = [...this.children].sort(([a], [b]) => byText(a, b));
    const samples = series.flatMap(([, { labels, child }]) => this.samples(this.name, labels, child));
    return samples.length === 0 ? '' : familyText(this, samples);
  }
}

const single = (name: string, labels: Labels, child: Value): Sample[] => [{ name, labels, value: child.value }];

function buckets(name: string, labels: Labels, child: Histogram): Sample[] {
  const bucket = (le: string, value: number): Sample => ({ name: `${name}_bucket`, labels: { ...labels, le }, value });
  return [
    ...child.cumulative().map((value, i) => bucket(formatBound(child.bounds[i]!), value)),
    bucket('+Inf', child.count),
    { name: `${name}_sum`, labels, value: child.sum },
    { name: `${name}_count`, labels, value: child.count },
  ];
}

/** The reference prints bounds from a million upwards with an exponent. */
const formatBound = (bound: number): string =>
  bound >= 1e6 ? bound.toExponential().replace(/e\+(\d)$/, 'e+0$1') : String(bound);

/**
 * The metrics of one server process, or of another program under a prefix of its own. Asking again for a name gives
 * the same family, so that server blocks and reloads share it.
 */
export class Metrics {
  private readonly families = new Map<string, { readonly name: string; text(): string }>();
  private readonly beforeScrape = new Set<() => void>();

  /** @param namespace the prefix of all names */
  constructor(private readonly namespace = NAMESPACE) {}

  /** A counter `NAMESPACE_SUBSYSTEM_NAME`; an empty subsystem is left out. */
  counter(subsystem: string, name: string, help: string, labelNames: readonly string[] = []): Family<Value> {
    return this.family(
      subsystem,
      name,
      (full) => new Family(full, help, 'counter', labelNames, () => new Value(), single),
    );
  }

  gauge(subsystem: string, name: string, help: string, labelNames: readonly string[] = []): Family<Value> {
    return this.family(
      subsystem,
      name,
      (full) => new Family(full, help, 'gauge', labelNames, () => new Value(), single),
    );
  }

  histogram(
    subsystem: string,
    name: string,
    help: string,
    bounds: readonly number[],
    labelNames: readonly string[] = [],
  ): Family<Histogram> {
    return this.family(
      subsystem,
      name,
      (full) => new Family(full, help, 'histogram', labelNames, () => new Histogram(bounds), buckets),
    );
  }

  /** The family of a full name, if somebody has asked for it; what it holds is the caller's to know. */
  find<Child>(full: string): Pick<Family<Child>, 'series'> | undefined {
    return this.families.get(full) as Family<Child> | undefined;
  }

  /**
   * Calls `fn` before each scrape until the returned function is called: for counts that are kept elsewhere
   * meanwhile.
   */
  onScrape(fn: () => void): () => void {
    this.beforeScrape.add(fn);
    return () => void this.beforeScrape.delete(fn);
  }

  /** The scrape in the text exposition format 0.0.4, families by name; a family without series is left out. */
  text(): Promise<string> {
    for (const fn of this.beforeScrape) fn();
    const families = [...this.families.values()].sort((a, b) => byText(a.name, b.name));
    return Promise.resolve(families.map((family) => family.text()).join(''));
  }

  private family<T extends { readonly name: string; text(): string }>(
    subsystem: string,
    name: string,
    create: (full: string) => T,
  ): T {
    const full = [this.namespace, subsystem, name].filter((part) => part !== '').join('_');
    const known = this.families.get(full) as T | undefined;
    if (known !== undefined) return known;
    const made = create(full);
    this.families.set(full, made);
    return made;
  }
}

/** `count` bounds, each `factor` times the one before. */
export function exponentialBounds(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start * factor ** i);
}

/** Bounds of durations, in seconds: 0.25 ms to 8 s, as the reference's time histograms have them. */
export const TIME_BOUNDS = exponentialBounds(0.00025, 2, 16);
/** Five bounds from 0.25 ms to 2.5 s. */
export const SLIM_TIME_BOUNDS = exponentialBounds(0.00025, 10, 5);
