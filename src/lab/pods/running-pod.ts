import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { Milliseconds } from '../../lib/units.js';
import type { PausableNetwork } from './pausable-network.js';
import type { PodFiles } from './pod-files.js';
import type { PodLog } from './pod-log.js';
import type { Program } from './program.js';

export type PodState = 'ContainerCreating' | 'Running' | 'Terminating' | 'Error' | 'Crashed';

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
  /** When the program ended last; undefined where it runs for the first time. */
  ended: Milliseconds | undefined;
  /** When the program was started last. */
  began: Milliseconds;
}
