import { textAt, asObject, arrayAt, objectAt } from '../../kube/objects/raw.js';
import type { PodPort } from './ports.js';
import type { Lab } from '../lab.js';
import { entityOfPod } from '../explain/explain-lookup.js';
import type { ClusterView, HostView, NodeCacheMode, NodeView, PodView, ServiceView } from './api.js';
import { linksOf } from './links.js';
import { Entities } from './entities.js';
import { byText } from '../../lib/order.js';

const POLICY = 'CiliumLocalRedirectPolicy';
const NODE_CACHE = 'node-local-dns';

/** The cluster as the page draws it. @param ports the pods' DNS ports on the real machine */
export function clusterView(lab: Lab, ports: readonly PodPort[]): ClusterView {
  const { topology } = lab;
  const parts = new Entities(lab);
  const services = servicesOf(lab, parts);
  return {
    name: topology.name,
    domain: topology.cluster.domain,
    dns: topology.cluster.dns,
    nodes: [...lab.world.cluster.nodes.values()].map((node): NodeView => ({
      id: `node/${node.name}`,
      name: node.name,
      ip: node.internalIp,
      addresses: node.netns.addresses,
    })),
    pods: podsOf(lab, ports),
    hosts: hostsOf(lab),
    services,
    links: linksOf(lab, parts, services),
    nodeCache: nodeCacheOf(lab),
    apiAway: lab.api.away,
  };
}

function podsOf(lab: Lab, ports: readonly PodPort[]): readonly PodView[] {
  return [...lab.kubelet.list()]
    .sort((a, b) => byText(a.name, b.name))
    .map((pod) => {
      const { namespace, name, model, program, state, restarts, network } = pod;
      const port = ports.find((one) => one.pod === `${namespace}/${name}`)?.port;
      return {
        id: entityOfPod(pod),
        namespace,
        name,
        workload: workloadOf(lab, namespace, name),
        node: model.spec.node,
        ip: model.ip,
        hostNetwork: model.spec.hostNetwork ?? false,
        kind: program.kind,
        state,
        ready: model.ready,
        restarts,
        faults: [
          ...(network.paused ? (['hangs'] as const) : []),
          ...(model.denied ? (['drops packets'] as const) : []),
        ],
        ...(port !== undefined && { port }),
      };
    });
}

function workloadOf(lab: Lab, namespace: string, name: string): string {
  const owner = asObject(arrayAt(objectAt(lab.api.get('Pod', namespace, name)?.raw, 'metadata'), 'ownerReferences')[0]);
  return textAt(owner, 'name') || name;
}

function hostsOf(lab: Lab): readonly HostView[] {
  const nodes = [...lab.world.cluster.nodes.values()];
  return lab.hosts.list().map(({ name, model, corefile }) => {
    const segments = model.netns.interfaces.flatMap(({ segment }) => segment ?? []);
    const near = nodes.filter((node) =>
      node.netns.interfaces.some(({ segment }) => segment !== undefined && segments.includes(segment)),
    );
    return {
      id: `host/${name}`,
      name,
      addresses: model.netns.addresses,
      dns: corefile !== undefined,
      ...(near.length === 1 && { node: near[0]!.name }),
    };
  });
}

function servicesOf(lab: Lab, parts: Entities): readonly ServiceView[] {
  const { services, cluster } = lab.world;
  return services.specs().map(({ namespace, name, clusterIPs, ports }) => {
    const backends = services
      .frontendsOf(namespace, name)
      .flatMap((frontend) =>
        frontend.backends.map(({ ip, node }) => parts.of(ip, node ?? lab.topology.nodes[0]?.name)),
      );
    const redirects = [...cluster.nodes.values()].flatMap((node) => {
      const own = node.redirectList().filter((frontend) => clusterIPs.includes(frontend.ip));
      const policy = own[0]?.redirect?.policy;
      return policy === undefined
        ? []
        : [
            {
              node: node.name,
              policy,
              to: unique(own.flatMap((frontend) => frontend.backends.map(({ ip }) => parts.of(ip, node.name)))),
            },
          ];
    });
    return {
      id: `service/${namespace}/${name}`,
      namespace,
      name,
      ips: clusterIPs,
      ports: unique(ports.map(({ port, protocol }) => `${port}/${protocol}`)),
      backends: unique(backends),
      redirects,
    };
  });
}

const unique = (words: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(words)].filter((word) => word !== undefined);

/** How names are cached on the lab's nodes now. */
export function nodeCacheOf(lab: Lab): NodeCacheMode {
  if (!lab.api.get('DaemonSet', 'kube-system', NODE_CACHE)) return 'none';
  const { nodes } = lab.world.cluster;
  if (lab.api.list(POLICY).length > 0 && [...nodes.values()].some((node) => node.redirectList().length > 0))
    return 'redirect';
  const caches = lab.kubelet.list().filter(({ program }) => program.kind === 'node-cache');
  return caches.some(({ model }) => model.spec.hostNetwork) ? 'iptables' : 'idle';
}
