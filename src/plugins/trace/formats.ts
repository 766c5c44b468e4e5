import type { Span } from './span.js';

/** Who reports. */
export interface Reporting {
  readonly service: string;
  /** Where it listens, where a single address is known. */
  readonly endpoint: { readonly address: string; readonly port: number } | undefined;
  readonly version: string;
}

/** A batch of spans, as a collector takes them. */
export type TraceFormat = (spans: readonly Span[], reporting: Reporting) => unknown;

/** Zipkin's JSON, version 2 of its interface. Times in microseconds. */
export const zipkin: TraceFormat = (spans, { service, endpoint }) => {
  const family = endpoint?.address.includes(':') ? 'ipv6' : 'ipv4';
  const localEndpoint = { serviceName: service, ...(endpoint && { [family]: endpoint.address, port: endpoint.port }) };
  return spans.map((span) => ({
    traceId: span.traceId,
    id: span.id,
    ...(span.parent !== undefined && { parentId: span.parent }),
    ...(span.shared && { shared: true }),
    ...(span.root && { kind: 'SERVER' }),
    name: span.name,
    timestamp: Math.round(span.start * 1000),
    duration: Math.max(1, Math.round(span.duration * 1000)),
    localEndpoint,
    tags: span.error === undefined ? span.tags : { ...span.tags, error: span.error },
  }));
};

const attributes = (values: Readonly<Record<string, string>>): unknown[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
/** Milliseconds in nanoseconds; a number would not hold all digits. */
const nanoseconds = (time: number): string => `${BigInt(Math.round(time * 1000)) * 1000n}`;

/** Kinds of spans and statuses in OTLP (opentelemetry-proto, trace/v1). */
const [INTERNAL, SERVER, ERROR] = [1, 2, 2];

/** OTLP as JSON (opentelemetry.io/docs/specs/otlp, section on JSON). */
export const otlp: TraceFormat = (spans, { service, endpoint, version }) => ({
  resourceSpans: [
    {
      resource: {
        attributes: attributes({
          'service.name': service,
          'service.version': version,
          ...(endpoint && { 'server.address': endpoint.address, 'server.port': String(endpoint.port) }),
        }),
      },
      scopeSpans: [
        {
          scope: { name: 'nodens', version },
          spans: spans.map((span) => ({
            traceId: span.traceId,
            spanId: span.id,
            ...(span.parent !== undefined && { parentSpanId: span.parent }),
            name: span.name,
            kind: span.root ? SERVER : INTERNAL,
            startTimeUnixNano: nanoseconds(span.start),
            endTimeUnixNano: nanoseconds(span.start + span.duration),
            attributes: attributes(span.tags),
            ...(span.error !== undefined && { status: { code: ERROR, message: span.error } }),
          })),
        },
      ],
    },
  ],
});
