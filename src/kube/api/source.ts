import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import { ApiClient } from './client.js';
import type { ApiRequest } from './client.js';
import type { ApiConnection } from '../auth/connection.js';
import { Intake } from '../intake/intake.js';
import type { LabelSelector } from '../objects/label-selector.js';
import type { FieldChoice, KubeKind } from '../objects/objects.js';
import { DEFAULT_LIMITS, RateLimiter } from './rate-limiter.js';
import type { RateLimits } from './rate-limiter.js';
import { Reflector } from './reflector.js';
import { DEFAULT_TIMING, type ApiTiming } from './timing.js';
import { Pace } from '../pace.js';
import { ProtobufObjectReader } from '../protobuf/objects.js';
import { Latch } from '../source.js';
import type { KubeLog, KubeSource } from '../source.js';
import type { KubeStore } from '../store/store.js';

export interface ApiSourceOptions {
  readonly connection: ApiConnection;
  readonly kinds: readonly KubeKind[];
  readonly fields: FieldChoice;
  /**
   * Only objects of these namespaces are kept. The API is asked for all: a service account's rights are usually for
   * the whole cluster.
   */
  readonly namespaces?: ReadonlySet<string>;
  /** For services, slices and pods; the API selects. */
  readonly labels?: LabelSelector;
  readonly namespaceLabels?: LabelSelector;
  /** Leaves pods out whose work is over: their addresses may belong to others by now. */
  readonly runningPodsOnly?: boolean;
  /** Only pods of this node; the API selects. */
  readonly node?: string;
  readonly limits?: RateLimits;
  readonly timing?: Partial<ApiTiming>;
  readonly userAgent?: string;
  readonly onRequest?: (request: ApiRequest) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KubeLog;
}

/** The objects of a Kubernetes API, followed kind by kind. */
export class ApiSource implements KubeSource {
  private readonly client: ApiClient;
  private readonly reflectors: readonly Reflector[];
  private readonly latch = new Latch();

  constructor(private readonly options: ApiSourceOptions) {
    const { clock, random, log, kinds, connection } = options;
    const timing = { ...DEFAULT_TIMING, ...options.timing };
    const limiter = new RateLimiter(options.limits ?? DEFAULT_LIMITS, clock);
    this.client = new ApiClient({
      connection,
      limiter,
      clock,
      userAgent: options.userAgent ?? 'nodens',
      onRequest: options.onRequest,
    });
    // Labels are the API's work, so the intake must not look at them: it may not even keep them.
    const intake = new Intake({ kinds, fields: options.fields, namespaces: options.namespaces, log });
    const shared = { client: this.client, intake, clock, random, timing, log, pace: new Pace(clock) };
    this.reflectors = kinds.map((kind) => {
      const reader = ProtobufObjectReader.of(kind, options.fields);
      return new Reflector({ ...shared, kind, reader, query: this.query(kind) });
    });
  }

  get hasSynced(): boolean {
    return this.latch.isOpen;
  }

  get synced(): Promise<void> {
    return this.latch.opened;
  }

  /** Host and port of the API, as metrics name it. */
  get host(): string {
    return this.client.host;
  }

  start(store: KubeStore, signal: AbortSignal): void {
    for (const reflector of this.reflectors) void reflector.run(store, signal);
    void Promise.all(this.reflectors.map((reflector) => reflector.latch.opened)).then(() => this.latch.release());
    signal.addEventListener('abort', () => this.client.close());
  }

  private query(kind: KubeKind): Record<string, string> {
    const selector =
      kind === 'Namespace' || kind === 'ServiceImport'
        ? this.options.namespaceLabels
        : kind === 'Node'
          ? undefined
          : this.options.labels;
    const query: Record<string, string> = selector && selector.text !== '' ? { labelSelector: selector.text } : {};
    if (kind !== 'Pod') return query;
    const { node, runningPodsOnly } = this.options;
    const fields = [
      ...(node === undefined ? [] : [`spec.nodeName=${node}`]),
      ...(runningPodsOnly ? ['status.phase!=Succeeded', 'status.phase!=Failed', 'status.phase!=Unknown'] : []),
    ];
    if (fields.length > 0) query['fieldSelector'] = fields.join(',');
    return query;
  }
}
