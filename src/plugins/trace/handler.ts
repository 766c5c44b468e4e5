import {
  replyOf,
  watchHandlers,
  type Handler,
  type HandlerEvent,
  type Next,
  type Outcome,
  type Query,
  type QueryContext,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import { rcodeName } from '../../wire/index.js';
import { Trace, parentOf, type Span } from './span.js';

export interface QueryTracerParts {
  readonly clock: Clock;
  readonly random: Random;
  /** One of so many queries is traced; 0 for none. */
  readonly every: number;
  /** Whether a span of the one who asks is taken for one's own. */
  readonly clientServer: boolean;
  readonly report: (spans: readonly Span[]) => void;
}

/** Follows queries from plugin to plugin: a span for each, within one for the query. */
export class QueryTracer implements Handler {
  readonly name = 'trace';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn = 'query';
  private count = 0;
  private readonly traces = new WeakMap<QueryContext, Trace>();

  constructor(private readonly parts: QueryTracerParts) {}

  /** Begins to watch handlers; the returned function ends it. */
  watch(): () => void {
    return watchHandlers((event) => this.seen(event));
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { every, clock, random, clientServer } = this.parts;
    if (every === 0 || ++this.count % every !== 0 || this.traces.has(query.context)) return next(query);
    const trace = new Trace(random, 'servedns', clock.monotonic(), clock.now(), parentOf(query.context), clientServer);
    query.context.metadata?.set('trace/traceid', trace.root.traceId);
    this.traces.set(query.context, trace);
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = next(query);
    } catch (error) {
      this.finish(query, trace, undefined, error);
      throw error;
    }
    if (!(outcome instanceof Promise)) return this.finish(query, trace, outcome, undefined)!;
    return outcome.then(
      (settled) => this.finish(query, trace, settled, undefined)!,
      (error: unknown) => {
        this.finish(query, trace, undefined, error);
        throw error;
      },
    );
  }

  private seen({ phase, handler, query, call, error }: HandlerEvent): void {
    const trace = this.traces.get(query.context);
    if (trace === undefined) return;
    const at = this.parts.clock.monotonic();
    if (phase === 'enter') trace.enter(call, handler.name, at);
    else trace.leave(call, at, error);
  }

  private finish(query: Query, trace: Trace, outcome: Outcome | undefined, fault: unknown): Outcome | undefined {
    const reply = outcome === undefined ? undefined : replyOf(outcome);
    trace.root.tags = {
      'coredns.io/name': query.name,
      'coredns.io/type': query.typeName,
      'coredns.io/proto': query.protocol,
      'coredns.io/remote': query.client.remote.address,
      ...(reply && { 'coredns.io/rcode': rcodeName(reply.rcode) }),
    };
    trace.end(trace.root, this.parts.clock.monotonic(), fault ?? reply?.cause);
    this.traces.delete(query.context);
    this.parts.report(trace.ended);
    return outcome;
  }
}
