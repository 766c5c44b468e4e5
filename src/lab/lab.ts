import { isDeepStrictEqual } from 'node:util';
import { NodensError } from '../lib/errors.js';
import type { Pod as ModelPod } from '../datapath/cluster/endpoint.js';
import { World } from '../datapath/world.js';
import { EndpointController } from '../kube/endpoints/controller.js';
import { Intake } from '../kube/intake/intake.js';
import type { ManifestObject } from '../kube/manifests/parse.js';
import { ALL_FIELDS, KUBE_KINDS } from '../kube/objects/objects.js';
import { objectAt, textAt } from '../kube/objects/raw.js';
import { KubeStore } from '../kube/store/store.js';
import type { Clock, Timer } from '../lib/clock.js';
import { repeat } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import { seededRandom } from '../lib/random.js';
import { LrpError } from '../lrp/policy.js';
import { parsePolicy } from '../lrp/parse.js';
import { LocalRedirects } from '../lrp/redirects.js';
import { Hubble } from '../observe/hubble/hubble.js';
import { ClusterApiError, ClusterApi } from './cluster/cluster-api.js';
import type { ApiObject, Applied } from './cluster/cluster-api.js';
import { changed, isAgents, isDns } from './cluster/agents.js';
import type { PendingSettings } from './cluster/agents.js';
import { namespaceObject, nodeObject } from './cluster/node-objects.js';
import { followServices } from './cluster/service-sync.js';
import { templateOf } from './pods/generations.js';
import { Workloads } from './pods/workloads.js';
import type { Plugin } from '../plugin-api/contract.js';
import { Translations } from './trace/translations.js';
import { ExternalHosts } from './pods/hosts.js';
import type { RealUpstream } from './pods/hosts.js';
import { Kubelet } from './pods/kubelet.js';
import { Tracer } from './trace/tracer.js';
import type { Topology } from './topology/topology.js';
import { runWorldTimers } from './cluster/world-timers.js';

export interface LabOptions {
  readonly clock: Clock;
  /** Where hosts marked `upstream` ask in place of answering from their own Corefile. */
  readonly upstream?: RealUpstream;
  /** Plugins from outside that the cluster's DNS servers have beside their own. */
  readonly external?: readonly Plugin[];
}

/** Entries that have run out are dropped from connection tables this often. */
const GARBAGE_PERIOD = 30_000;
const POLICY = 'CiliumLocalRedirectPolicy';
/**
 * Period in which Cilium's operator looks for pods of the cluster DNS that no agent manages
 * (unmanaged-pod-watcher-interval).
 */
const UNMANAGED_WAIT = 15_000;

/**
 * A cluster on one machine: the datapath with all its pods, real DNS servers in those that run one, and what kubectl
 * and Cilium's tools work on.
 */
export class Lab {
  readonly clock: Clock;
  readonly random: Random;
  readonly world: World;
  readonly store = new KubeStore();
  readonly api: ClusterApi;
  readonly kubelet: Kubelet;
  readonly workloads: Workloads;
  readonly hosts: ExternalHosts;
  readonly hubble: Hubble;
  readonly redirects: LocalRedirects;
  readonly tracer: Tracer;
  readonly translations: Translations;
  /** What the agents run with. */
  running: PendingSettings;
  /** What Helm has written, in force once the agents are restarted. */
  pending: PendingSettings;
  private readonly endpoints: EndpointController;
  private readonly timers: Timer[] = [];
  private readonly disposers: (() => void)[] = [];

