import type { ClusterView, HostView, EntityId, PodView, ServiceView } from '../../lab/web/api.js';

/** What a part does in the way of a query, from the one who asks to the world outside. */
export type LaneStage = 'work' | 'cache' | 'dns';

/** The lane of one node: its pods by stage, and those in the node's own network that answer no names. */
export interface Lane {
  readonly node: string;
  readonly id: EntityId;
  readonly ip: string;
  readonly stages: Readonly<Record<LaneStage, readonly PodView[]>>;
  readonly agents: readonly PodView[];
}

/**
 * The picture as lanes: one a node, between them the service addresses that every node knows, and the hosts outside.
 */
export interface Lanes {
  readonly lanes: readonly Lane[];
  /** Services by the stage that they stand in front of: other services, those that pods ask, those that caches ask. */
  readonly services: Readonly<Record<LaneStage, readonly ServiceView[]>>;
  readonly hosts: readonly HostView[];
}

const STAGE_OF: Readonly<Record<string, LaneStage>> = { dns: 'dns', 'node-cache': 'cache' };

/** Sorts the parts of a cluster into lanes. The places on the screen are the style sheet's. */
export function lanesOf(view: ClusterView): Lanes {
  const lanes = view.nodes.map(({ id, name, ip }): Lane => {
    const own = view.pods.filter((pod) => pod.node === name);
    const at = (stage: LaneStage): readonly PodView[] =>
      own.filter((pod) => !isAgent(pod) && (STAGE_OF[pod.kind] ?? 'work') === stage);
    return {
      id,
      node: name,
      ip,
      stages: { work: at('work'), cache: at('cache'), dns: at('dns') },
      agents: own.filter(isAgent),
    };
  });
  const services: Record<LaneStage, ServiceView[]> = { work: [], cache: [], dns: [] };
  for (const service of view.services) services[stageOf(service, view)].push(service);
  return { lanes, services, hosts: view.hosts };
}

const isAgent = (pod: PodView): boolean => pod.hostNetwork && STAGE_OF[pod.kind] === undefined;

/** A service of DNS stands before the caches when pods ask it, and before the cluster's DNS when caches do. */
function stageOf({ id, ports }: ServiceView, { links, pods }: ClusterView): LaneStage {
  if (!ports.some((port) => port.startsWith('53/'))) return 'work';
  const askers = links.filter((link) => link.to === id).map((link) => pods.find((pod) => pod.id === link.from)?.kind);
  return askers.length > 0 && askers.every((kind) => kind === 'node-cache') ? 'dns' : 'cache';
}
