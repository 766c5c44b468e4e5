import { sleep } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import type { ClusterApi } from '../cluster/cluster-api.js';
import { BackOff } from './back-off.js';
import { tellOfContainer, tellBackOff } from './pod-events.js';
import type { ContainerProbe } from './probes.js';
import type { RunningPod } from './running-pod.js';

export interface RestartOptions {
  readonly clock: Clock;
  readonly api: ClusterApi;
  /** Whether a pod is there still. */
  readonly alive: (pod: RunningPod) => boolean;
  /** The program of a pod has ended; it is not ready. */
  readonly ended: (pod: RunningPod) => void;
  readonly start: (pod: RunningPod) => Promise<void>;
}

/** Kills containers that fail their probes, and starts them again: at once the first time, then with a back-off. */
export class ContainerRestarts {
  private readonly backOffs = new WeakMap<RunningPod, BackOff>();

  constructor(private readonly options: RestartOptions) {}

  async failed(pod: RunningPod, { container, aim }: ContainerProbe): Promise<void> {
    const { api, clock, alive, ended, start } = this.options;
    tellOfContainer(api, pod, container, {
      reason: 'Killing',
      message: `Container ${container} failed ${aim} probe, will be restarted`,
    });
    pod.state = 'Crashed';
    ended(pod);
    await pod.program.stop();
    // What hung is gone with its process.
    pod.network.paused = false;
    const backOff = this.backOffs.get(pod) ?? new BackOff();
    this.backOffs.set(pod, backOff);
    const wait = backOff.wait(clock.now());
    if (wait > 0) {
      tellBackOff(api, pod, container);
      ended(pod);
      await sleep(clock, wait);
    }
    // Meanwhile it may have been deleted, or started by hand.
    if (!alive(pod) || (pod.state as RunningPod['state']) !== 'Crashed') return;
    backOff.started(clock.now());
    await start(pod);
  }
}
