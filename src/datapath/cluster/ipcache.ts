import type { Pod } from './endpoint.js';
import { TopologyError } from '../errors.js';
import type { FlowPeer } from '../events.js';
import { RESERVED_IDENTITY } from './identity.js';
import type { Interface } from '../netns/interface.js';
import type { Node } from './node.js';
import type { ExternalHost } from './external-host.js';

/** Something with an address on a link. */
export interface Attachment {
  readonly owner: Node | ExternalHost;
  readonly device: Interface;
}

/** Who has which address: the ipcache of the agents, and the neighbours on each link. */
export class IpCache {
  private readonly pods = new Map<string, Pod>();
  /** Addresses that belong to nodes in the eyes of all agents. */
  private readonly nodes = new Map<string, Node>();
  private readonly links = new Map<string, Map<string, Attachment>>();

  addPod(pod: Pod): void {
    this.pods.set(pod.ip, pod);
  }

  removePod(pod: Pod): void {
    if (this.pods.get(pod.ip) === pod) this.pods.delete(pod.ip);
  }

  /** The managed pod with an address. */
  podByIp(ip: string): Pod | undefined {
    return this.pods.get(ip);
  }

  addNodeAddress(ip: string, node: Node): void {
    this.nodes.set(ip, node);
  }

  removeNodeAddress(ip: string): void {
    this.nodes.delete(ip);
  }

  nodeByAddress(ip: string): Node | undefined {
    return this.nodes.get(ip);
  }

  /** What an address is to the agent of `view`. */
  peer(ip: string, port: number, view: Node | undefined): FlowPeer {
    const pod = this.pods.get(ip);
    if (pod?.endpoint) return { ip, port, identity: pod.endpoint.identity, pod: pod.ref };
    if (view?.netns.hasAddress(ip)) return { ip, port, identity: RESERVED_IDENTITY.host };
    const node = this.nodes.get(ip);
    if (node)
      return {
        ip,
        port,
        identity: node.spec.apiServer ? RESERVED_IDENTITY['kube-apiserver'] : RESERVED_IDENTITY['remote-node'],
      };
    return { ip, port, identity: RESERVED_IDENTITY.world };
  }

  /** Puts a device on its link. Throws a TopologyError when an address is there already. */
  attach(owner: Node | ExternalHost, device: Interface, path: string): void {
    if (device.segment === undefined) return;
    const link = this.links.get(device.segment) ?? new Map<string, Attachment>();
    for (const { ip } of device.addresses) {
      const other = link.get(ip);
      if (other)
        throw new TopologyError(
          `${path}.addresses`,
          `${ip} is already ${other.owner.name}'s on link ${device.segment}`,
        );
    }
    for (const { ip } of device.addresses) link.set(ip, { owner, device });
    this.links.set(device.segment, link);
  }

  detach(device: Interface): void {
    if (device.segment !== undefined) for (const { ip } of device.addresses) this.links.get(device.segment)?.delete(ip);
  }

  attached(segment: string, ip: string): Attachment | undefined {
    return this.links.get(segment)?.get(ip);
  }
}
