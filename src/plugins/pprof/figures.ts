import { monitorEventLoopDelay, type Histogram } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { byText } from '../../lib/order.js';

const table = (rows: readonly (readonly [string, number | string])[]): string =>
  rows.map(([name, value]) => `${name}: ${value}\n`).join('');

/** V8's counts of its heap, in bytes, whole and by space. */
export function heapText(): string {
  const spaces = getHeapSpaceStatistics().map(
    ({ space_name: name, space_used_size: used, space_size: size }): [string, string] => [name, `${used} of ${size}`],
  );
  return table([...Object.entries(getHeapStatistics() as unknown as Record<string, number>), ...spaces]);
}

/** What the event loop waits for or holds open, by kind. */
export function resourcesText(): string {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return table([...counts].sort(([a], [b]) => byText(a, b)));
}

/** What a histogram of nanoseconds holds, in milliseconds. */
export function delayText(histogram: Histogram): string {
  const ms = (nanoseconds: number): string => (Number.isNaN(nanoseconds) ? 0 : nanoseconds / 1_000_000).toFixed(3);
  return table([
    ['count', histogram.count],
    ['min ms', ms(histogram.min)],
    ['mean ms', ms(histogram.mean)],
    ...[50, 90, 99, 99.9].map((percent): [string, string] => [`p${percent} ms`, ms(histogram.percentile(percent))]),
    ['max ms', ms(histogram.max)],
  ]);
}

/** Measures by how much timers are late: for so long something blocked the event loop. */
export class LoopDelay {
  private readonly histogram;

  /** @param resolution time between two looks, in milliseconds, at least 1 */
  constructor(resolution: number) {
    this.histogram = monitorEventLoopDelay({ resolution });
    this.histogram.enable();
  }

  /** In milliseconds, since the start. */
  text(): string {
    return delayText(this.histogram);
  }

  stop(): void {
    this.histogram.disable();
  }
}
