import { sleep } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import { ApiError } from './client.js';
import type { ApiClient } from './client.js';
import { Backoff } from './backoff.js';
import type { BackoffLimits } from './backoff.js';
import type { Intake } from '../intake/intake.js';
import { LineReader } from './line-reader.js';
import { ListReader } from './list-reader.js';
import type { KubeKind } from '../objects/objects.js';
import { objectAt, textAt } from '../objects/raw.js';
import type { KubeLog } from '../source.js';
import { Latch } from '../source.js';
import type { KubeStore } from '../store/store.js';

/**
 * Objects per page of a list, as the Kubernetes client library asks for. Servers that answer from their cache send
 * all at once.
 */
const PAGE = 500;

/** How patient the client is. */
export interface ApiTiming {
  readonly backoff: BackoffLimits;
  /**
   * Wait before the next attempt, and up to as much again, where nothing listens at the API's address: a refusal of
   * the system costs nobody anything, and what has changed meanwhile is known soon after the API is back.
   */
  readonly refused: Milliseconds;
  /** While nothing listens that is told once in this time. */
  readonly retell: Milliseconds;
  /** Longest silence within a list, and before the headers of any response. */
  readonly listSilence: Milliseconds;
  /**
   * Watches end by themselves after this time to twice that, so that clients move between servers and do not all come
   * at once.
   */
  readonly watch: Milliseconds;
  /** How much longer than its own end a silent watch is waited for. */
  readonly watchGrace: Milliseconds;
}

/**
 * Back-off and watch times are those of the Kubernetes client library, but for the first back-off, which is shorter.
 */
export const DEFAULT_TIMING: ApiTiming = {
  backoff: { min: 200, max: 30_000, reset: 120_000 },
  refused: 100,
  retell: 30_000,
  listSilence: 30_000,
  watch: 300_000,
  watchGrace: 30_000,
};

export interface ReflectorOptions {
  readonly kind: KubeKind;
  readonly client: ApiClient;
  readonly intake: Intake;
  /** Selectors for the API, without paging and version. */
  readonly query: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: ApiTiming;
  readonly log: KubeLog;
}

/** Watches that failed in a row after which only a list is trusted to tell what was missed. */
const FAILURES_BEFORE_LIST = 3;

/** Which state a list must not be older than: `0` takes what a server has at hand, empty asks for the newest. */
type ListFrom = string;

/** Where the API keeps each kind. */
const PATHS: Readonly<Record<KubeKind, string>> = {
  Service: '/api/v1/services',
  Pod: '/api/v1/pods',
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  EndpointSlice: '/apis/discovery.k8s.io/v1/endpointslices',
  ServiceImport: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
};

/**
 * Keeps the objects of one kind in a store equal to those of an API: one list, then watches that carry on from it,
 * and a new list
 * only when the API has forgotten the version reached
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 * Whatever goes wrong is logged and tried again later; what the store holds meanwhile stays.
 */
export class Reflector {
  readonly latch = new Latch();
  private readonly backoff: Backoff;
  private version = '';
  /** Failures since something was last received. */
  private failures = 0;
  /** That nothing listened, and when that was told. */
  private refusal: { readonly text: string; readonly told: Milliseconds } | undefined;
  private paged = true;

  constructor(private readonly options: ReflectorOptions) {
    this.backoff = new Backoff(options.timing.backoff, options.clock, options.random);
  }

  /** Runs until the signal is aborted; never rejects. */
  async run(store: KubeStore, signal: AbortSignal): Promise<void> {
    let from: ListFrom | undefined = '0';
    while (!signal.aborted) {
      try {
        if (from !== undefined) {
          await this.list(store, from, signal);
          from = undefined;
          this.recovered();
          this.latch.release();
        }
        await this.watch(store, signal);
      } catch (error) {
        if (signal.aborted) return;
        from = this.afterFailure(error, from);
        await this.pause(error, signal);
      }
    }
  }

  /** Where to go on: undefined to watch from the version reached, otherwise what to list from. */
  private afterFailure(error: unknown, from: ListFrom | undefined): ListFrom | undefined {
    // That nothing listened says nothing about the version reached: a watch goes on from it.
    if (isRefused(error)) return from;
    this.failures++;
    if (error instanceof ApiError) {
      if (error.expired || error.tooNew) return '';
      // Any other refusal of the question itself: asking the same once more would not help.
      if (error.status < 500 && ![401, 403, 408, 429].includes(error.status)) return '';
    }
    if (from !== undefined) return from;
    const garbled =
      error instanceof SyntaxError || error instanceof RangeError || (error instanceof ApiError && error.streamed);
    return garbled || this.failures >= FAILURES_BEFORE_LIST ? this.version : undefined;
  }

