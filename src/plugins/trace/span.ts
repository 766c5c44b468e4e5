import type { QueryContext } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Random } from '../../lib/random.js';

/** A part of the way of one query. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly parent: string | undefined;
  /** Whether the one who asks has the same span. */
  readonly shared: boolean;
  readonly name: string;
  /** Whether it stands for the whole query. */
  readonly root: boolean;
  /** Since 1970-01-01 UTC. */
  readonly start: Milliseconds;
  duration: Milliseconds;
  tags: Record<string, string>;
  error: string | undefined;
}

const hex = (random: Random): string => random.uint32().toString(16).padStart(8, '0');

/** The spans of one query, while it is on its way. */
export class Trace {
  /** Those that have not ended, the innermost last. */
  private readonly open: Span[];
  private readonly calls = new Map<object, Span>();
  readonly root: Span;
  readonly ended: Span[] = [];

  /**
   * @param begun monotonic time of the beginning, `now` the wall clock's
   * @param parent what the one who asks says it belongs to
   * @param shares whether the one who asks has the same span
   */
  constructor(
    private readonly random: Random,
    name: string,
    private readonly begun: Milliseconds,
    private readonly now: Milliseconds,
    parent: ParentSpan | undefined,
    shares: boolean,
  ) {
    const shared = shares && parent !== undefined;
    this.root = {
      traceId: parent?.traceId ?? this.newId() + this.newId(),
      id: shared ? parent.id : this.newId(),
      parent: shared ? undefined : parent?.id,
      shared,
      name,
      root: true,
      start: now,
      duration: 0,
      tags: {},
      error: undefined,
    };
    this.open = [this.root];
  }

  enter(call: object, name: string, at: Milliseconds): void {
    const span: Span = {
      traceId: this.root.traceId,
      id: this.newId(),
      parent: this.open.at(-1)!.id,
      shared: false,
      name,
      root: false,
      start: this.now + (at - this.begun),
      duration: 0,
      tags: {},
      error: undefined,
    };
    this.calls.set(call, span);
    this.open.push(span);
  }

  leave(call: object, at: Milliseconds, error: unknown): void {
    const span = this.calls.get(call);
    if (span === undefined) return;
    this.calls.delete(call);
    this.open.splice(this.open.indexOf(span), 1);
    this.end(span, at, error);
  }

  end(span: Span, at: Milliseconds, error: unknown): void {
    span.duration = this.now + (at - this.begun) - span.start;
    if (error !== undefined) span.error = error instanceof Error ? error.message : 'a fault that is no Error';
    this.ended.push(span);
  }

  private newId(): string {
    return hex(this.random) + hex(this.random);
  }
}

/** A span of the one who asks. */
export interface ParentSpan {
  readonly traceId: string;
  readonly id: string;
}

/** What the headers of an HTTP request say of the trace it belongs to: W3C's `traceparent`, or Zipkin's `x-b3-...`. */
export function parentOf({ client }: Pick<QueryContext, 'client'>): ParentSpan | undefined {
  const headers = client.http?.headers;
  if (headers === undefined) return undefined;
  const [, w3cTrace, w3cSpan] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(String(headers.traceparent)) ?? [];
  const [b3Trace] = /^(?:[0-9a-f]{16}){1,2}$/.exec(String(headers['x-b3-traceid'])) ?? [];
  const [b3Span] = /^[0-9a-f]{16}$/.exec(String(headers['x-b3-spanid'])) ?? [];
  const [traceId, id] = w3cTrace === undefined ? [b3Trace?.padStart(32, '0'), b3Span] : [w3cTrace, w3cSpan];
  return traceId === undefined || id === undefined ? undefined : { traceId, id };
}
