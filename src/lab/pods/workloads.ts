import { isDeepStrictEqual } from 'node:util';
import { NodensError } from '../../lib/errors.js';
import { asObject, flagAt, objectAt, textMapAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Clock } from '../../lib/clock.js';
import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Kubelet } from './kubelet.js';
import { tellScheduled } from './pod-events.js';
import { WorkloadEvents } from './workload-events.js';
import type { PodPin } from '../topology/topology.js';
import { labelsOf } from '../cluster/cluster-api.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import { keyOf, nodeOf, ownerOf } from '../cluster/pod-index.js';
import type { ObjectKey } from '../cluster/pod-index.js';

/** Letters and digits of generated names, as Kubernetes draws them. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX = 5;
const HASH = 10;
const WORKLOADS = ['Deployment', 'DaemonSet'] as const;

export interface WorkloadsOptions {
  readonly api: ClusterApi;
  readonly kubelet: Kubelet;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodes: readonly string[];
  readonly pins: readonly PodPin[];
}

/** One state of a workload's pods, as a ReplicaSet holds it. */
export interface Generation {
  readonly template: unknown;
  /** In the names and labels of its pods. */
  readonly hash: string;
  /** Counted from 1; the highest is in force. */
  readonly revision: number;
  readonly created: Milliseconds;
}

/** Generations that are kept beside the newest (revisionHistoryLimit). */
const HISTORY = 10;

/**
 * Does what the controllers and the scheduler do: keeps as many pods as Deployments and DaemonSets ask for, and puts
 * them on nodes.
 */
export class Workloads {
  /** By workload, the newest last. */
  private readonly generations = new Map<string, readonly Generation[]>();
  private readonly usedPins = new Set<PodPin>();

  private readonly events: WorkloadEvents;

  constructor(private readonly options: WorkloadsOptions) {
    this.events = new WorkloadEvents(options.api);
  }

  /**
   * Brings all pods to what the API's objects say. Resolves when the programs of new pods run, and old pods are gone.
   */
  async reconcile(): Promise<void> {
    const { api } = this.options;
    const work: Promise<void>[] = [];
    for (const kind of WORKLOADS) for (const workload of api.list(kind)) work.push(this.reconcileOne(workload));
    for (const pod of api.list('Pod')) {
      const owner = ownerOf(pod);
      if (owner === undefined) work.push(this.ensurePod(pod));
      else if (!api.get(owner.kind, pod.namespace, owner.name))
        work.push(this.options.kubelet.remove(pod.namespace, pod.name));
    }
    await Promise.all(work);
  }

  /**
   * `kubectl rollout restart`: new pods in place of all. New ones come before the old ones go, but for a DaemonSet,
   * whose pods share their node's ports.
   */
  async restart(workload: ApiObject): Promise<void> {
    const pods = this.podsOf(workload);
    this.begin(workload, this.nextHash(workload));
    await this.replace(workload, pods);
  }

  /** The hash in the names of a workload's newest pods; undefined before it had any. */
  hashOf(workload: ObjectKey): string | undefined {
    return this.generationsOf(workload).at(-1)?.hash;
  }

  /** What a workload's pods were made from, the newest last. */
  generationsOf(workload: ObjectKey): readonly Generation[] {
    return this.generations.get(keyOf(workload)) ?? [];
  }

  /** From now on pods are made from the workload's template, with this hash. */
  private begin(workload: ApiObject, hash: string): void {
    const known = this.generationsOf(workload);
    const next = {
      template: templateOf(workload),
      hash,
      revision: (known.at(-1)?.revision ?? 0) + 1,
      created: known.find((one) => one.hash === hash)?.created ?? this.options.clock.now(),
    };
    const kept = known.filter((one) => one.hash !== hash).slice(-HISTORY);
    this.generations.set(keyOf(workload), [...kept, next]);
  }

