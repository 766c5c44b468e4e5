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
  readonly duration: Milliseconds;
  tags: Readonly<Record<string, string>>;
  readonly error: string | undefined;
}

/** One that has not ended. */
type OpenSpan = Omit<Span, 'duration' | 'error'>;

const hex = (random: Random): string => random.uint32().toString(16).padStart(8, '0');

/** The spans of one query, while it is on its way. */
export class Trace {
  /** Those that have not ended, the innermost last. */
  private open: readonly OpenSpan[];
  private readonly calls = new Map<object, OpenSpan>();
  readonly root: OpenSpan;
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
      tags: {},
    };
    this.open = [this.root];
  }

  enter(call: object, name: string, at: Milliseconds): void {
    const span: OpenSpan = {
      traceId: this.root.traceId,
      id: this.newId(),
      parent: this.open.at(-1)!.id,
      shared: false,
      name,
      root: false,
      start: this.timeOf(at),
      tags: {},
    };
    this.calls.set(call, span);
    this.open = [...this.open, span];
  }

  leave(call: object, at: Milliseconds, error: unknown): void {
    const span = this.calls.get(call);
    if (span === undefined) return;
    this.open = this.open.filter((other) => other !== span);
    this.end(span, at, error);
  }

  end(span: OpenSpan, at: Milliseconds, fault: unknown): void {
    const text = fault instanceof Error ? fault.message : 'a fault that is no Error';
    const error = fault === undefined ? undefined : text;
    this.ended.push({ ...span, duration: this.timeOf(at) - span.start, error });
  }

  private timeOf(monotonic: Milliseconds): Milliseconds {
    return this.now + (monotonic - this.begun);
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
