import type { Pod } from '../datapath/cluster/endpoint.js';
import type { RedirectSpec } from '../datapath/cluster/redirects.js';
import { frontendKey } from '../datapath/loadbalancer/service.js';
import type { World } from '../datapath/world.js';
import { cidrContains, parseCidr, parseIp } from '../lib/cidr.js';
import type { Cidr } from '../lib/cidr.js';
import { byText } from '../lib/order.js';
import { mapFrontend, selectedPods } from './mapping.js';
import type { CandidateFrontend, CandidatePod, FrontendStatus, MappingRules } from './mapping.js';
import { LrpError, frontendTypeText, policyKey } from './policy.js';
import { checkUnique } from './unique.js';
import type { LocalRedirectPolicy } from './policy.js';

export interface LrpOptions {
  /** Rules of mapping ports, of several policies and of addresses that are a service's. Default 1.18. */
  readonly rules?: MappingRules;
  /**
   * `empty` is what 1.18.0 did: a node without local backends kept a redirect to nowhere. Default: the service as
   * before.
   */
  readonly withoutBackends?: 'service' | 'empty';
  /** Whether the kernel has SO_NETNS_COOKIE (5.12), which skipRedirectFromBackend needs. Default true. */
  readonly netnsCookie?: boolean;
  /** Blocks that addressMatcher may name; all when left out. */
  readonly addressCidrs?: readonly string[];
}

/** One policy on one node. */
export interface PolicyStatus {
  readonly namespace: string;
  readonly name: string;
  readonly frontendType: string;
  /** `namespace/name` of the service; undefined for an address. */
  readonly service: string | undefined;
  readonly frontends: readonly FrontendStatus[];
  /** Why the policy as a whole does nothing. */
  readonly reason: string | undefined;
  /** Something that works otherwise than the policy says. */
  readonly warning: string | undefined;
}

/** A question that a program asks: the upstream of a cache, for one. */
export interface Ask {
  readonly namespace: string;
  readonly pod: string;
  readonly ip: string;
  readonly port: number;
  readonly protocol: 'UDP' | 'TCP';
}

/** A backend whose question would come back to it. */
export interface RedirectLoop {
  readonly policy: string;
  readonly frontend: string;
  readonly pod: string;
  readonly text: string;
}

/**
 * The local redirect policies of a cluster: keeps each node's redirects right while pods, services and policies come
 * and go.
 * A policy that is deleted leaves the services as they were.
 */
