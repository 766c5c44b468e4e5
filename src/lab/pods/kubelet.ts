import type { World } from '../../datapath/world.js';
import type { KubeStore } from '../../kube/store/store.js';
import { arrayAt, asObject, flagAt, objectAt, textAt } from '../../kube/objects/raw.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import { environmentOf } from './service-env.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import { containersOf, labelsOf } from '../cluster/cluster-api.js';
import type { ClusterSettings, LabNode, PodPin } from '../topology/topology.js';
import { dataOf, PodFiles } from './pod-files.js';
import { PodLog } from './pod-log.js';
import { hostsFile, resolvConfOf } from './resolver-files.js';
import { pausableNetwork } from './pausable-network.js';
import { programOf } from './images.js';
import { ContainerRestarts, KILLED } from './container-restarts.js';
import { tellOfContainer, tellOfContainers } from './pod-events.js';
import { Prober } from './prober.js';
import { statusOf } from './pod-status.js';
import type { RunningPod } from './running-pod.js';
import type { Plugin } from '../../plugin-api/contract.js';
import type { Tracer } from '../trace/tracer.js';

export interface KubeletOptions {
  readonly world: World;
  readonly api: ClusterApi;
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
  /** Plugins from outside for its DNS servers. */
  readonly external: readonly Plugin[];
  readonly nodes: readonly LabNode[];
  readonly cluster: ClusterSettings;
}

/**
 * Brings pods to life on all nodes: address and devices in the model, files, program, and the state that others see.
 */
export class Kubelet {
  private readonly pods = new Map<string, RunningPod>();
  /**
   * Whether the cluster stands as its topology says. From then on blocks of addresses may change, and a pinned address
   * that no longer fits is passed over.
   */
  settled = false;
  /** Told of each pod that may be ready now, or not any more. */
  onReadiness: (pod: RunningPod) => void = () => undefined;
  private readonly prober: Prober;
  private readonly restarts: ContainerRestarts;

  constructor(private readonly options: KubeletOptions) {
    const { clock, api } = options;
    this.restarts = new ContainerRestarts({
      clock,
      api,
      alive: (pod) => this.get(pod.namespace, pod.name) === pod,
      ended: (pod, exitCode) => this.ended(pod, exitCode),
      report: (pod) => this.setReady(pod, false),
      start: (pod) => this.begin(pod),
    });
    this.prober = new Prober({
      clock,
      unhealthy: (pod, { container, aim }, why) => {
        const message = `${aim.replace(/^./, (first) => first.toUpperCase())} probe failed: ${why}`;
        tellOfContainer(api, pod, container, { warning: true, reason: 'Unhealthy', message });
      },
      readiness: (pod) => this.setReady(pod, pod.state === 'Running'),
      failed: (pod, probe) => this.restarts.failed(pod, probe),
    });
  }

  /** No probe runs any more, and what has ended is not started again. */
  close(): void {
    this.restarts.close();
    this.prober.close();
  }

  list(): readonly RunningPod[] {
    return [...this.pods.values()];
  }

  get(namespace: string, name: string): RunningPod | undefined {
    return this.pods.get(`${namespace}/${name}`);
  }

  private fitting(pin: PodPin | undefined, node: string): PodPin | undefined {
    if (!this.settled || pin?.ip === undefined) return pin;
    const { cluster } = this.options.world;
    const ipam = cluster.nodes.get(node)?.ciliumNode?.ipam;
    if (ipam && cluster.ipam.offers(ipam, pin.ip)) return pin;
    const { ip: _ip, ...rest } = pin;
    return rest;
  }

  /**
   * Creates a pod on a node and starts its program. Throws, with nothing changed, where the model refuses it; a
   * program that fails leaves the pod in state Error.
   */
  async create(object: ApiObject, node: string, pin: PodPin | undefined): Promise<void> {
    const { world, clock } = this.options;
    const { namespace, name, raw } = object;
    const spec = objectAt(raw, 'spec');
    const hostNetwork = flagAt(spec, 'hostNetwork') ?? false;
    // What is pinned of addresses and devices is not for pods on their node's network.
    const { of: _of, ...pinned } = this.fitting(hostNetwork ? undefined : pin, node) ?? { namespace, name };
    const model = world.addPod({
      ...pinned,
      namespace,
      name,
      node,
      labels: labelsOf(raw),
      serviceAccount: textAt(spec, 'serviceAccountName') || 'default',
      hostNetwork,
      ready: false,
      ports: containersOf(raw)
        .flatMap((container) => arrayAt(container, 'ports').map(asObject))
        .flatMap((port) => {
          const protocol = textAt(port, 'protocol') || 'TCP';
          return protocol === 'TCP' || protocol === 'UDP'
            ? [{ name: textAt(port, 'name'), port: Number(port['containerPort']), protocol }]
            : [];
        }),
    });
    const files = new PodFiles(raw, (configMap) => {
      const found = this.options.api.get('ConfigMap', namespace, configMap);
      return found && dataOf(found.raw);
    });
    files.write('/etc/resolv.conf', resolvConfOf(object, node, this.options));
    files.write('/etc/hostname', `${name}\n`);
    files.write('/etc/hosts', hostsFile(name, hostNetwork ? undefined : model.ip));
    const log = new PodLog(clock);
    const pod: RunningPod = {
      namespace,
      name,
      model,
      files,
      log,
      network: pausableNetwork(model, log),
      program: { kind: 'idle', start: async () => undefined, stop: async () => undefined },
      ended: undefined,
      env: {},
      state: 'ContainerCreating',
      restarts: 0,
      started: clock.now(),
      began: clock.now(),
    };
    pod.network.onListening = () => this.prober.suspect(pod);
    this.pods.set(`${namespace}/${name}`, pod);
    this.report(pod);
    await this.run(pod);
  }

