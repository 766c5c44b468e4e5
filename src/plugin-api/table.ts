import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../lib/clock.js';
import { NodensError } from '../lib/errors.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import { untilAborted } from '../lib/until-aborted.js';
import { wordsOf } from './faults.js';
import { keyOf } from './names.js';
import { ALL, noteRead, type ReadFrom, type ReadLease } from './reads.js';
import { readKept, writeKept } from './table-file.js';
import type { TableMetrics } from './table-metrics.js';
import type { PluginTable, TableEntries, TableLoad, TableOptions } from './table-options.js';

/** Between two looks at watched files. */
const LOOK: Milliseconds = 2000;
const LEAST_PERIOD: Milliseconds = 100;
const TIMEOUT: Milliseconds = 30_000;

/** What a table needs of the server around it. */
export interface TableHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TableMetrics;
  /** Fires when the configuration ends. */
  readonly signal: AbortSignal;
  /** A word that changes with a file; undefined for one that is not there. */
  fileMark(path: string): string | undefined;
}

/** A table of one server block, kept up to date from `start` to the end of its configuration. */
export class LoadedTable<Value> implements PluginTable<Value>, ReadFrom {
  private current: ReadonlyMap<string, Value> = new Map();
  private version = 0;
  private watchers = new Map<string, Set<ReadLease>>();
  private timers: Timer[] = [];
  private running: Promise<boolean> | undefined;
  private again = false;
  private complaint: string | undefined;
  private loadedAt: Milliseconds | undefined;
  private marks = '';
  loaded = false;

  /** Throws a NodensError for options that cannot be used. */
  constructor(
    readonly name: string,
    private readonly options: TableOptions<Value>,
    private readonly host: TableHost,
  ) {
    const { every } = options;
    if (typeof options.load !== 'function') fail(name, 'load: expected a function that returns the entries');
    if (every !== undefined && !(every >= LEAST_PERIOD)) fail(name, `every: got ${every}, allowed: at least 100 ms`);
  }

  get size(): number {
    noteRead(this, ALL, this.version, undefined);
    return this.current.size;
  }

