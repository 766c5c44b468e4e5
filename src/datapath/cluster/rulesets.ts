import type { DatapathConfig } from '../config.js';
import { Netfilter } from '../netfilter/tables.js';
import type { Node } from './node.js';
import { installCilium } from '../netfilter/cilium-rules.js';
import { installKubeProxy } from '../netfilter/kube-proxy-rules.js';
import type { Frontend } from '../loadbalancer/service.js';
import type { ServiceTable } from '../loadbalancer/service-table.js';

interface Ruleset {
  readonly netfilter: Netfilter;
  /** Version of the services that kube-proxy's chains were written from. */
  synced: number;
}

/**
 * The netfilter rules of all nodes. kube-proxy's rules are written when they are first read, so that loading a
 * cluster costs nothing.
 */
export class NetfilterRulesets {
  private readonly rulesets = new Map<Node, Ruleset>();
  private order: ReadonlyMap<string, number> | undefined;

  constructor(
    private readonly services: ServiceTable,
    private readonly config: () => DatapathConfig,
  ) {}

  of(node: Node): Netfilter {
    const ruleset = this.ruleset(node);
    if (this.config().kubeProxy && ruleset.synced !== this.services.version) {
      const { kubeProxyClusterCidr: clusterCidr } = this.config();
      installKubeProxy(ruleset.netfilter, {
        frontends: this.sort(this.services.frontends()),
        nodePorts: this.sort(this.services.nodePorts()),
        clusterCidr,
        node: node.name,
      });
      ruleset.synced = this.services.version;
    }
    return ruleset.netfilter;
  }

  /** Writes the agent's chains of a node anew. */
  cilium(node: Node): void {
    installCilium(this.ruleset(node).netfilter, { config: this.config(), podBlocks: node.podBlocks });
  }

  /** The order in which kube-proxy writes services, `namespace/name:port`; those not named come last, by number. */
  setOrder(names: readonly string[]): void {
    this.order = new Map(names.map((name, i) => [name, i]));
    for (const ruleset of this.rulesets.values()) ruleset.synced = -1;
  }

  private ruleset(node: Node): Ruleset {
    let ruleset = this.rulesets.get(node);
    if (!ruleset) {
      ruleset = { netfilter: new Netfilter(), synced: -1 };
      this.rulesets.set(node, ruleset);
    }
    return ruleset;
  }

  /** @param frontends by number, which stays the order of those that are not named */
  private sort(frontends: readonly Frontend[]): readonly Frontend[] {
    const { order } = this;
    if (!order) return frontends;
    const place = (frontend: Frontend): number =>
      order.get(frontend.portName ? `${frontend.owner}:${frontend.portName}` : frontend.owner) ?? order.size;
    return [...frontends].sort((a, b) => place(a) - place(b));
  }
}