  /** Ends a pod: in order, or at once with `force`. Resolves when it is gone from the cluster. */
  async remove(namespace: string, name: string, force = false): Promise<void> {
    const pod = this.get(namespace, name);
    if (!pod || pod.state === 'Terminating') return;
    pod.state = 'Terminating';
    this.prober.forget(pod);
    const object = this.options.api.get('Pod', namespace, name);
    if (object) tellOfContainers(this.options.api, object, pod.model.spec.node, 'stopping');
    this.options.world.setPodReady(namespace, name, false);
    this.report(pod);
    const stopped = pod.program.stop();
    if (!force) await stopped;
    this.pods.delete(`${namespace}/${name}`);
    this.options.world.removePod(namespace, name);
    this.options.api.delete('Pod', namespace, name);
    // Cut off from its network, the program ends by itself; its unfinished answers are not waited for.
    if (force) stopped.catch(() => undefined);
  }

  /** The pod's program dies, and is not started again until {@link restart}. */
  async crash(pod: RunningPod): Promise<void> {
    pod.state = 'Crashed';
    this.ended(pod, KILLED);
    pod.log.write('[ERROR] killed\n');
    await pod.program.stop();
  }

  /** Restarts the program of a pod, or resumes one that hangs. */
  async restart(pod: RunningPod): Promise<void> {
    if (pod.network.paused) {
      pod.network.paused = false;
      return;
    }
    if (pod.state === 'Running') this.note(pod, KILLED);
    await pod.program.stop();
    await this.begin(pod);
  }

  /** The program of a pod hangs: it takes connections, and does not answer. */
  hang(pod: RunningPod): void {
    pod.network.paused = true;
    this.prober.suspect(pod);
  }

  /** Reports again the state of pods that the agent has lost. */
  refresh(): void {
    for (const pod of this.pods.values()) {
      this.report(pod);
      if (pod.model.unmanaged) this.prober.suspect(pod);
    }
  }

  /** The program of a pod has ended by itself, or was killed. */
  private ended(pod: RunningPod, exitCode: number): void {
    this.prober.forget(pod);
    this.note(pod, exitCode);
    this.setReady(pod, false);
  }

  private note(pod: RunningPod, exitCode: number): void {
    pod.ended = { began: pod.began, at: this.options.clock.now(), exitCode };
  }

  /** The program of a pod is started once more. */
  private async begin(pod: RunningPod): Promise<void> {
    pod.restarts++;
    pod.log.restarted();
    pod.began = this.options.clock.now();
    await this.run(pod);
  }

  private async run(pod: RunningPod): Promise<void> {
    const { world, store, clock, random, tracer, api, external } = this.options;
    const object = api.get('Pod', pod.namespace, pod.name)!;
    const { raw } = object;
    tellOfContainers(api, object, pod.model.spec.node, 'created');
    pod.env = environmentOf(store, pod.namespace, raw, pod.model.spec.node);
    let started = Promise.resolve();
    try {
      pod.program = programOf({
        name: `${pod.namespace}/${pod.name}`,
        pod: pod.model,
        raw,
        network: pod.network,
        files: pod.files,
        log: pod.log,
        env: pod.env,
        world,
        store,
        clock,
        random,
        tracer,
        external,
        exited: (closed) => void started.then(() => this.restarts.exited(pod, closed)),
      });
      started = pod.program.start();
      await started;
      pod.state = 'Running';
      const probed = this.prober.begin(pod, raw, !this.settled);
      this.setReady(pod, true);
      await probed;
    } catch (error) {
      pod.log.write(`[ERROR] ${(error as Error).message}\n`);
      this.restarts.exited(pod);
    }
  }

  /** Tells the API again what became of pods while it was away. */
  reconnect(): void {
    for (const pod of this.pods.values()) if (pod.state !== 'Terminating') this.setReady(pod, pod.state === 'Running');
  }

  private setReady(pod: RunningPod, ready: boolean): void {
    // Whether a pod is ready is told through the API alone.
    if (this.get(pod.namespace, pod.name) !== pod || this.options.api.away) return;
    this.options.world.setPodReady(pod.namespace, pod.name, ready && this.prober.isReady(pod));
    this.report(pod);
    this.onReadiness(pod);
  }

  /** Writes the pod's status into the API, as kubelets do. */
  private report(pod: RunningPod): void {
    const { api, world } = this.options;
    const object = api.get('Pod', pod.namespace, pod.name);
    if (!object) return;
    const terminating = pod.state === 'Terminating';
    api.put({
      ...object,
      raw: {
        ...object.raw,
        metadata: {
          ...objectAt(object.raw, 'metadata'),
          ...(terminating && { deletionTimestamp: new Date(this.options.clock.now()).toISOString() }),
        },
        spec: { ...objectAt(object.raw, 'spec'), nodeName: pod.model.spec.node },
        status: statusOf(pod, object.raw, world.node(pod.model.spec.node).internalIp),
      },
    });
  }
}
