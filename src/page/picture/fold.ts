import type { EntityId, NodeView, PodView } from '../../lab/web/api.js';

/** Boxes that a cell has room for. */
export const ROOM = 6;
/** Nodes that are all drawn; of more, those without a part in the way are folded. */
const FEW_NODES = 6;
/** Lanes that are drawn where nodes are folded, apart from those of the way and those that were opened. */
const LANES = 4;

/** What can be folded: a pod or a service. */
interface Foldable {
  readonly id: EntityId;
  readonly namespace: string;
}

/** Entities that stand as one: the replicas of a workload on one node, or all of a namespace. */
export interface CellGroup<Item> {
  readonly kind: 'group';
  /** Unlike any entity's id. */
  readonly id: string;
  readonly name: string;
  readonly what: 'replicas' | 'namespace';
  readonly items: readonly Item[];
  /** Whether they follow, or stand behind it. */
  readonly open: boolean;
}

/** What a cell of the picture shows at one place. */
export type CellItem<Item> = { readonly kind: 'one'; readonly item: Item } | CellGroup<Item>;

export interface FoldChoice {
  /** Entities that are drawn by themselves: those on the way of the lookup. */
  readonly keep: ReadonlySet<EntityId>;
  /** Ids of groups and nodes that were opened. */
  readonly open: ReadonlySet<string>;
}

export const isWell = (pod: PodView): boolean => pod.state === 'Running' && pod.ready && pod.faults.length === 0;

const one = <Item>(item: Item): CellItem<Item> => ({ kind: 'one', item });

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * What a cell of a lane shows: its pods while there is room; else those on the way and those that are not well by
 * themselves, and the others as stacks of replicas, or by namespace where there are too many stacks.
 * @param place the node's name and the stage, for the groups' ids
 */
export function podItems(pods: readonly PodView[], place: string, choice: FoldChoice): readonly CellItem<PodView>[] {
  if (pods.length <= ROOM) return pods.map(one);
  const unwell = pods.filter((pod) => !isWell(pod)).slice(0, ROOM);
  const alone = pods.filter((pod) => choice.keep.has(pod.id) || unwell.includes(pod));
  const rest = pods.filter((pod) => !alone.includes(pod));
  const stacks = groupedBy(rest, workloadOf).size;
  const folded = (own: readonly PodView[]): readonly CellItem<PodView>[] => stacked(own, place, choice);
  return [
    ...alone.map(one),
    ...(alone.length + stacks <= ROOM ? folded(rest) : byNamespace(rest, place, choice, folded)),
  ];
}

/** What the band between the lanes shows: services by namespace where there is no room for them all. */
export function serviceItems<Service extends Foldable>(
  services: readonly Service[],
  stage: string,
  choice: FoldChoice,
): readonly CellItem<Service>[] {
  if (services.length <= ROOM) return services.map(one);
  const [alone, rest] = [true, false].map((wanted) => services.filter(({ id }) => choice.keep.has(id) === wanted));
  return [...alone!.map(one), ...byNamespace(rest!, `services/${stage}`, choice, (own) => own.map(one))];
}

const workloadOf = ({ namespace, workload }: PodView): string => `${namespace}/${workload}`;

/** Replicas of one workload as one; a pod that has none stays by itself. */
function stacked(pods: readonly PodView[], place: string, choice: FoldChoice): readonly CellItem<PodView>[] {
  return [...groupedBy(pods, workloadOf)].flatMap(([key, items]): readonly CellItem<PodView>[] => {
    if (items.length === 1) return items.map(one);
    const id = `replicas/${place}/${key}`;
    const open = choice.open.has(id);
    const group: CellItem<PodView> = { kind: 'group', id, name: items[0]!.workload, what: 'replicas', items, open };
    return open ? [group, ...items.map(one)] : [group];
  });
}

function byNamespace<Item extends Foldable>(
  all: readonly Item[],
  place: string,
  choice: FoldChoice,
  inside: (items: readonly Item[]) => readonly CellItem<Item>[],
): readonly CellItem<Item>[] {
  const namespaces = [...groupedBy(all, ({ namespace }) => namespace)].sort(([a], [b]) => (a < b ? -1 : 1));
  return namespaces.flatMap(([name, items]): readonly CellItem<Item>[] => {
    const id = `namespace/${place}/${name}`;
    const open = choice.open.has(id);
    const group: CellItem<Item> = { kind: 'group', id, name, what: 'namespace', items, open };
    return open ? [group, ...inside(items)] : [group];
  });
}

/**
 * Names of the nodes that are drawn as lanes: all of a few; of more those with a part in the way, those that were
 * opened, and others as long as there is room, first those with a DNS server.
 */
export function drawnNodes(
  nodes: readonly NodeView[],
  pods: readonly PodView[],
  choice: FoldChoice,
): ReadonlySet<string> {
  if (nodes.length <= FEW_NODES) return new Set(nodes.map(({ name }) => name));
  const drawn = new Set(pods.filter(({ id }) => choice.keep.has(id)).map(({ node }) => node));
  for (const { kind, node } of pods) if (kind === 'dns' && drawn.size < LANES) drawn.add(node);
  for (const { name } of nodes) if (drawn.size < LANES) drawn.add(name);
  for (const { id, name } of nodes) if (choice.open.has(id)) drawn.add(name);
  return drawn;
}

/** What stands in the picture for each entity that is not drawn: the innermost group that is closed. */
export function standInsOf(cells: readonly (readonly CellItem<Foldable>[])[]): Map<EntityId, string> {
  const standIns = new Map<EntityId, string>();
  for (const item of cells.flat())
    if (item.kind === 'group' && !item.open) for (const { id } of item.items) standIns.set(id, item.id);
  return standIns;
}
