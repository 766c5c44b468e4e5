import type { DatapathConfig } from '../config.js';
import { Netfilter } from '../netfilter/tables.js';
import type { Node } from './node.js';
import { installCilium } from '../netfilter/cilium-rules.js';
import { installKubeProxy } from '../netfilter/kube-proxy-rules.js';
import type { Frontend } from '../loadbalancer/service.js';
import type { ServiceTable } from '../loadbalancer/service-table.js';

interface Page {
  readonly netfilter: Netfilter;
  /** Version of the services that kube-proxy's chains were written from. */
  synced: number;
}

/**
 * The netfilter rules of all nodes. kube-proxy's are written when somebody looks, so that loading a cluster costs
 * nothing.
 */
export class RuleBook {
  private readonly pages = new Map<Node, Page>();
  private order: ReadonlyMap<string, number> | undefined;

  constructor(
    private readonly services: ServiceTable,
    private readonly config: () => DatapathConfig,
  ) {}

  of(node: Node): Netfilter {
    const page = this.page(node);
    if (this.config().kubeProxy && page.synced !== this.services.version) {
      const { kubeProxyClusterCidr: clusterCidr } = this.config();
      installKubeProxy(page.netfilter, {
        frontends: this.sort(this.services.frontends()),
        nodePorts: this.sort(this.services.nodePorts()),
        clusterCidr,
        node: node.name,
      });
      page.synced = this.services.version;
    }
    return page.netfilter;
  }

  /** Writes the agent's chains of a node anew. */
  cilium(node: Node): void {
    installCilium(this.page(node).netfilter, { config: this.config(), podBlocks: node.podBlocks });
  }

  /** The order in which kube-proxy walks services, `namespace/name:port`; those not named come last, by number. */
  setOrder(names: readonly string[]): void {
    this.order = new Map(names.map((name, i) => [name, i]));
    for (const page of this.pages.values()) page.synced = -1;
  }

  private page(node: Node): Page {
    let page = this.pages.get(node);
    if (!page) {
      page = { netfilter: new Netfilter(), synced: -1 };
      this.pages.set(node, page);
    }
    return page;
  }

  private sort(frontends: readonly Frontend[]): readonly Frontend[] {
    const { order } = this;
    if (!order) return frontends;
    const place = (frontend: Frontend): number =>
      order.get(frontend.portName ? `${frontend.owner}:${frontend.portName}` : frontend.owner) ?? order.size;
    return [...frontends].sort((a, b) => place(a) - place(b) || a.id - b.id);
  }
}
