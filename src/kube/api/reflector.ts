import { sleep } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { Taken } from '../intake/intake.js';
import { namespaceOf } from '../objects/objects.js';
import { asObject, objectAt, textAt, type RawObject } from '../objects/raw.js';
import type { ProtobufObjectReader, ReadObject } from '../protobuf/objects.js';
import type { WatchEvent } from '../protobuf/watch.js';
import { Latch } from '../source.js';
import type { KubeStore, Replacement } from '../store/store.js';
import { ApiError } from './api-error.js';
import { Backoff } from './backoff.js';
import { listBody, watchBody, type ListBody, type WatchBody } from './body.js';
import type { ReflectorOptions } from './reflector-options.js';
import { PATHS, initialQuery, versionQuery, type ListFrom } from './resources.js';
import { SilenceError } from './silence-guard.js';
import { Trouble, isGarbled, isLost } from './trouble.js';

/**
 * Objects per page of a list, as the Kubernetes client library asks for. Servers that answer from their cache send
 * all at once.
 */
const PAGE = 500;
/** On the bookmark after which a watch has sent all there was (API concepts, "Streaming lists"). */
const INITIAL_END = 'k8s.io/initial-events-end';
/** Statuses of an API that does not know what it is asked for (400, 422), or has it in JSON only (406, 415). */
const [UNKNOWN, NOT_PROTOBUF] = [
  [400, 422],
  [406, 415],
];

/** A watch that should have told when it had sent all there was, and did not. */
class InitialEndError extends NodensError {
  override readonly name = 'InitialEndError';

  constructor(message: string) {
    super('NODENS_KUBE_API', message);
  }
}

/**
 * Keeps the objects of one kind in a store equal to those of an API: one watch that begins with all there is, or a
 * list where the API does not have that, then watches that carry on from it, and all once more only when the API has
 * forgotten the version reached
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 * Whatever goes wrong is logged and tried again later; what the store holds meanwhile stays.
 */
export class Reflector {
  readonly latch = new Latch();
  private readonly backoff: Backoff;
  private readonly trouble: Trouble;
  private version = '';
  /** What all there is must not be older than; undefined when it is known. */
  private from: ListFrom | undefined = '0';
  private paged = true;
  /** What the API was not found to lack, since its connection was last lost. */
  private streams = true;
  private protobuf = true;

  constructor(private readonly options: ReflectorOptions) {
    this.backoff = new Backoff(options.timing.backoff, options.clock, options.random);
    this.trouble = new Trouble(options, this.backoff);
  }

