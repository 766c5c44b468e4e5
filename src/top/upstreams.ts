import type { Histogram, Metrics, Value } from '../metrics/metrics.js';
import type { Milliseconds } from '../lib/units.js';

/** What has become of the queries to one upstream. */
export interface UpstreamLoad {
  readonly to: string;
  /** Queries a second that were answered. */
  readonly rate: number;
  /** Their mean time in seconds; undefined without any. */
  readonly latency: number | undefined;
  /** Attempts a second that got no reply in time. */
  readonly unanswered: number;
}

interface Sums {
  count: number;
  time: number;
  unanswered: number;
}

const none = (): Sums => ({ count: 0, time: 0, unanswered: 0 });

/** How busy and how slow upstreams were of late, from the metrics that there are anyway. */
export class UpstreamLoads {
  private readonly seen = new Map<string, Sums>();
  private readonly recent = new Map<string, Sums>();

  constructor(private readonly metrics: Pick<Metrics, 'find'>) {}

  /** Takes over what was counted since the last call; what lies before it counts `factor` times what it did. */
  tick(factor: number): void {
    for (const recent of this.recent.values()) {
      recent.count *= factor;
      recent.time *= factor;
      recent.unanswered *= factor;
    }
    for (const [to, now] of this.read()) {
      const before = this.seen.get(to) ?? none();
      const recent = this.recent.get(to) ?? none();
      recent.count += now.count - before.count;
      recent.time += now.time - before.time;
      recent.unanswered += now.unanswered - before.unanswered;
      this.recent.set(to, recent);
      this.seen.set(to, now);
    }
  }

  /** @param span the time that the counts stand for */
  loads(span: Milliseconds): UpstreamLoad[] {
    return [...this.recent].map(([to, { count, time, unanswered }]) => ({
      to,
      rate: (count * 1000) / span,
      latency: count > 1e-9 ? time / count : undefined,
      unanswered: (unanswered * 1000) / span,
    }));
  }

  private read(): Map<string, Sums> {
    const now = new Map<string, Sums>();
    const of = (to: string): Sums => {
      const sums = now.get(to) ?? none();
      now.set(to, sums);
      return sums;
    };
    const durations = this.metrics.find<Histogram>('coredns_proxy_request_duration_seconds');
    for (const { labels, child } of durations?.series() ?? []) {
      const sums = of(labels.to!);
      sums.count += child.count;
      sums.time += child.sum;
    }
    const unanswered = this.metrics.find<Value>('coredns_forward_unanswered_total');
    for (const { labels, child } of unanswered?.series() ?? []) of(labels.to!).unanswered += child.value;
    return now;
  }
}
