import type { ClusterView, HostView, EntityId, NodeView, PodView, ServiceView } from '../../lab/web/api.js';
import { drawnNodes, podItems, serviceItems, standInsOf } from './fold.js';
import type { CellItem, FoldChoice } from './fold.js';

/** What a part does in the way of a query, from the one who asks to the world outside. */
export type LaneStage = 'work' | 'cache' | 'dns';
export const STAGES: readonly LaneStage[] = ['work', 'cache', 'dns'];

/** The lane of one node: its pods by stage, and those in the node's own network that answer no names. */
export interface Lane {
  readonly node: string;
  readonly id: EntityId;
  readonly ip: string;
  readonly stages: Readonly<Record<LaneStage, readonly CellItem<PodView>[]>>;
  readonly agents: readonly PodView[];
  /** Whether it was opened by hand, and can be folded again. */
  readonly opened: boolean;
}

/** A node that has no lane. */
export interface FoldedNode extends NodeView {
  readonly pods: readonly PodView[];
}

/**
 * The picture as lanes: one a node, between them the service addresses that every node knows, and the hosts outside.
 */
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly folded: readonly FoldedNode[];
  /** Services by the stage that they stand in front of: other services, those that pods ask, those that caches ask. */
  readonly services: Readonly<Record<LaneStage, readonly CellItem<ServiceView>[]>>;
  readonly hosts: readonly HostView[];
  /** What is drawn in place of a pod, service or host that is not. */
  readonly standIns: ReadonlyMap<EntityId, string>;
}

const STAGE_OF: Readonly<Record<string, LaneStage>> = { dns: 'dns', 'node-cache': 'cache' };

/** Sorts the parts of a cluster into lanes. The places on the screen are the style sheet's. */
export function lanesOf(view: ClusterView, choice: FoldChoice): Lanes {
  const podsOf = new Map<string, PodView[]>(view.nodes.map(({ name }) => [name, []]));
  for (const pod of view.pods) podsOf.get(pod.node)?.push(pod);
  const drawn = drawnNodes(view.nodes, view.pods, choice);
  const lanes = view.nodes
    .filter(({ name }) => drawn.has(name))
    .map((node) => laneOf(node, podsOf.get(node.name)!, choice));
  const folded = view.nodes
    .filter(({ name }) => !drawn.has(name))
    .map((node): FoldedNode => ({ ...node, pods: podsOf.get(node.name)! }));
  const services = servicesOf(view, choice);
  const standIns = standInsOf([
    ...lanes.flatMap(({ stages }) => STAGES.map((stage) => stages[stage])),
    ...STAGES.map((stage) => services[stage]),
  ]);
  for (const { id, pods } of folded) for (const pod of pods) standIns.set(pod.id, id);
  const hosts = view.hosts.filter(({ node }) => node === undefined || drawn.has(node));
  for (const { id, node } of view.hosts)
    if (node !== undefined && !drawn.has(node)) standIns.set(id, view.nodes.find(({ name }) => name === node)!.id);
  return { lanes, folded, services, hosts, standIns };
}

function laneOf({ id, name, ip }: NodeView, own: readonly PodView[], choice: FoldChoice): Lane {
  const at = (stage: LaneStage): readonly CellItem<PodView>[] => {
    const pods = own.filter((pod) => !isAgent(pod) && (STAGE_OF[pod.kind] ?? 'work') === stage);
    return podItems(pods, `${name}/${stage}`, choice);
  };
  return {
    id,
    node: name,
    ip,
    stages: { work: at('work'), cache: at('cache'), dns: at('dns') },
    agents: own.filter(isAgent),
    opened: choice.open.has(id),
  };
}

const isAgent = (pod: PodView): boolean => pod.hostNetwork && STAGE_OF[pod.kind] === undefined;

/** A service of DNS stands before the caches when pods ask it, and before the cluster's DNS when caches do. */
function servicesOf({ services, links, pods }: ClusterView, choice: FoldChoice): Lanes['services'] {
  const kinds = new Map(pods.map(({ id, kind }) => [id, kind]));
  const askedBy = new Map<EntityId, Set<string | undefined>>();
  for (const { from, to } of links) askedBy.set(to, (askedBy.get(to) ?? new Set()).add(kinds.get(from)));
  const staged: Record<LaneStage, ServiceView[]> = { work: [], cache: [], dns: [] };
  for (const service of services) {
    const askers = [...(askedBy.get(service.id) ?? [])];
    const dns = service.ports.some((port) => port.startsWith('53/'));
    const ofCaches = askers.length > 0 && askers.every((kind) => kind === 'node-cache');
    staged[dns ? (ofCaches ? 'dns' : 'cache') : 'work'].push(service);
  }
  const at = (stage: LaneStage): readonly CellItem<ServiceView>[] => serviceItems(staged[stage], stage, choice);
  return { work: at('work'), cache: at('cache'), dns: at('dns') };
}
