import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { World } from '../../datapath/world.js';
import type { KubeStore } from '../../kube/store/store.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Network } from '../../net/network.js';
import type { PodFiles } from './pod-files.js';
import type { PodLog } from './pod-log.js';
import type { Plugin } from '../../plugin-api/contract.js';
import type { Tracer } from '../trace/tracer.js';

/** What runs in a pod. */
export interface Program {
  /** `dns`, `node-cache`, `web`, or `idle` for one that only waits. */
  readonly kind: string;
  /** Resolves when it serves. Rejects when it cannot start; the reason is in the pod's log too. */
  start(): Promise<void>;
  /** Ends in order. */
  stop(): Promise<void>;
  /** Text of the Corefile of a DNS server; undefined while there is none. */
  corefile?(): string | undefined;
}

/** What a program gets. */
export interface ProgramEnv {
  readonly name: string;
  /** The pod in the model. */
  readonly pod: Pod;
  readonly raw: RawObject;
  readonly network: Network;
  readonly files: PodFiles;
  readonly log: PodLog;
  readonly env: Readonly<Record<string, string>>;
  readonly world: World;
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
  readonly external: readonly Plugin[];
  /**
   * Told that the program ends by itself, as one that calls exit(1). @param closed resolves when nothing of it is left
   */
  readonly exited: (closed: Promise<void>) => void;
}
