import type { Milliseconds } from '../lib/units.js';

/** Before the first reply: between a resolver on the other side of a country and what a client puts up with. */
const UNKNOWN: Milliseconds = 300;
/**
 * A resolver that has to ask others itself takes longer than it usually does; asking again sooner would double its
 * load.
 */
const FLOOR: Milliseconds = 150;
/** Above this a client notices. */
const CEILING: Milliseconds = 400;
/** Samples before the 95th percentile is believed. */
const ENOUGH = 20;
/** Asking sooner again would race with replies that are on their way. */
const SOONEST_HEDGE: Milliseconds = 20;

/**
 * Smoothed round-trip time with its mean deviation (RFC 6298 section 2). Every message has an id of its own, so each
 * reply is a true sample (section 3).
 */
export class RoundTrip {
  /** 0 before the first sample. */
  private smoothed: Milliseconds = 0;
  private deviation: Milliseconds = 0;
  private p95: Milliseconds = 0;
  private samples = 0;

  /** Smoothed time of a reply; undefined before the first. */
  get mean(): Milliseconds | undefined {
    return this.samples === 0 ? undefined : this.smoothed;
  }

  /** What 95 of 100 replies take at most, as an estimate; undefined while there are too few of them. */
  get slowest(): Milliseconds | undefined {
    return this.samples < ENOUGH ? undefined : this.p95;
  }

  /** After how long a query that is still unanswered is worth a second one: 20 ms or more. */
  get hedgeAfter(): Milliseconds {
    return this.samples < ENOUGH ? Infinity : Math.max(SOONEST_HEDGE, 1.2 * this.p95);
  }

  /** How long to wait for a reply before somebody else is asked: 150 to 400 ms. */
  get patience(): Milliseconds {
    return this.smoothed === 0 ? UNKNOWN : Math.min(CEILING, Math.max(FLOOR, this.smoothed + 4 * this.deviation));
  }

  /** All of it as numbers: smoothed time, deviation and 95th percentile in milliseconds, samples. */
  get state(): readonly number[] {
    return [this.smoothed, this.deviation, this.p95, this.samples];
  }

  /** Goes on from there. */
  goOn([smoothed = 0, deviation = 0, p95 = 0, samples = 0]: readonly number[]): void {
    [this.smoothed, this.deviation, this.p95, this.samples] = [smoothed, deviation, p95, samples];
  }

  sample(time: Milliseconds): void {
    this.estimate(time);
    if (this.smoothed === 0) {
      this.smoothed = time;
      this.deviation = time / 2;
      return;
    }
    this.deviation += (Math.abs(this.smoothed - time) - this.deviation) / 4;
    this.smoothed += (time - this.smoothed) / 8;
  }

  /** The estimate rises by 19 parts for a reply above it and falls by one for one below: it rests at 95 of 100. */
  private estimate(time: Milliseconds): void {
    this.p95 = this.samples++ === 0 ? 2 * time : this.p95;
    const step = Math.max(0.05, this.p95 / 100);
    this.p95 = Math.max(0, time > this.p95 ? this.p95 + 0.95 * 4 * step : this.p95 - 0.05 * 4 * step);
  }
}
