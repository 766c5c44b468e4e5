import { isDeepStrictEqual } from 'node:util';
import { asObject, flagAt, objectAt } from '../../kube/objects/raw.js';
import type { Clock } from '../../lib/clock.js';
import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import { byText } from '../../lib/order.js';
import { Generations, HASH_LABELS, replicasOf, templateOf } from './generations.js';
import type { Generation } from './generations.js';
import type { Kubelet } from './kubelet.js';
import { tellScheduled } from './pod-events.js';
import { PodPins } from './pins.js';
import { serves } from './running-pod.js';
import type { RunningPod } from './running-pod.js';
import { chooseNode, fits, isCordoned } from './scheduler.js';
import { planDaemonSet, planDeployment } from './rollout-plan.js';
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

/** What was begun at once: pods that start, and pods that go. */
interface BegunWork {
  readonly started: readonly Promise<void>[];
  readonly gone: readonly Promise<void>[];
}

export interface WorkloadsOptions {
  readonly api: ClusterApi;
  readonly kubelet: Kubelet;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodes: readonly string[];
  readonly pins: readonly PodPin[];
}

/**
 * Does what the controllers and the scheduler do: keeps as many pods as Deployments and DaemonSets ask for, and puts
 * them on nodes.
 */
export class Workloads {
  private readonly generations = new Generations();
  private readonly pins: PodPins;

  private readonly events: WorkloadEvents;
  private readonly rolledOut = new Set<string>();
  /** Workloads whose new pods start: another look follows. */
  private readonly starting = new Set<string>();

  constructor(private readonly options: WorkloadsOptions) {
    this.events = new WorkloadEvents(options.api);
    this.pins = new PodPins(options.pins);
    options.kubelet.onReadiness = (pod) => this.readiness(pod);
  }

  /**
   * Brings all pods to what the API's objects say. Resolves when the programs of new pods run, and old pods are gone;
   * where a rollout has to wait for pods to be ready, it goes on by itself when they are.
   */
  async reconcile(): Promise<void> {
    const { api } = this.options;
    const work: Promise<void>[] = [];
    const all = WORKLOADS.flatMap((kind) => api.list(kind));
    this.generations.emptyBut(new Set(all.map(keyOf)));
    for (const workload of all) work.push(this.reconcileOne(workload));
    for (const pod of api.list('Pod')) {
      const owner = ownerOf(pod);
      if (owner === undefined) work.push(this.ensurePod(pod));
      else if (!api.get(owner.kind, pod.namespace, owner.name))
        work.push(this.options.kubelet.remove(pod.namespace, pod.name));
    }
    await Promise.all(work);
  }

  /** `kubectl rollout restart`: new pods in place of all. */
  async restart(workload: ApiObject): Promise<void> {
    this.begin(workload, this.nextHash(workload));
    await this.bring(workload);
  }

  /** The hash in the names of a workload's newest pods; undefined before it had any. */
  hashOf(workload: ObjectKey): string | undefined {
    return this.generationsOf(workload).at(-1)?.hash;
  }

  /** What a workload's pods were made from, the newest last. */
  generationsOf(workload: ObjectKey): readonly Generation[] {
    return this.generations.of(workload);
  }

  /** From now on pods are made from the workload's template, with this hash. */
  private begin(workload: ApiObject, hash: string): void {
    this.rolledOut.delete(keyOf(workload));
    this.generations.begin(workload, hash, templateOf(workload), this.options.clock.now());
  }

  podsOf(workload: ObjectKey): readonly ApiObject[] {
    return [...this.options.api.pods.of(workload)].sort((a, b) => byText(a.name, b.name));
  }

  /** The hash of a new generation of pods: as in the name that is pinned for the first of them, or drawn. */
  private nextHash(workload: ApiObject): string {
    const [pin] = this.pins.free(workload);
    return (workload.kind === 'Deployment' && pin && /-([^-]+)-[^-]+$/.exec(pin.name)?.[1]) || this.draw(HASH);
  }

  private async reconcileOne(workload: ApiObject): Promise<void> {
    const known = this.generationsOf(workload);
    const same = known.filter(({ template }) => isDeepStrictEqual(template, templateOf(workload)));
    const paused = flagAt(objectAt(workload.raw, 'spec'), 'paused') === true;
    // A template that was in force before comes back under its old hash.
    if (known.length === 0 || (!same.includes(known.at(-1)!) && !paused))
      this.begin(workload, same.at(-1)?.hash ?? this.nextHash(workload));
    await this.bring(workload);
  }

  /** A pod of a rollout that waits is ready, or is not any more. */
  private readiness({ namespace, name }: RunningPod): void {
    const { api } = this.options;
    const pod = api.get('Pod', namespace, name);
    const owner = pod && ownerOf(pod);
    const workload = owner && api.get(owner.kind, namespace, owner.name);
    if (workload && !this.isRolledOut(workload) && !this.starting.has(keyOf(workload)))
      this.bring(workload).catch((error: Error) => this.events.failed(workload, error.message));
  }

  /**
   * Does what is to be done for a workload, step by step. Nothing is waited for within a step: another look at the same
   * moment sees what it has begun.
   */
  private async bring(of: ApiObject): Promise<void> {
    const { kind, namespace, name } = of;
    const leaving: Promise<void>[] = [];
    for (;;) {
      const workload = this.options.api.get(kind, namespace, name);
      const done = workload && (kind === 'DaemonSet' ? this.stepDaemonSet(workload) : this.stepDeployment(workload));
      leaving.push(...(done?.gone ?? []));
      if (done && done.started.length > 0) {
        this.starting.add(keyOf(of));
        await Promise.all(done.started).finally(() => this.starting.delete(keyOf(of)));
      } else if (done && done.gone.length > 0) continue;
      else if (leaving.length > 0) await Promise.all(leaving.splice(0));
      else return;
    }
  }

