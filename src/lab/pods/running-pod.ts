import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { Milliseconds } from '../../lib/units.js';
import type { PausableNetwork } from './pausable-network.js';
import type { PodFiles } from './pod-files.js';
import type { PodLog } from './pod-log.js';
import type { Program } from './program.js';

/** `Error`: the program has ended; `Crashed`: and is not started again at once, or until somebody does so. */
export type PodState = 'ContainerCreating' | 'Running' | 'Terminating' | 'Error' | 'Crashed';

/** The end of one run of a program. */
export interface ContainerEnd {
  readonly began: Milliseconds;
  readonly at: Milliseconds;
  readonly exitCode: number;
}

/** A pod with what runs in it. */
export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly model: Pod;
  readonly files: PodFiles;
  readonly log: PodLog;
  readonly network: PausableNetwork;
  /** Variables of its container, as they were when its program was started. */
  env: Readonly<Record<string, string>>;
  program: Program;
  state: PodState;
  restarts: number;
  readonly started: Milliseconds;
  /** How the program ended last; undefined where it runs for the first time. */
  ended: ContainerEnd | undefined;
  /** When the program was started last. */
  began: Milliseconds;
}

/**
 * The run of a pod's program whose log is meant, counted from 0. Between two runs, the one that has ended is also the
 * one before; undefined where there was none before.
 */
export function runMeant({ state, restarts }: RunningPod, previous: boolean): number | undefined {
  if (!previous || state === 'Crashed' || state === 'Error') return restarts;
  return restarts === 0 ? undefined : restarts - 1;
}

/** Whether a pod is ready, and not on its way out. */
export const serves = (pod: RunningPod | undefined): boolean => pod?.state === 'Running' && pod.model.ready;