  private constructor(
    readonly topology: Topology,
    options: LabOptions,
  ) {
    const { clock } = options;
    this.clock = clock;
    this.random = seededRandom(topology.seed);
    this.world = new World({ clock, random: this.random, config: topology.settings, ipam: topology.ipam });
    this.hubble = new Hubble(this.world, () => clock.now());
    this.tracer = new Tracer(clock);
    this.translations = new Translations(this.world);
    this.running = {
      settings: topology.settings,
      ipam: topology.ipam,
      localRedirectPolicy: topology.localRedirectPolicy,
    };
    this.pending = this.running;
    const quiet = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
    this.api = new ClusterApi({
      store: this.store,
      intake: new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: quiet }),
      clock,
      random: this.random,
      serviceCidr: topology.cluster.serviceCidr,
      servicePins: topology.servicePins,
      check: (object) => this.check(object),
    });
    this.disposers.push(followServices(this.store, this.world, topology.servicePins));
    this.endpoints = new EndpointController(this.store);
    this.redirects = new LocalRedirects(this.world);
    this.kubelet = new Kubelet({
      world: this.world,
      api: this.api,
      store: this.store,
      clock,
      random: this.random,
      tracer: this.tracer,
      nodes: topology.nodes,
      cluster: topology.cluster,
      external: options.external ?? [],
    });
    this.workloads = new Workloads({
      api: this.api,
      kubelet: this.kubelet,
      clock,
      random: this.random,
      nodes: topology.nodes.map((node) => node.name),
      pins: topology.podPins,
    });
    this.hosts = new ExternalHosts({
      world: this.world,
      clock,
      random: this.random,
      tracer: this.tracer,
      ...(options.upstream && { upstream: options.upstream }),
    });
  }

  /**
   * Builds a cluster and starts everything in it. Rejects for a topology that contradicts itself, with the place of
   * the object that cannot be.
   */
  static async create(topology: Topology, options: LabOptions): Promise<Lab> {
    const lab = new Lab(topology, options);
    const { world } = lab;
    world.cluster.ipam.keep(topology.podPins.flatMap(({ ip }) => (ip === undefined ? [] : [ip])));
    for (const node of topology.nodes) world.addNode(node);
    for (const name of ['default', 'kube-system']) lab.putNamespace(name);
    for (const node of topology.nodes) lab.api.put(nodeObject(world.node(node.name), lab.clock.now()));
    lab.timers.push(
      runWorldTimers(world, lab.clock),
      repeat(lab.clock, GARBAGE_PERIOD, () => world.collectGarbage()),
    );
    try {
      await lab.hosts.start(topology.hosts);
      for (const manifest of topology.manifests) lab.take(manifest);
      lab.endpoints.flush();
      await lab.workloads.reconcile();
      lab.endpoints.flush();
    } catch (error) {
      await lab.stop();
      throw error;
    }
    lab.kubelet.settled = true;
    for (const pod of lab.kubelet.list()) {
      if (pod.state === 'Error' || pod.state === 'Crashed') {
        const reason = pod.log.tail(1)[0] ?? '';
        await lab.stop();
        throw new NodensError('NODENS_LAB', `pod ${pod.namespace}/${pod.name} did not start: ${reason}`);
      }
    }
    return lab;
  }

  /**
   * Takes manifests on one after the other, then brings the pods to what they say. Rejects with a ClusterApiError; what
   * came before it stays.
   */
  async apply(
    manifests: readonly ManifestObject[],
  ): Promise<readonly { readonly object: ApiObject; readonly applied: Applied }[]> {
    const done = [];
    try {
      for (const manifest of manifests) done.push(this.take(manifest));
    } finally {
      await this.settle();
    }
    return done;
  }

  /** Brings the pods, and what follows from them, to what the objects say. */
  async settle(): Promise<void> {
    this.endpoints.flush();
    await this.workloads.reconcile();
    this.endpoints.flush();
  }

  /** Deletes an object with what depends on it. False when there is none. */
  async remove(kind: string, namespace: string, name: string, force = false): Promise<boolean> {
    if (!this.api.get(kind, namespace, name)) return false;
    if (kind === 'Pod') await this.kubelet.remove(namespace, name, force);
    else {
      if (kind === POLICY) this.redirects.remove(namespace, name);
      this.api.delete(kind, namespace, name);
    }
    await this.settle();
    return true;
  }

  /** Puts an object in place of the one of its name, as a controller's client does. */
  async update(object: ApiObject): Promise<void> {
    this.api.put(object);
    await this.workloads.reconcile();
    this.endpoints.flush();
  }

  /** Takes the API away from all who follow it, or brings it back: kubelets then tell what has become of their pods. */
  setApiAway(away: boolean): void {
    this.api.away = away;
    if (away) return;
    this.kubelet.reconnect();
    this.endpoints.flush();
  }

  /** Where clients find the API: `192.168.10.100:6443`. */
  get apiAddress(): string {
    const { nodes } = this.topology;
    const { name } = nodes.find((node) => node.apiServer === true) ?? nodes[0]!;
    return `${this.world.node(name).internalIp}:6443`;
  }

  async rollout(workload: ApiObject): Promise<void> {
    if (isAgents(workload)) this.restartAgents();
    await this.workloads.restart(workload);
    this.endpoints.flush();
  }

  /**
   * Restarts Cilium's agents: settings that wait come into force. Returns the pods that the agents do not manage any
   * more.
   */
  restartAgents(): readonly ModelPod[] {
    const { settings, ipam, localRedirectPolicy } = this.pending;
    if (ipam !== this.running.ipam) this.world.setIpam(ipam);
    if (settings !== this.running.settings) this.world.reconfigure(changed(this.running.settings, settings));
    if (localRedirectPolicy !== this.running.localRedirectPolicy) {
      for (const policy of this.api.list(POLICY)) {
        if (localRedirectPolicy) this.redirects.apply(parsePolicy(policy.raw));
        else this.redirects.remove(policy.namespace, policy.name);
      }
    }
    this.running = this.pending;
    const lost = this.world.restartAgents();
    this.kubelet.refresh();
    if (lost.some(isDns)) this.timers.push(this.clock.setTimeout(() => void this.replaceLostDns(), UNMANAGED_WAIT));
    return lost;
  }

  /**
   * Cilium's operator deletes pods of the cluster DNS that no agent manages, so that their Deployment makes new ones.
   * It does so for no others.
   */
  private async replaceLostDns(): Promise<void> {
    const lost = this.kubelet.list().filter(({ model }) => model.unmanaged && isDns(model));
    await Promise.all(lost.map(({ namespace, name }) => this.remove('Pod', namespace, name)));
  }

  /** Stops all programs. Nothing of the lab runs afterwards. */
  async stop(): Promise<void> {
    this.timers.forEach((timer) => timer.cancel());
    this.kubelet.close();
    await Promise.all([...this.kubelet.list().map((pod) => pod.program.stop()), this.hosts.stop()]);
    this.endpoints.stop();
    this.hubble.close();
    this.translations.close();
    this.redirects.close();
    this.disposers.forEach((dispose) => dispose());
  }

  /**
   * Takes a manifest on; {@link settle} does what follows from it. Throws a ClusterApiError.
   *
   * @param dryRun whether it is checked alone
   */
  take(manifest: ManifestObject, dryRun = false): { readonly object: ApiObject; readonly applied: Applied } {
    if (manifest.kind === POLICY && !this.running.localRedirectPolicy) {
      throw new ClusterApiError(
        `${manifest.place}: no matches for kind "${POLICY}" in version "cilium.io/v2": ensure ` +
          'CRDs are installed first (helm upgrade --set localRedirectPolicy=true, then ' +
          'restart Cilium)',
      );
    }
    const before = objectAt(manifest.raw, 'metadata');
    const old = this.api.get(manifest.kind, textAt(before, 'namespace') || 'default', textAt(before, 'name'));
    const taken = this.api.apply(manifest, dryRun);
    if (dryRun) return taken;
    if (old && isAgents(old) && !isDeepStrictEqual(templateOf(old), templateOf(taken.object))) this.restartAgents();
    if (taken.object.kind === POLICY && taken.applied !== 'unchanged')
      this.redirects.apply(parsePolicy(taken.object.raw));
    if (taken.object.kind === 'Namespace') this.world.addNamespace({ name: taken.object.name });
    return taken;
  }

  private check(object: ApiObject): void {
    if (object.kind !== POLICY) return;
    try {
      parsePolicy(object.raw);
    } catch (error) {
      if (error instanceof LrpError) throw new ClusterApiError(error.message);
      throw error;
    }
  }

  private putNamespace(name: string): void {
    this.world.addNamespace({ name });
    this.api.put(namespaceObject(name, this.clock.now()));
  }
}
