import { isLoopback } from '../../datapath/netns/netns.js';
import type { Lab } from '../lab.js';
import { entityOfPod, entityOfServer } from '../explain/explain-lookup.js';
import type { EntityId } from '../explain/explanation.js';
import type { RunningPod } from '../pods/running-pod.js';
import type { ServerSpan } from '../trace/tracer.js';
import type { PeerView } from './api.js';

/** Finds the entity behind an address. */
export class Entities {
  constructor(private readonly lab: Lab) {}

  /** The pod with an address of its own, as the agents know it. */
  pod(ip: string): RunningPod | undefined {
    const { kubelet, world } = this.lab;
    const model = world.cluster.ipcache.podByIp(ip);
    return model && kubelet.get(model.spec.namespace, model.spec.name);
  }

  /** What an address is as seen from a node: hosts on different links may have the same one. */
  of(ip: string, node: string | undefined): EntityId | undefined {
    if (isLoopback(ip)) return undefined;
    const pod = this.pod(ip);
    if (pod) return entityOfPod(pod);
    const { world } = this.lab;
    const service = world.services.ownerOfAddress(ip);
    if (service !== undefined) return `service/${service}`;
    const seen = node === undefined ? undefined : world.cluster.nodes.get(node);
    if (seen?.netns.hasAddress(ip)) return `node/${seen.name}`;
    for (const { segment } of seen?.netns.interfaces ?? []) {
      const owner = segment === undefined ? undefined : world.cluster.ipcache.attached(segment, ip)?.owner.name;
      if (owner !== undefined) return `${world.cluster.hosts.has(owner) ? 'host' : 'node'}/${owner}`;
    }
    const host = this.lab.hosts.list().find(({ model }) => model.netns.hasAddress(ip));
    return host && `host/${host.name}`;
  }

  peer(ip: string, port: number, node: string): PeerView {
    const part = this.of(ip, node);
    return { ip, port, name: part?.slice(part.indexOf('/') + 1) ?? ip, ...(part !== undefined && { part }) };
  }

  /**
   * The entity that sent a query to a server. A translated source address is resolved on the node that translated it.
   */
  askerOf({ server, remote, local, transport }: ServerSpan): EntityId | undefined {
    const { world, kubelet, hosts } = this.lab;
    if (isLoopback(remote.address)) return entityOfServer(server);
    const pod = this.pod(remote.address);
    if (pod) return entityOfPod(pod);
    const [namespace = '', name = ''] = server.split('/', 2);
    const own = kubelet.get(namespace, name)?.model;
    const home = own?.node.name;
    // A server outside sees the node that is on its own link.
    const outside = hosts.list().find((host) => host.name === server)?.model.netns;
    const segments = outside?.interfaces.flatMap(({ segment }) => segment ?? []) ?? [];
    const part =
      segments
        .map((segment) => world.cluster.ipcache.attached(segment, remote.address)?.owner.name)
        .find((owner) => owner !== undefined) ?? this.of(remote.address, home)?.replace(/^node\//, '');
    const node = part === undefined ? undefined : world.cluster.nodes.get(part);
    if (!node) return part === undefined ? undefined : this.of(remote.address, home);
    const protocol = transport === 'udp' ? 'UDP' : 'TCP';
    const mapping = [...(outside?.addresses ?? []), ...(own ? [own.ip] : [])]
      .map((address) => node.nat.mappingOf(protocol, address, local.port, remote.address, remote.port))
      .find((one) => one !== undefined);
    const source = mapping && this.pod(mapping.src);
    if (source) return entityOfPod(source);
    const cache = kubelet
      .list()
      .find(
        (candidate) =>
          candidate.model.spec.hostNetwork && candidate.model.node === node && candidate.program.kind === 'node-cache',
      );
    return cache ? entityOfPod(cache) : `node/${node.name}`;
  }
}