  private stepDeployment(workload: ApiObject): BegunWork {
    const of = this.generationsOf(workload).map((generation) => ({
      generation,
      pods: this.podsOf(workload).filter((pod) => labelsOf(pod.raw)[HASH_LABELS[workload.kind]!] === generation.hash),
    }));
    const wanted = replicasOf(workload);
    const sets = of.map(({ generation: { size }, pods }) => ({
      size,
      available: pods.filter((pod) => this.isAvailable(pod)).length,
    }));
    const older = of.slice(0, -1).some(({ pods }) => pods.length > 0);
    const sizes = planDeployment(objectAt(workload.raw, 'spec'), wanted, sets, older);
    if (!older && sets.at(-1)!.available === wanted) this.rolledOut.add(keyOf(workload));
    of.forEach(({ generation }, i) => this.events.scaled(workload, generation, sizes[i]!));
    this.generations.resize(workload, sizes);
    const steps = of.map(({ generation, pods }, i) => this.stepSet(workload, generation, pods, sizes[i]!));
    return { started: steps.flatMap(({ started }) => started), gone: steps.flatMap(({ gone }) => gone) };
  }

  /** Brings the pods of one generation to their number. */
  private stepSet(workload: ApiObject, generation: Generation, present: readonly ApiObject[], size: number): BegunWork {
    // Those that are on their way out do not count, nor are they asked to go again.
    const staying = present.filter((pod) => !this.isLeaving(pod));
    const started: Promise<void>[] = [];
    for (let count = staying.length; count < size; count++) started.push(this.create(workload, generation, undefined));
    // What does not serve goes first, then the newest; of pods of one age those that come last by name stay.
    const rank = (pod: ApiObject): number => Number(this.isAvailable(pod));
    const order = [...staying].sort((a, b) => rank(a) - rank(b) || b.created - a.created);
    return { started, gone: this.removeAll(workload, order.slice(0, Math.max(0, staying.length - size))) };
  }

  private stepDaemonSet(workload: ApiObject): BegunWork {
    const hash = this.hashOf(workload);
    const pods = this.podsOf(workload).map((pod) => ({
      pod,
      node: nodeOf(pod) ?? '',
      current: labelsOf(pod.raw)[HASH_LABELS[workload.kind]!] === hash,
      available: this.isAvailable(pod),
      leaving: this.isLeaving(pod),
    }));
    const { create, remove } = planDaemonSet(objectAt(workload.raw, 'spec'), this.nodesOf(workload), pods);
    if (create.length === 0 && pods.every(({ current, available }) => current && available))
      this.rolledOut.add(keyOf(workload));
    const generation = this.generationsOf(workload).at(-1)!;
    return {
      started: create.map((node) => this.create(workload, generation, node)),
      gone: this.removeAll(
        workload,
        remove.map(({ pod }) => pod),
      ),
    };
  }

  /** Whether all of a workload's pods were ready once since its template is in force. */
  isRolledOut(workload: ObjectKey): boolean {
    return this.rolledOut.has(keyOf(workload));
  }

  /** Nodes that a DaemonSet has a pod on. */
  nodesOf(workload: ApiObject): readonly string[] {
    return this.options.nodes.filter((node) => fits(workload, node));
  }

  private isLeaving({ namespace, name }: ApiObject): boolean {
    return this.options.kubelet.get(namespace, name)?.state === 'Terminating';
  }

  private isAvailable({ namespace, name }: ApiObject): boolean {
    return serves(this.options.kubelet.get(namespace, name));
  }

  private removeAll(workload: ApiObject, pods: readonly ApiObject[]): Promise<void>[] {
    return pods.map((pod) => {
      const hash = labelsOf(pod.raw)[HASH_LABELS[workload.kind]!];
      const all = this.generationsOf(workload);
      this.events.pod(workload, all.find((one) => one.hash === hash) ?? all.at(-1)!, pod.name, 'deleted');
      return this.options.kubelet.remove(pod.namespace, pod.name);
    });
  }

  private create(workload: ApiObject, generation: Generation, node: string | undefined): Promise<void> {
    const { api, clock } = this.options;
    const pin = this.pins.take(workload, node);
    const { hash } = generation;
    const middle = workload.kind === 'Deployment' ? `${hash}-` : '';
    const name = pin?.name ?? `${workload.name}-${middle}${this.draw(SUFFIX)}`;
    const template = asObject(generation.template);
    const place =
      node ??
      (isCordoned(api.get('Node', '', pin?.node ?? '')) ? undefined : pin?.node) ??
      chooseNode(workload, this.options);
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
          labels: { ...labelsOf(template), [HASH_LABELS[workload.kind]!]: hash },
          ownerReferences: [{ kind: workload.kind, name: workload.name }],
        },
        spec: { ...objectAt(template, 'spec'), nodeName: place },
      },
    };
    api.put(pod);
    this.events.pod(workload, generation, name, 'created');
    tellScheduled(api, pod, place);
    return this.run(pod, place, pin);
  }

  /** A pod without an owner. */
  private async ensurePod(pod: ApiObject): Promise<void> {
    if (this.options.kubelet.get(pod.namespace, pod.name)) return;
    const pin = this.pins.takeOwn(pod);
    const node = nodeOf(pod) ?? pin?.node ?? chooseNode(pod, this.options);
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

  /** Letters and digits, as Kubernetes draws them for generated names. */
  draw(length: number): string {
    return Array.from({ length }, () => ALPHABET[randomBelow(this.options.random, ALPHABET.length)]).join('');
  }
}
