import path from 'node:path';
import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { World } from '../../datapath/world.js';
import type { KubeStore } from '../../kube/store.js';
import type { RawObject } from '../../kube/raw.js';
import { arrayAt, textAt } from '../../kube/raw.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Network } from '../../net/network.js';
import { containersOf } from '../cluster/cluster-api.js';
import { LabNetwork } from '../network/lab-network.js';
import { GO_SERVER } from '../network/syscall-profile.js';
import { DnsProgram } from './dns-program.js';
import { GatedNetwork } from './pausable-network.js';
import { NodeCacheProgram } from './node-cache-program.js';
import type { PodFiles } from './pod-files.js';
import type { PodLog } from './pod-log.js';
import type { Tracer } from '../trace/tracer.js';
import { WebProgram, whoami } from './web-program.js';

/** What runs in a pod. */
export interface Program {
  /** `dns`, `node-cache`, `web`, or `idle` for a shell that waits to be told. */
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
}

const DNS_IMAGES = ['coredns', 'nodens'];
const CACHE_IMAGES = ['k8s-dns-node-cache'];
const WEB_IMAGES = ['whoami', 'nginx', 'httpd'];

/** The words after the program's name. */
const argsOf = (container: RawObject): string[] => arrayAt(container, 'args').map(String);

/**
 * What the first container's image stands for. Images that the lab does not know are programs that wait: enough to
 * run commands in.
 */
export function programOf(env: ProgramEnv): Program {
  const [container = {}] = containersOf(env.raw);
  const image = path.basename(textAt(container, 'image')).split(/[:@]/, 1)[0]!;
  const args = argsOf(container);
  const cache = DNS_IMAGES.includes(image) && args[0] === 'node-cache';
  if (cache || CACHE_IMAGES.includes(image)) return new NodeCacheProgram(env, cache ? args.slice(1) : args);
  if (DNS_IMAGES.includes(image)) return new DnsProgram(env, corefileOf(args));
  if (WEB_IMAGES.includes(image)) return new WebProgram(env.network, whoami(env.pod, env.clock));
  return { kind: 'idle', start: async () => undefined, stop: async () => undefined };
}

function corefileOf(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '-conf' || arg === '--conf');
  return (at >= 0 ? args[at + 1] : args.find((arg) => /^--?conf=/.test(arg))?.replace(/^--?conf=/, '')) ?? '/Corefile';
}

/** The network of a pod's program, with a gate. */
export const gatedNetwork = (pod: Pod, log: PodLog): GatedNetwork =>
  new GatedNetwork(
    new LabNetwork(pod.process, {
      habits: GO_SERVER,
      onFault: (error) =>
        log.write(`[ERROR] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
    }),
  );