export class LocalRedirects {
  private readonly policies = new Map<string, LocalRedirectPolicy>();
  private readonly rules: MappingRules;
  private readonly cidrs: readonly Cidr[] | undefined;
  private readonly unsubscribe: () => void;
  /** Nodes that hold redirects, so that a node without any costs nothing. */
  private readonly active = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly options: LrpOptions = {},
  ) {
    this.rules = options.rules ?? '1.18';
    this.cidrs = options.addressCidrs?.map((text, i) => {
      const cidr = parseCidr(text);
      if (!cidr) throw new LrpError(`addressCidrs[${i}]`, `"${text}" is no address block`);
      return cidr;
    });
    this.unsubscribe = world.changes.subscribe((change) => {
      if (this.policies.size === 0) return;
      if (change.kind === 'pod') this.reconcile(change.node);
      else if (change.kind === 'node') this.reconcile(change.name);
      else if (this.concerns(change.namespace, change.name)) this.reconcileAll();
    });
  }

  /**
   * Takes a policy on, or a changed one in place of the old. By 1.17 rules a change is ignored (false) and a second
   * policy
   * for the same service or address is refused with an LrpError.
   */
  apply(policy: LocalRedirectPolicy): boolean {
    const key = policyKey(policy);
    this.checkAddress(policy);
    const old = this.policies.get(key);
    if (this.rules === '1.17') {
      if (old) return false;
      checkUnique(policy, this.policies.values());
      if (policy.skipRedirectFromBackend && this.options.netnsCookie === false)
        throw new LrpError(
          'spec.skipRedirectFromBackend',
          'the kernel has no SO_NETNS_COOKIE (5.12), the policy is not applied',
        );
    }
    this.policies.set(key, policy);
    this.reconcileAll();
    return true;
  }

  /** Deletes a policy; false when there is none of the name. */
  remove(namespace: string, name: string): boolean {
    if (!this.policies.delete(policyKey({ namespace, name }))) return false;
    this.reconcileAll();
    return true;
  }

  /** Policies by namespace and name. */
  list(): readonly LocalRedirectPolicy[] {
    return [...this.policies].sort(([a], [b]) => byText(a, b)).map(([, policy]) => policy);
  }

  /** What the policies make of each frontend port on a node, as its agent sees it. */
  status(node: string): readonly PolicyStatus[] {
    const pods = this.candidates(node);
    return this.list().map((policy) => this.statusOf(policy, pods));
  }

  /**
   * Questions that would come back to the pod that asks them. Run before starting a server, this finds a loop that
   * never has to happen.
   */
  loops(asks: readonly Ask[]): readonly RedirectLoop[] {
    return asks.flatMap((ask) => {
      const pod = this.world.cluster.pods.get(`${ask.namespace}/${ask.pod}`);
      const frontend = pod?.node.redirects.get(frontendKey(ask.ip, ask.port, ask.protocol));
      if (!pod || !frontend?.redirect || frontend.redirect.skipNetns.has(pod.netns.id)) return [];
      if (!frontend.backends.some((backend) => backend.ip === pod.ip)) return [];
      const { policy } = frontend.redirect;
      const address = frontendKey(ask.ip, ask.port, ask.protocol);
      const text =
        `policy ${policy} redirects ${address} to pod ${pod.key}, which asks ${address} itself: ` +
        'its question would come back to it';
      return [{ policy, frontend: address, pod: pod.key, text }];
    });
  }

  /** Stops following the world; redirects stay as they are. */
  close(): void {
    this.unsubscribe();
  }

  /** Whether a service can matter to a policy. By 1.18 rules any may, by its address, to a policy for an address. */
  private concerns(namespace: string, name: string): boolean {
    for (const { frontend } of this.policies.values()) {
      if (frontend.kind === 'address' || (frontend.namespace === namespace && frontend.name === name)) return true;
    }
    return false;
  }

  private reconcileAll(): void {
    for (const node of this.world.cluster.nodes.keys()) this.reconcile(node);
  }

  private reconcile(node: string): void {
    if (!this.world.cluster.nodes.has(node)) return;
    const pods = this.candidates(node);
    const redirects = new Map<string, RedirectSpec>();
    for (const policy of this.list()) {
      const skipNetns =
        policy.skipRedirectFromBackend && this.options.netnsCookie !== false
          ? selectedPods(policy, pods).map((pod) => pod.netns)
          : [];
      const { frontends, reason } = this.statusOf(policy, pods);
      if (reason !== undefined) continue;
      for (const { ip, port, protocol, backends, redirected } of frontends) {
        // Policies are taken in the order of their names: the last one that has backends wins.
        const spec = { policy: policyKey(policy), ip, port, protocol, backends, skipNetns };
        if (
          redirected ||
          (this.options.withoutBackends === 'empty' && this.wouldRedirect(policy, frontends, port, protocol))
        )
          redirects.set(frontendKey(ip, port, protocol), spec);
      }
    }
    if (redirects.size === 0 && !this.active.has(node)) return;
    if (redirects.size > 0) this.active.add(node);
    else this.active.delete(node);
    this.world.setRedirects(node, [...redirects.values()]);
  }

  /** Whether a port is without redirect only because there is no backend. */
  private wouldRedirect(
    policy: LocalRedirectPolicy,
    frontends: readonly FrontendStatus[],
    port: number,
    protocol: string,
  ): boolean {
    const status = frontends.find((frontend) => frontend.port === port && frontend.protocol === protocol)!;
    const pod: CandidatePod = {
      namespace: policy.namespace,
      name: '',
      labels: {},
      ready: true,
      ips: [status.ip],
      ports: policy.backendPorts,
      netns: '',
    };
    return mapFrontend({ ...policy, selector: [] }, status, frontends.length, [pod], this.rules).redirected;
  }

  private statusOf(policy: LocalRedirectPolicy, pods: readonly CandidatePod[]): PolicyStatus {
    const { frontend } = policy;
    const warning =
      policy.skipRedirectFromBackend && this.options.netnsCookie === false
        ? 'the kernel has no SO_NETNS_COOKIE (5.12): backends are redirected too'
        : undefined;
    const service = frontend.kind === 'service' ? `${frontend.namespace}/${frontend.name}` : undefined;
    const base = {
      namespace: policy.namespace,
      name: policy.name,
      frontendType: frontendTypeText(frontend),
      service,
      warning,
    };
    const found = this.frontendsOf(policy);
    if (typeof found === 'string') return { ...base, frontends: [], reason: found };
    return {
      ...base,
      reason: undefined,
      frontends: found.map((candidate) => mapFrontend(policy, candidate, found.length, pods, this.rules)),
    };
  }

  /** The addresses and ports that a policy is about, or why there are none. */
  private frontendsOf({ frontend }: LocalRedirectPolicy): readonly CandidateFrontend[] | string {
    if (frontend.kind === 'address') {
      const owner = this.rules === '1.18' ? this.world.services.ownerOfAddress(frontend.ip) : undefined;
      if (owner !== undefined) return `${frontend.ip} belongs to service ${owner}`;
      return frontend.ports.map((port) => ({
        ip: frontend.ip,
        port: port.port,
        protocol: port.protocol,
        portName: port.name,
      }));
    }
    const spec = this.world.services.get(frontend.namespace, frontend.name);
    if (!spec) return `service ${frontend.namespace}/${frontend.name} does not exist`;
    const frontends = this.world.services.frontendsOf(frontend.namespace, frontend.name);
    return frontends.length > 0 ? frontends : `service ${frontend.namespace}/${frontend.name} has no ClusterIP`;
  }

  private candidates(node: string): readonly CandidatePod[] {
    return [...(this.world.cluster.nodes.get(node)?.pods.values() ?? [])].map(candidate);
  }

  private checkAddress({ frontend }: LocalRedirectPolicy): void {
    if (frontend.kind !== 'address' || !this.cidrs) return;
    const bytes = parseIp(frontend.ip)!;
    if (!this.cidrs.some((cidr) => cidrContains(cidr, bytes))) {
      throw new LrpError(
        'spec.redirectFrontend.addressMatcher.ip',
        `${frontend.ip} is not in the allowed blocks ${this.options.addressCidrs!.join(', ')}`,
      );
    }
  }
}

/**
 * A hostNetwork pod has its node's namespace, so excepting it excepts every program of the node: the map goes by
 * namespace cookie.
 */
const candidate = (pod: Pod): CandidatePod => ({
  namespace: pod.spec.namespace,
  name: pod.spec.name,
  labels: pod.spec.labels ?? {},
  ready: pod.ready && !pod.unmanaged,
  ips: [pod.ip],
  ports: pod.spec.ports ?? [],
  netns: pod.netns.id,
});