  podsOf(workload: ObjectKey): readonly ApiObject[] {
    return [...this.options.api.pods.of(workload)].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What the topology says about the first pods of a workload that are not there yet. */
  private freePins(workload: ApiObject): PodPin[] {
    const of = `${workload.kind.toLowerCase()}/${workload.name}`;
    return this.options.pins.filter(
      (pin) => pin.of === of && pin.namespace === workload.namespace && !this.usedPins.has(pin),
    );
  }

  /** The hash of a new generation of pods: as in the name that is pinned for the first of them, or drawn. */
  private nextHash(workload: ApiObject): string {
    const [pin] = this.freePins(workload);
    return (workload.kind === 'Deployment' && pin && /-([^-]+)-[^-]+$/.exec(pin.name)?.[1]) || this.draw(HASH);
  }

  private async reconcileOne(workload: ApiObject): Promise<void> {
    const known = this.generationsOf(workload);
    const same = known.filter(({ template }) => isDeepStrictEqual(template, templateOf(workload)));
    if (known.length > 0 && !same.includes(known.at(-1)!)) {
      if (flagAt(objectAt(workload.raw, 'spec'), 'paused') === true) return this.fill(workload, this.podsOf(workload));
      const old = this.podsOf(workload);
      // A template that was in force before comes back under its old hash.
      this.begin(workload, same.at(-1)?.hash ?? this.nextHash(workload));
      return this.replace(workload, old);
    }
    if (known.length === 0) this.begin(workload, this.nextHash(workload));
    await this.fill(workload, this.podsOf(workload));
  }

  private async replace(workload: ApiObject, old: readonly ApiObject[]): Promise<void> {
    const remove = (): Promise<unknown> => this.removeAll(workload, old);
    if (workload.kind === 'DaemonSet') {
      await remove();
      return this.fill(workload, []);
    }
    await this.fill(workload, []);
    for (const { hash } of this.generationsOf(workload).slice(0, -1)) this.events.scaled(workload, hash, 0);
    await remove();
  }

  private async fill(workload: ApiObject, present: readonly ApiObject[]): Promise<void> {
    const { kubelet, nodes } = this.options;
    if (workload.kind === 'DaemonSet') {
      const missing = nodes.filter((node) => fits(workload, node) && !present.some((pod) => nodeOf(pod) === node));
      await Promise.all(missing.map((node) => this.create(workload, node)));
      return;
    }
    const wanted = replicasOf(workload);
    this.events.scaled(workload, this.hashOf(workload)!, wanted);
    // Those that are on their way out do not count, nor are they asked to go again.
    const staying = present.filter((pod) => kubelet.get(pod.namespace, pod.name)?.state !== 'Terminating');
    // The newest go first; of pods of one age those that come last by name stay.
    const leaving = [...staying].sort((a, b) => b.created - a.created).slice(0, Math.max(0, staying.length - wanted));
    // Nothing is waited for between the count and the new pods: another look at the same moment must see them.
    if (leaving.length > 0) return this.removeAll(workload, leaving);
    const started: Promise<void>[] = [];
    for (let count = staying.length; count < wanted; count++) started.push(this.create(workload, undefined));
    await Promise.all(started);
  }

  private async removeAll(workload: ApiObject, pods: readonly ApiObject[]): Promise<void> {
    for (const pod of pods) {
      const hash = labelsOf(pod.raw)['pod-template-hash'];
      const set = this.generationsOf(workload).find((one) => one.hash === hash) ?? this.generationsOf(workload).at(-1)!;
      this.events.pod(workload, set, pod.name, 'deleted');
    }
    await Promise.all(pods.map(({ namespace, name }) => this.options.kubelet.remove(namespace, name)));
  }

  private create(workload: ApiObject, node: string | undefined): Promise<void> {
    const { api, clock } = this.options;
    const pin = this.freePins(workload).find(
      (candidate) => node === undefined || candidate.node === undefined || candidate.node === node,
    );
    if (pin) this.usedPins.add(pin);
    const hash = this.hashOf(workload)!;
    const middle = workload.kind === 'Deployment' ? `${hash}-` : '';
    const name = pin?.name ?? `${workload.name}-${middle}${this.draw(SUFFIX)}`;
    const template = asObject(templateOf(workload));
    const place =
      node ?? (isCordoned(api.get('Node', '', pin?.node ?? '')) ? undefined : pin?.node) ?? this.schedule(workload);
    const generated =
      workload.kind === 'Deployment' ? { 'pod-template-hash': hash } : { 'controller-revision-hash': hash };
    const metadata = objectAt(template, 'metadata');
    const pod: ApiObject = {
      kind: 'Pod',
      namespace: workload.namespace,
      name,
      created: clock.now(),
      raw: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...metadata,
          name,
          namespace: workload.namespace,
          labels: { ...labelsOf(template), ...generated },
          ownerReferences: [{ kind: workload.kind, name: workload.name }],
        },
        spec: { ...objectAt(template, 'spec'), nodeName: place },
      },
    };
    api.put(pod);
    this.events.pod(workload, this.generationsOf(workload).at(-1)!, name, 'created');
    tellScheduled(api, pod, place);
    return this.run(pod, place, pin);
  }

  /** A pod without an owner. */
  private async ensurePod(pod: ApiObject): Promise<void> {
    if (this.options.kubelet.get(pod.namespace, pod.name)) return;
    const pin = this.options.pins.find(
      (candidate) =>
        candidate.of === undefined &&
        candidate.namespace === pod.namespace &&
        candidate.name === pod.name &&
        !this.usedPins.has(candidate),
    );
    if (pin) this.usedPins.add(pin);
    const node = nodeOf(pod) ?? pin?.node ?? this.schedule(pod);
    if (nodeOf(pod) === undefined) tellScheduled(this.options.api, pod, node);
    await this.run(pod, node, pin);
  }

  private async run(pod: ApiObject, node: string, pin: PodPin | undefined): Promise<void> {
    try {
      await this.options.kubelet.create(pod, node, pin);
    } catch (error) {
      this.options.api.delete('Pod', pod.namespace, pod.name);
      throw error;
    }
  }

  /** The node with the fewest pods of the workload, then with the fewest pods at all, then the first. */
  private schedule(workload: ApiObject): string {
    const { nodes, api } = this.options;
    const [own, all] = [api.pods.perNode(workload), api.pods.perNode()];
    const count = (map: ReadonlyMap<string, number>, node: string): number => map.get(node) ?? 0;
    const candidates = nodes.filter((node) => fits(workload, node) && !isCordoned(api.get('Node', '', node)));
    const [best] = candidates.sort((a, b) => count(own, a) - count(own, b) || count(all, a) - count(all, b));
    if (best === undefined)
      throw new NodensError(
        'NODENS_LAB_API',
        `${workload.kind} ${workload.namespace}/${workload.name}: no node fits its nodeSelector; there are ` +
          nodes.map((node) => (isCordoned(api.get('Node', '', node)) ? `${node} (cordoned)` : node)).join(', '),
      );
    return best;
  }

  /** Letters and digits, as Kubernetes draws them for generated names. */
  draw(length: number): string {
    return Array.from({ length }, () => ALPHABET[randomBelow(this.options.random, ALPHABET.length)]).join('');
  }
}

/** What a workload's pods are made from. */
export const templateOf = ({ raw }: ApiObject): unknown => objectAt(raw, 'spec')['template'];

/** Replicas that a Deployment asks for; one when it does not say. */
export function replicasOf(workload: ApiObject): number {
  const replicas = objectAt(workload.raw, 'spec')['replicas'];
  return typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 ? replicas : 1;
}

/** Whether new pods keep off a node. */
export const isCordoned = (node: ApiObject | undefined): boolean =>
  flagAt(objectAt(node?.raw, 'spec'), 'unschedulable') === true;

/** Whether a node is the one that a nodeSelector names, if it names one. */
function fits({ raw }: ApiObject, node: string): boolean {
  const spec = objectAt(raw, 'spec');
  const podSpec: RawObject = spec['template'] === undefined ? spec : objectAt(spec['template'], 'spec');
  const wanted = textMapAt(podSpec, 'nodeSelector')?.['kubernetes.io/hostname'];
  return wanted === undefined || wanted === node;
}
