import type { Clock, Timer } from '../../lib/clock.js';
import type { ContainerProbe } from './probes.js';
import { probesOf } from './probes.js';
import { runProbe } from './run-probe.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { RunningPod } from './running-pod.js';

export interface ProberOptions {
  readonly clock: Clock;
  /** A probe failed. */
  readonly unhealthy: (pod: RunningPod, probe: ContainerProbe, why: string) => void;
  /** Whether the pod is ready may be another than before. */
  readonly readiness: (pod: RunningPod) => void;
  /** A container has failed its liveness or startup probe as often as it may. */
  readonly failed: (pod: RunningPod, probe: ContainerProbe) => void;
}

interface WatchedProbe {
  readonly probe: ContainerProbe;
  passed: boolean;
  /** Results in a row: successes above 0, failures below. */
  row: number;
  timer: Timer | undefined;
}

/**
 * Runs the probes of pods, each at its period, over the datapath. A pod that has passed them is left alone: in the
 * model it stays as it is until something of it changes, which {@link suspect} tells. So pods that are well cost
 * nothing, and leave no packets in captures.
 */
export class Prober {
  private readonly pods = new Map<RunningPod, readonly WatchedProbe[]>();

  constructor(private readonly options: ProberOptions) {}

  /**
   * The program of a pod has begun. Resolves when the probes that do not wait have been run once.
   *
   * @param taken whether they are taken as passed
   */
  async begin(pod: RunningPod, raw: RawObject, taken: boolean): Promise<void> {
    this.forget(pod);
    const watches = probesOf(raw).map((probe): WatchedProbe => ({ probe, passed: taken, row: 0, timer: undefined }));
    if (watches.length === 0) return;
    this.pods.set(pod, watches);
    if (!taken) await this.run(pod, watches);
  }

  forget(pod: RunningPod): void {
    for (const { timer } of this.pods.get(pod) ?? []) timer?.cancel();
    this.pods.delete(pod);
  }

  /** Whether a pod has passed all that it is ready by; also one without probes. */
  isReady(pod: RunningPod): boolean {
    return (this.pods.get(pod) ?? []).every(({ probe, passed }) => probe.aim === 'liveness' || passed);
  }

  /** Something of a pod has changed: its probes run again, until they pass. */
  suspect(pod: RunningPod): void {
    for (const watch of this.pods.get(pod) ?? [])
      if (watch.passed && watch.probe.aim !== 'startup') this.arm(pod, watch, this.untilNext(pod, watch));
  }

  close(): void {
    for (const pod of [...this.pods.keys()]) this.forget(pod);
  }

  /** Startup probes go first, the others when they have passed. */
  private async run(pod: RunningPod, watches: readonly WatchedProbe[]): Promise<void> {
    const starting = watches.filter(({ probe, passed }) => probe.aim === 'startup' && !passed);
    const age = this.options.clock.now() - pod.began;
    const due = (starting.length > 0 ? starting : watches).filter(({ passed }) => !passed);
    for (const watch of due) if (watch.probe.initialDelay > age) this.arm(pod, watch, watch.probe.initialDelay - age);
    await Promise.all(due.filter(({ probe }) => probe.initialDelay <= age).map((watch) => this.tick(pod, watch)));
  }

  private untilNext({ began }: RunningPod, { probe }: WatchedProbe): number {
    return probe.period - ((this.options.clock.now() - began) % probe.period);
  }

  private arm(pod: RunningPod, watch: WatchedProbe, delay: number): void {
    watch.timer ??= this.options.clock.setTimeout(() => {
      watch.timer = undefined;
      void this.tick(pod, watch);
    }, delay);
  }

  private async tick(pod: RunningPod, watch: WatchedProbe): Promise<void> {
    const { probe } = watch;
    const { clock } = this.options;
    const due = clock.now();
    const why = await runProbe(probe, pod, clock);
    const watches = this.pods.get(pod);
    if (watches?.includes(watch) !== true) return;
    if (why === '') watch.row = Math.max(0, watch.row) + 1;
    else watch.row = Math.min(0, watch.row) - 1;
    if (why !== '') this.options.unhealthy(pod, probe, why);
    const before = watch.passed;
    if (watch.row >= probe.successes) watch.passed = true;
    else if (watch.row <= -probe.failures) watch.passed = false;
    if (!watch.passed && watch.row <= -probe.failures && probe.aim !== 'readiness')
      return this.options.failed(pod, probe);
    // A probe that took longer than its period is followed by the next one at once.
    if (watch.row < probe.successes) this.arm(pod, watch, Math.max(0, due + probe.period - clock.now()));
    if (watch.passed !== before) this.options.readiness(pod);
    if (watch.passed && !before && probe.aim === 'startup') await this.run(pod, watches);
  }
}
