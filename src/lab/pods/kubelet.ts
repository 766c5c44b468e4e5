import { NodensError } from '../../lib/errors.js';
import type { World } from '../../datapath/world.js';
import type { KubeStore } from '../../kube/store/store.js';
import { arrayAt, asObject, flagAt, objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import { kubeletResolvConf } from '../../resolver/index.js';
import type { DnsPolicy, PodDnsConfig } from '../../resolver/index.js';
import { serviceEnv } from './service-env.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import { containersOf, labelsOf } from '../cluster/cluster-api.js';
import type { ClusterSettings, LabNode, PodPin } from '../topology/topology.js';
import { dataOf, PodFiles } from './pod-files.js';
import { PodLog } from './pod-log.js';
import { pausableNetwork } from './pausable-network.js';
import { programOf } from './images.js';
import { tellOfContainers } from './pod-events.js';
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

const POLICIES: readonly string[] = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

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

  constructor(private readonly options: KubeletOptions) {}

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
    files.write('/etc/resolv.conf', this.resolvConf(object, node));
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
      env: {},
      state: 'ContainerCreating',
      restarts: 0,
      started: clock.now(),
      began: clock.now(),
    };
    this.pods.set(`${namespace}/${name}`, pod);
    this.report(pod);
    await this.run(pod);
  }

  /** Ends a pod: in order, or at once with `force`. Resolves when it is gone from the cluster. */
  async remove(namespace: string, name: string, force = false): Promise<void> {
    const pod = this.get(namespace, name);
    if (!pod || pod.state === 'Terminating') return;
    pod.state = 'Terminating';
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
    this.setReady(pod, false);
    pod.log.write('[ERROR] killed\n');
    await pod.program.stop();
  }

  /** Restarts the program of a pod, or resumes one that hangs. */
  async restart(pod: RunningPod): Promise<void> {
    if (pod.network.paused) {
      pod.network.paused = false;
      return;
    }
    await pod.program.stop();
    pod.restarts++;
    pod.began = this.options.clock.now();
    await this.run(pod);
  }

  /** Reports again the state of pods that the agent has lost. */
  refresh(): void {
    for (const pod of this.pods.values()) this.report(pod);
  }

  private async run(pod: RunningPod): Promise<void> {
    const { world, store, clock, random, tracer, api, external } = this.options;
    const object = api.get('Pod', pod.namespace, pod.name)!;
    const { raw } = object;
    tellOfContainers(api, object, pod.model.spec.node, 'created');
    pod.env = this.environment(pod.namespace, raw, pod.model.spec.node);
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
      });
      await pod.program.start();
      pod.state = 'Running';
      this.setReady(pod, true);
    } catch (error) {
      pod.state = 'Error';
      pod.log.write(`[ERROR] ${(error as Error).message}\n`);
      this.setReady(pod, false);
    }
  }

  /** Tells the API again what became of pods while it was away. */
  reconnect(): void {
    for (const pod of this.pods.values()) if (pod.state !== 'Terminating') this.setReady(pod, pod.state === 'Running');
  }

  private setReady(pod: RunningPod, ready: boolean): void {
    // Whether a pod is ready is told through the API alone.
    if (this.get(pod.namespace, pod.name) !== pod || this.options.api.away) return;
    this.options.world.setPodReady(pod.namespace, pod.name, ready);
    this.report(pod);
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

  private resolvConf({ namespace, name, raw }: ApiObject, node: string): string {
    const spec = objectAt(raw, 'spec');
    const policy = textAt(spec, 'dnsPolicy') || 'ClusterFirst';
    if (!POLICIES.includes(policy))
      throw new NodensError('NODENS_LAB_API', `spec.dnsPolicy: got "${policy}", allowed: ${POLICIES.join(', ')}`);
    const { cluster, nodes } = this.options;
    return kubeletResolvConf({
      dnsPolicy: policy as DnsPolicy,
      hostNetwork: flagAt(spec, 'hostNetwork') ?? false,
      hostResolvConf: nodes.find((candidate) => candidate.name === node)!.resolvConf,
      clusterDNS: [cluster.dns],
      clusterDomain: cluster.domain,
      namespace,
      podName: name,
      ...(spec['dnsConfig'] !== undefined && { dnsConfig: spec['dnsConfig'] as PodDnsConfig }),
    }).text;
  }

  /** The container's own variables, and where the services of its namespace are. */
  private environment(namespace: string, raw: RawObject, node: string): Record<string, string> {
    const env = serviceEnv(this.options.store, namespace);
    const [container = {}] = containersOf(raw);
    for (const variable of arrayAt(container, 'env').map(asObject)) {
      const name = textAt(variable, 'name');
      const field = textAt(objectAt(objectAt(variable, 'valueFrom'), 'fieldRef'), 'fieldPath');
      if (typeof variable['value'] === 'string') env[name] = variable['value'];
      else if (field === 'spec.nodeName') env[name] = node;
    }
    return env;
  }
}

/** The hosts file that kubelets manage; pods on their node's network have the node's own. */
const hostsFile = (name: string, ip: string | undefined): string =>
  '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
  'fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n' +
  (ip === undefined ? '' : `${ip}\t${name}\n`);