  /** Runs until the signal is aborted; never rejects. */
  async run(store: KubeStore, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.from !== undefined && !this.streams) {
          await this.list(store, this.from, signal);
          this.isComplete();
        }
        await this.watch(store, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.asksForLess(error)) continue;
        this.from = this.trouble.next(error, this.from, this.version);
        await sleep(this.options.clock, this.trouble.wait(error), signal).catch(() => undefined);
      }
    }
  }

  private get reader(): ProtobufObjectReader | undefined {
    return this.protobuf ? this.options.reader : undefined;
  }

  private isComplete(): void {
    this.from = undefined;
    this.trouble.over();
    this.latch.release();
  }

  /** Whether the API can be asked at once in another way. Another API may be there when its connection was lost. */
  private asksForLess(error: unknown): boolean {
    const { kind, client, log } = this.options;
    const status = error instanceof ApiError && !error.streamed ? error.status : 0;
    const initial = this.from !== undefined && this.streams;
    if (initial && (error instanceof InitialEndError || UNKNOWN.includes(status))) this.streams = false;
    else if (this.reader !== undefined && NOT_PROTOBUF.includes(status)) this.protobuf = false;
    else {
      if (this.reader !== undefined && isGarbled(error)) this.protobuf = false;
      else if (isLost(error)) this.streams = this.protobuf = true;
      return false;
    }
    const less = this.streams ? 'JSON' : 'a list';
    log.debug(`${kind} objects at ${client.host}: ${(error as Error).message}; asking for ${less} instead`);
    return true;
  }

  private async list(store: KubeStore, from: ListFrom, signal: AbortSignal): Promise<void> {
    const { kind, client, query, timing } = this.options;
    const replacement = store.replace(kind);
    let next = '';
    do {
      let body: ListBody | undefined;
      // A list that is not older than a version comes from the server's cache, and quickest as a whole.
      const paged = this.paged && (from === '' || from === '0');
      const page: Record<string, string> = {
        ...query,
        ...(paged ? { limit: String(PAGE) } : {}),
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
          protobuf: this.reader !== undefined,
          onOpen: (type) => (body = listBody(type, this.reader)),
          onData: (chunk) => this.take(body!.read(chunk), replacement),
        });
      } catch (error) {
        // The pages took longer than the server remembers: the next attempt asks for all at once.
        if (next !== '' && error instanceof ApiError && error.expired) this.paged = false;
        throw error;
      }
      const meta = body!.end();
      this.version = meta.resourceVersion;
      next = meta.continue;
    } while (next !== '');
    await this.sweep(replacement);
  }

  private async take(items: Iterable<unknown>, replacement: Replacement): Promise<void> {
    const { kind, intake, pace } = this.options;
    for (const raw of items) {
      const taken = intake.take(kind, raw);
      if (typeof taken === 'object') replacement.apply(taken.object, taken.triggeredAt);
      while (pace.isDue) await pace.rest();
    }
  }

  private async sweep(replacement: Replacement): Promise<void> {
    const { pace } = this.options;
    const steps = replacement.sweep();
    while (steps.next().done !== true) while (pace.isDue) await pace.rest();
  }

  private async watch(store: KubeStore, signal: AbortSignal): Promise<void> {
    const { client, clock, random, timing, log, kind } = this.options;
    const lifetime = timing.watch * (1 + random.uint32() / 2 ** 32);
    const watch = new OpenWatch(store, this.from === undefined ? undefined : store.replace(kind));
    const started = clock.monotonic();
    const lived = (): Milliseconds => clock.monotonic() - started;
    const initialSilence = (): boolean => watch.opened && watch.initial !== undefined;
    try {
      await client.get({
        purpose: 'watch',
        path: PATHS[kind],
        query: this.watchQuery(lifetime),
        signal,
        protobuf: this.reader !== undefined,
        onOpen: (type) => {
          watch.open(watchBody(type, this.reader));
          if (watch.initial === undefined) this.trouble.over();
        },
        headerSilence: timing.listSilence,
        get silence() {
          return initialSilence() ? timing.initialSilence : lifetime + timing.watchGrace;
        },
        onData: (chunk) => {
          if (watch.initial !== undefined && lived() > timing.initial)
            throw new InitialEndError(`all there is took more than ${timing.initial / 1000} s`);
          return this.events(watch, chunk);
        },
      });
      if (watch.initial !== undefined) throw new InitialEndError('the watch ended before all there is was sent');
    } catch (error) {
      if (error instanceof SilenceError && initialSilence()) throw new InitialEndError(error.message);
      throw error;
    } finally {
      if (watch.delivered || lived() >= timing.eager) this.trouble.wasWell();
    }
    if (watch.pending > 0) log.debug(`watch of ${kind} ended within an event; it will come again`);
    // A server that ends watches at once must not be asked in a tight loop.
    if (!watch.delivered && lived() < timing.backoff.min) await sleep(clock, this.backoff.next(), signal);
  }

  private watchQuery(lifetime: Milliseconds): Record<string, string> {
    return {
      ...this.options.query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      ...(this.from === undefined ? { resourceVersion: this.version } : initialQuery(this.from)),
      timeoutSeconds: String(Math.max(1, Math.round(lifetime / 1000))),
    };
  }

  private async events(watch: OpenWatch, chunk: Uint8Array): Promise<void> {
    const { pace } = this.options;
    for (const event of watch.body!.read(chunk)) {
      this.event(watch, event);
      watch.delivered = true;
      this.backoff.forget();
      if (watch.initial !== undefined && isInitialEnd(event)) {
        await this.sweep(watch.initial);
        watch.initial = undefined;
        this.isComplete();
      }
      while (pace.isDue) await pace.rest();
    }
  }

  private event(watch: OpenWatch, { type, object: raw }: WatchEvent): void {
    const { kind, intake } = this.options;
    if (type === 'ERROR') throw ApiError.of(Number(asObject(raw)['code']) || 500, raw, 0, true);
    if (type === 'ADDED' || type === 'MODIFIED') {
      const taken = intake.take(kind, raw);
      if (typeof taken !== 'object') this.remove(watch.store, raw);
      else if (watch.initial) watch.initial.apply(taken.object, taken.triggeredAt);
      else watch.store.apply(taken.object, taken.triggeredAt);
    } else if (type === 'DELETED') {
      this.remove(watch.store, raw);
    } else if (type !== 'BOOKMARK') {
      throw new SyntaxError(`a watch event of type ${JSON.stringify(type)}`);
    }
    const version = raw instanceof Taken ? raw.version : textAt(objectAt(raw, 'metadata'), 'resourceVersion');
    // What a watch begins with is in no order: its versions say nothing before its end.
    if (version !== '' && (watch.initial === undefined || isInitialEnd({ type, object: raw }))) this.version = version;
  }

  /**
   * Also for an object that changed into one that is not wanted or cannot be used: its last good state is no longer
   * true.
   */
  private remove(store: KubeStore, raw: ReadObject): void {
    const { kind } = this.options;
    if (raw instanceof Taken) return void store.delete(kind, namespaceOf(raw.object), raw.object.name);
    const meta = objectAt(raw, 'metadata');
    const namespaced = kind !== 'Namespace' && kind !== 'Node';
    store.delete(kind, namespaced ? textAt(meta, 'namespace') || 'default' : '', textAt(meta, 'name'));
  }
}

/** One watch under way. */
class OpenWatch {
  body: WatchBody | undefined;
  /** Whether an event was understood. */
  delivered = false;

  constructor(
    readonly store: KubeStore,
    /** As long as it sends all there is. */
    public initial: Replacement | undefined,
  ) {}

  get opened(): boolean {
    return this.body !== undefined;
  }

  get pending(): number {
    return this.body?.pending ?? 0;
  }

  open(body: WatchBody): void {
    this.body = body;
  }
}

function isInitialEnd({ type, object }: WatchEvent): boolean {
  if (type !== 'BOOKMARK') return false;
  const annotations: RawObject = objectAt(objectAt(object, 'metadata'), 'annotations');
  return annotations[INITIAL_END] === 'true';
}
