import { TIME_BOUNDS, type Histogram, type Metrics, type Value } from '../../metrics/metrics.js';
import { rcodeName } from '../../wire/index.js';

/** The counters of one upstream. */
export interface GrpcUpstreamMetrics {
  readonly requests: Value;
  readonly duration: Histogram;
  responded(rcode: number): void;
}

export interface GrpcMetrics {
  upstream(to: string): GrpcUpstreamMetrics;
}

export function grpcMetrics(metrics: Metrics): GrpcMetrics {
  const requests = metrics.counter('grpc', 'requests_total', 'Counter of requests made per upstream.', ['to']);
  const responses = metrics.counter('grpc', 'responses_total', 'Counter of responses received per upstream.', [
    'rcode',
    'to',
  ]);
  const duration = metrics.histogram(
    'grpc',
    'request_duration_seconds',
    'Histogram of the time each request took.',
    TIME_BOUNDS,
    ['to'],
  );
  const known = new Map<string, GrpcUpstreamMetrics>();
  return {
    upstream(to) {
      let made = known.get(to);
      if (made === undefined) {
        made = {
          requests: requests.with({ to }),
          duration: duration.with({ to }),
          responded: (rcode) => responses.with({ to, rcode: rcodeName(rcode) }).inc(),
        };
        known.set(to, made);
      }
      return made;
    },
  };
}