  private async list(store: KubeStore, from: ListFrom, signal: AbortSignal): Promise<void> {
    const { kind, client, intake, query, timing } = this.options;
    const replacement = store.replace(kind);
    let next = '';
    do {
      const reader = new ListReader((raw) => {
        const taken = intake.take(kind, raw);
        if (typeof taken === 'object') replacement.apply(taken.object, taken.triggeredAt);
      });
      const page: Record<string, string> = {
        ...query,
        ...(this.paged ? { limit: String(PAGE) } : {}),
        ...(next === '' ? versionQuery(from) : { continue: next }),
      };
      const silence = timing.listSilence;
      try {
        await client.get({
          purpose: 'list',
          path: PATHS[kind],
          query: page,
          signal,
          // A list that has begun goes on: its pages come no sooner than they are worked off.
          unlimited: next !== '',
          headerSilence: silence,
          silence,
          onData: (chunk) => reader.push(chunk),
        });
      } catch (error) {
        // The pages took longer than the server remembers: the next attempt asks for all at once.
        if (next !== '' && error instanceof ApiError && error.expired) this.paged = false;
        throw error;
      }
      const meta = reader.end();
      this.version = meta.resourceVersion;
      next = meta.continue;
    } while (next !== '');
    replacement.commit();
  }

  private async watch(store: KubeStore, signal: AbortSignal): Promise<void> {
    const { kind, client, query, clock, random, timing, log } = this.options;
    const lifetime = timing.watch * (1 + random.uint32() / 2 ** 32);
    const seconds = Math.max(1, Math.round(lifetime / 1000));
    const lines = new LineReader((line) => this.event(store, line));
    const started = clock.monotonic();
    let heard = false;
    await client.get({
      purpose: 'watch',
      path: PATHS[kind],
      query: {
        ...query,
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.version,
        timeoutSeconds: String(seconds),
      },
      signal,
      onOpen: () => this.recovered(),
      headerSilence: timing.listSilence,
      silence: lifetime + timing.watchGrace,
      onData: (chunk) => {
        heard = true;
        this.backoff.forget();
        lines.push(chunk);
      },
    });
    if (lines.pending > 0) log.debug(`watch of ${kind} ended within an event; it will come again`);
    // A server that ends watches at once must not be asked in a tight loop.
    if (!heard && clock.monotonic() - started < timing.backoff.min) await sleep(clock, this.backoff.next(), signal);
  }

  private event(store: KubeStore, line: string): void {
    const { kind, intake } = this.options;
    const event = JSON.parse(line) as unknown;
    const type = textAt(event, 'type');
    const raw = objectAt(event, 'object');
    if (type === 'ERROR') throw ApiError.of(Number(raw['code']) || 500, raw, 0, true);
    if (type === 'ADDED' || type === 'MODIFIED') {
      const taken = intake.take(kind, raw);
      if (typeof taken === 'object') store.apply(taken.object, taken.triggeredAt);
      else this.remove(store, raw);
    } else if (type === 'DELETED') {
      this.remove(store, raw);
    } else if (type !== 'BOOKMARK') {
      throw new SyntaxError(`a watch event of type ${JSON.stringify(objectAt({ event }, 'event')['type'])}`);
    }
    const version = textAt(objectAt(raw, 'metadata'), 'resourceVersion');
    if (version !== '') this.version = version;
  }

  /**
   * Also for an object that changed into one that is not wanted or cannot be used: its last good state is no longer
   * true.
   */
  private remove(store: KubeStore, raw: unknown): void {
    const { kind } = this.options;
    const meta = objectAt(raw, 'metadata');
    const namespaced = kind !== 'Namespace' && kind !== 'Node';
    store.delete(kind, namespaced ? textAt(meta, 'namespace') || 'default' : '', textAt(meta, 'name'));
  }

  private async pause(error: unknown, signal: AbortSignal): Promise<void> {
    const { kind, client, clock, log } = this.options;
    const api = error instanceof ApiError ? error : undefined;
    const refused = isRefused(error);
    const wait = refused
      ? this.options.timing.refused * (1 + this.options.random.uint32() / 2 ** 32)
      : this.backoff.next(api?.retryAfter);
    // A version being gone is the usual course of things after a long silence, not a fault.
    const usual = api?.expired && this.failures === 1;
    const level = usual || (refused && this.isTold(describe(error))) ? 'debug' : 'warning';
    log[level](
      `cannot follow ${kind} objects at ${client.host}: ${describe(error)}; next attempt in ${Math.round(wait)} ms`,
    );
    await sleep(clock, wait, signal).catch(() => undefined);
  }

  /** Whether this was told a short time ago; if not, it is now. */
  private isTold(text: string): boolean {
    const now = this.options.clock.monotonic();
    const { refusal } = this;
    if (refusal?.text === text && now - refusal.told < this.options.timing.retell) return true;
    this.refusal = { text, told: now };
    return false;
  }

  private recovered(): void {
    if (this.failures > 0 || this.refusal !== undefined)
      this.options.log.info(`following ${this.options.kind} objects at ${this.options.client.host} again`);
    this.failures = 0;
    this.refusal = undefined;
  }
}

/** Whether nothing listens at the API's address. */
function isRefused(error: unknown): boolean {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return (inner as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
}

/** How the API is told what a list must not be older than. */
function versionQuery(from: ListFrom): Record<string, string> {
  if (from === '') return {};
  return from === '0' ? { resourceVersion: '0' } : { resourceVersion: from, resourceVersionMatch: 'NotOlderThan' };
}

function describe(error: unknown): string {
  if (error instanceof ApiError) return `${error.status} ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  // Node reports a failure on all addresses of a host as an error without a message.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return error.message || inner?.message || error.name;
}