  get(name: string): Value | undefined {
    const key = keyOf(name);
    const value = this.current.get(key);
    noteRead(this, key, this.version, value);
    return value;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  closest(name: string): { readonly name: string; readonly value: Value } | undefined {
    for (let key = keyOf(name); ; key = parentOf(key)) {
      const value = this.get(key);
      if (value !== undefined) return { name: key, value };
      if (key === '.') return undefined;
    }
  }

  entries(): ReadonlyMap<string, Value> {
    noteRead(this, ALL, this.version, undefined);
    return this.current;
  }

  isSame(key: string, version: number, value: unknown): boolean {
    if (version === this.version) return true;
    return key !== ALL && isDeepStrictEqual(this.current.get(key), value);
  }

  watch(key: string, lease: ReadLease): void {
    const set = this.watchers.get(key);
    if (set === undefined) this.watchers.set(key, new Set([lease]));
    else set.add(lease);
  }

  unwatch(key: string, lease: ReadLease): void {
    const set = this.watchers.get(key);
    set?.delete(lease);
    if (set?.size === 0) this.watchers.delete(key);
  }

  /** The first load, and what was kept where it fails. Rejects where the table must have entries and has none. */
  async start(): Promise<void> {
    this.marks = this.look();
    if (!(await this.reload())) await this.takeKept();
    const { every, watch } = this.options;
    if (this.host.signal.aborted) return;
    if (every !== undefined) this.repeat(every, () => this.reload());
    if (watch !== undefined && watch.length > 0) this.repeat(LOOK, () => this.lookAgain());
    this.host.metrics.age(() =>
      this.loadedAt === undefined ? undefined : (this.host.clock.monotonic() - this.loadedAt) / 1000,
    );
  }

  stop(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers = [];
    this.host.metrics.close();
  }

  reload(): Promise<boolean> {
    if (this.running !== undefined) {
      this.again = true;
      return this.running;
    }
    this.running = this.loads().finally(() => (this.running = undefined));
    return this.running;
  }

  private async loads(): Promise<boolean> {
    let good: boolean;
    do {
      this.again = false;
      good = await this.load();
    } while (this.again && !this.host.signal.aborted);
    return good;
  }

  private async load(): Promise<boolean> {
    const { clock, metrics, log } = this.host;
    const { timeout = TIMEOUT, keep } = this.options;
    const late = new AbortController();
    const timer = clock.setTimeout(
      () => late.abort(new DOMException(`no end within ${timeout} ms`, 'TimeoutError')),
      timeout,
    );
    const signal = AbortSignal.any([this.host.signal, late.signal]);
    try {
      const entries = await untilAborted(collect(this.options, { signal }), signal);
      if (this.host.signal.aborted) return false;
      if (entries !== undefined) this.put(entries);
      this.loaded = true;
      this.loadedAt = clock.monotonic();
      this.complaint = undefined;
      if (keep !== undefined && entries !== undefined) await writeKept(keep, entries);
      return true;
    } catch (error) {
      if (this.host.signal.aborted) return false;
      metrics.failed();
      const text = `table ${this.name}: ${wordsOf(error)}; it keeps its ${this.current.size} entries`;
      if (text !== this.complaint) log.warning(text);
      this.complaint = text;
      return false;
    } finally {
      timer.cancel();
    }
  }

  private async takeKept(): Promise<void> {
    const { keep, required } = this.options;
    const kept = keep === undefined ? undefined : await readKept<Value>(keep);
    if (kept !== undefined) {
      this.put(kept);
      this.loaded = true;
      this.host.log.info(`table ${this.name}: took ${kept.size} entries from ${keep}`);
    } else if (required === true) fail(this.name, `the first load failed: ${this.complaint ?? 'it was ended'}`);
  }

  private put(entries: ReadonlyMap<string, Value>): void {
    const before = this.current;
    this.current = entries;
    this.version++;
    this.host.metrics.size(entries.size);
    for (const [key, leases] of [...this.watchers]) {
      const changed = key === ALL || !isDeepStrictEqual(before.get(key), entries.get(key));
      if (changed) for (const lease of [...leases]) lease.revoke();
    }
  }

  private repeat(period: Milliseconds, work: () => Promise<unknown>): void {
    const slot = this.timers.length;
    const arm = (): void => {
      if (this.host.signal.aborted) return;
      this.timers[slot] = this.host.clock.setTimeout(() => void work().finally(arm), period);
    };
    arm();
  }

  private async lookAgain(): Promise<void> {
    const marks = this.look();
    if (marks === this.marks) return;
    this.marks = marks;
    await this.reload();
  }

  private look(): string {
    return (this.options.watch ?? []).map((file) => this.host.fileMark(file) ?? '').join('\n');
  }
}

const fail = (name: string, text: string): never => {
  throw new NodensError('NODENS_PLUGIN_FAULT', `table ${name}: ${text}`);
};

const parentOf = (key: string): string => {
  const cut = /^(?:\\.|[^.\\])*\./.exec(key)?.[0].length;
  return cut === undefined ? '.' : key.slice(cut);
};

/** What a load returned, in one map with the keys in their one spelling; undefined where nothing has changed. */
async function collect<Value>(
  options: TableOptions<Value>,
  context: TableLoad,
): Promise<ReadonlyMap<string, Value> | undefined> {
  const entries: TableEntries<Value> | undefined = await options.load(context);
  if (entries === undefined) return undefined;
  const map = new Map<string, Value>();
  const add = (entry: readonly [string, Value]): void => {
    const [name, value] = Array.isArray(entry) ? entry : [undefined, undefined];
    if (typeof name !== 'string' || value === undefined)
      throw new NodensError('NODENS_PLUGIN_FAULT', 'load: expected entries [name, value], with a text for a name');
    map.set(keyOf(name), value);
  };
  if (typeof entries !== 'object' || entries === null)
    throw new NodensError('NODENS_PLUGIN_FAULT', `load: expected a Map, a list of [name, value], or an object`);
  if (Symbol.asyncIterator in entries) for await (const entry of entries) add(entry);
  else if (Symbol.iterator in entries) for (const entry of entries) add(entry);
  else Object.entries(entries).forEach(add);
  return map;
}
