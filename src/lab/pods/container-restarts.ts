import { textAt } from '../../kube/objects/raw.js';
import { sleep } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import { containersOf } from '../cluster/cluster-api.js';
import type { ClusterApi } from '../cluster/cluster-api.js';
import { BackOff } from './back-off.js';
import { tellOfContainer, tellBackOff } from './pod-events.js';
import type { ContainerProbe } from './probes.js';
import type { RunningPod } from './running-pod.js';

/** With what a program ends that is killed. */
export const KILLED = 137;
/** With what one ends that gives up by itself. */
const GAVE_UP = 1;

export interface RestartOptions {
  readonly clock: Clock;
  readonly api: ClusterApi;
  /** Whether a pod is there still. */
  readonly alive: (pod: RunningPod) => boolean;
  /** The program of a pod has ended; it is not ready. */
  readonly ended: (pod: RunningPod, exitCode: number) => void;
  /** The state of a pod is another. */
  readonly report: (pod: RunningPod) => void;
  readonly start: (pod: RunningPod) => Promise<void>;
}

/**
 * Starts containers again that have ended, or failed their probes and are killed for it: at once the first time, then
 * with a back-off.
 */
export class ContainerRestarts {
  private readonly backOffs = new WeakMap<RunningPod, BackOff>();
  private readonly closing = new AbortController();

  constructor(private readonly options: RestartOptions) {}

  /** A container has failed a probe as often as it may. */
  failed(pod: RunningPod, { container, aim }: ContainerProbe): void {
    tellOfContainer(this.options.api, pod, container, {
      reason: 'Killing',
      message: `Container ${container} failed ${aim} probe, will be restarted`,
    });
    this.again(pod, container, KILLED, () => pod.program.stop());
  }

  /** The program of a pod has ended by itself. @param closed resolves when nothing of it is left */
  exited(pod: RunningPod, closed?: Promise<void>): void {
    const object = this.options.api.get('Pod', pod.namespace, pod.name);
    if (!object || pod.state === 'Terminating') return;
    this.again(pod, textAt(containersOf(object.raw)[0], 'name'), GAVE_UP, async () => closed);
  }

  /** Nothing is started any more. */
  close(): void {
    this.closing.abort(new Error('closed'));
  }

  private again(pod: RunningPod, container: string, exitCode: number, end: () => Promise<void>): void {
    pod.state = 'Error';
    this.options.ended(pod, exitCode);
    this.afterBackOff(pod, container, end).catch((error: unknown) => {
      if (!this.closing.signal.aborted) pod.log.write(`[ERROR] ${String(error)}\n`);
    });
  }

  private async afterBackOff(pod: RunningPod, container: string, end: () => Promise<void>): Promise<void> {
    const { api, clock, alive, report, start } = this.options;
    const { restarts } = pod;
    await end();
    // What hung is gone with its process.
    pod.network.paused = false;
    // Meanwhile it may have been deleted, or started by hand.
    const down = (): boolean =>
      alive(pod) && pod.restarts === restarts && (pod.state === 'Error' || pod.state === 'Crashed');
    const backOff = this.backOffs.get(pod) ?? new BackOff();
    this.backOffs.set(pod, backOff);
    const wait = backOff.wait(clock.now());
    if (wait > 0 && down()) {
      pod.state = 'Crashed';
      tellBackOff(api, pod, container);
      report(pod);
      await sleep(clock, wait, this.closing.signal);
    }
    if (this.closing.signal.aborted || !down()) return;
    backOff.started(clock.now());
    await start(pod);
  }
}
