import { type Block, Query, Zones } from '../chain/index.js';
import type { Directive } from '../corefile/index.js';
import type { Clock, Timer } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import type { Awaitable, MetricValue, PluginBlock, PluginMetrics, PluginRoute } from './contract.js';
import { PluginFault, wordsOf } from './faults.js';
import { nameFrom } from './data-fields.js';
import type { ChangedQuestion, PluginQuery, PluginReply } from './messages.js';
import { publicName } from './names.js';
import { viewOutcome } from './plugin-link.js';
import { routeOf } from './plugin-route.js';
import { changedQuery, queryOf } from './query-view.js';
import { StallWatch } from './stall-watch.js';
import { TimerWatch } from './timer-watch.js';
import { LoadedTable } from './table.js';
import { tableMetrics } from './table-metrics.js';
import type { PluginTable, TableOptions } from './table-options.js';

/** Most questions that one client's query may lead to, one within the other. */
const MAX_NESTED = 8;

/** A server block as a plugin's setup sees it. */
export class BlockForPlugin implements PluginBlock {
  readonly zones: readonly string[];
  readonly log: Logger;
  readonly metrics: PluginMetrics;
  readonly stalls: StallWatch;
  private readonly nodeTimers = new TimerWatch();
  private readonly stopHooks: (() => Awaitable<void>)[] = [];
  private readonly ended = new AbortController();
  private readonly timers = new Set<Timer>();
  private readonly tables: LoadedTable<unknown>[] = [];

  constructor(
    private readonly plugin: string,
    private readonly block: Block,
    private readonly directive: Directive,
  ) {
    this.zones = block.zones.map(publicName);
    this.log = block.logger(plugin);
    this.stalls = new StallWatch(block.runtime.clock, this.log);
    this.metrics = pluginMetrics(block, plugin);
    block.lifetime.onEnd(() => this.end());
    block.onStop(() => this.stop());
  }

  get signal(): AbortSignal {
    return this.ended.signal;
  }

  get env(): PluginBlock['env'] {
    return this.block.runtime.env;
  }

  get clock(): Clock {
    return this.block.runtime.clock;
  }

  contains(name: string, zones: readonly string[] = this.zones): boolean {
    return new Zones(zones.map((zone) => nameFrom(zone, 'zone').toLowerCase())).contains(
      nameFrom(name, 'name').toLowerCase(),
    );
  }

  readFile(path: string): string {
    return this.block.runtime.readFile(path);
  }

  setTimeout(fn: () => void, delay: Milliseconds): () => void {
    if (this.signal.aborted) return () => undefined;
    const timer = this.clock.setTimeout(() => {
      this.timers.delete(timer);
      this.run(fn);
    }, delay);
    this.timers.add(timer);
    return () => {
      timer.cancel();
      this.timers.delete(timer);
    };
  }

  setInterval(fn: () => void, period: Milliseconds): () => void {
    let cancelled = false;
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel = this.setTimeout(() => {
        fn();
        if (!cancelled) arm();
      }, period);
    };
    arm();
    return () => {
      cancelled = true;
      cancel();
    };
  }

  onStart(hook: () => Awaitable<void>): void {
    this.block.onStart(async () => this.named(hook));
  }

  onStop(hook: () => Awaitable<void>): void {
    this.stopHooks.push(hook);
  }

  table<Value>(options: TableOptions<Value>): PluginTable<Value> {
    const { runtime } = this.block;
    const name = options.name ?? this.plugin;
    const taken = this.tables.some((table) => table.name === name);
    if (taken)
      throw new PluginFault(this.plugin, `table ${name}: there are two of that name; give them a \`name\` each`);
    const table = new LoadedTable<Value>(name, options, {
      clock: this.clock,
      log: this.log,
      metrics: tableMetrics(runtime.metrics, this.plugin, name, this.zones),
      signal: this.signal,
      fileMark: (path) => {
        const info = runtime.fileInfo(path);
        return info && `${info.mtime} ${info.size}`;
      },
    });
    this.tables.push(table);
    this.block.onStart(async () => this.named(() => table.start()));
    return table;
  }

  serveHttp(route: PluginRoute): void {
    this.block.serveHttp(routeOf(this.plugin, route, this.directive, this.log));
  }

  tablesReady(): boolean {
    return this.tables.every(({ loaded }) => loaded);
  }

  ask(view: PluginQuery, question: ChangedQuestion): Promise<PluginReply | undefined> {
    const query = queryOf(view);
    if (query.context.depth >= MAX_NESTED) return Promise.resolve(undefined);
    const asked = new Query(changedQuery(query, question).bytes, query.context.nested());
    return viewOutcome(this.block.ask(asked));
  }

  fail(text: string, option?: string): never {
    const at = (this.directive.options ?? []).find(({ name }) => name === option);
    return at === undefined && option !== undefined
      ? this.directive.fail(`${option}: ${text}`)
      : this.directive.fail(text, at);
  }

  /** A timer's fault is one line, and the timer goes on. */
  private run(fn: () => void): void {
    try {
      this.stalls.measure('a timer', fn);
    } catch (error) {
      this.log.error(`a timer failed: ${wordsOf(error)}`);
    }
  }

  /** Runs a plugin's setup, or a hook of it, and notices timers of Node's that it sets. */
  watching<T>(work: () => T): T {
    return this.nodeTimers.run(work);
  }

  private async named(hook: () => Awaitable<void>): Promise<void> {
    try {
      await this.watching(hook);
    } catch (error) {
      throw new PluginFault(this.plugin, wordsOf(error), error);
    }
  }

  /** After the last query: the plugin puts away what it has, and what it forgot is told. */
  private async stop(): Promise<void> {
    for (const hook of this.stopHooks)
      await this.named(hook).catch((error: Error) => this.log.error(`onStop: ${wordsOf(error.cause)}`));
    const [first, ...others] = this.nodeTimers.end();
    if (first === undefined) return;
    const { kind, place } = first;
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    const mend = `expected: clear it in block.onStop, or take block.${kind}`;
    this.log.warning(`its configuration has ended, but not its ${kind} (${place})${more}; cleared, ${mend}`);
  }

  private end(): void {
    this.ended.abort(new DOMException('the configuration has ended', 'AbortError'));
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    for (const table of this.tables) table.stop();
  }
}

function pluginMetrics({ runtime: { metrics } }: Block, plugin: string): PluginMetrics {
  const subsystem = plugin.replaceAll('-', '_');
  const checked = (name: string): string => {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      throw new PluginFault(plugin, `metric '${name}': allowed: lower-case letters, digits and _`);
    return name;
  };
  return {
    counter: (name, help, labels = {}): MetricValue =>
      metrics.counter(subsystem, checked(name), help, Object.keys(labels)).with(labels),
    gauge: (name, help, labels = {}): MetricValue =>
      metrics.gauge(subsystem, checked(name), help, Object.keys(labels)).with(labels),
  };
}
