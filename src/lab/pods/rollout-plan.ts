import { objectAt, textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';

/** A generation of a Deployment's pods: how many it shall have, and how many of them serve. */
export interface PlannedSet {
  readonly size: number;
  readonly available: number;
}

/** How many pods may be too many, and too few, while a workload is rolled out. */
interface Limits {
  readonly surge: number;
  readonly unavailable: number;
}

/** A whole number, or a share of the whole: `25%`. */
function part(said: unknown, whole: number, round: (value: number) => number): number {
  const share = /^(\d+)%$/.exec(typeof said === 'string' ? said : '');
  return share ? round((Number(share[1]) / 100) * whole) : Number(said);
}

/** Of a Deployment: a surge is rounded up, what may be missing down; one of both has to be possible. */
function limitsOf(spec: RawObject, wanted: number): Limits {
  const { maxSurge = '25%', maxUnavailable = '25%' } = objectAt(objectAt(spec, 'strategy'), 'rollingUpdate');
  const surge = part(maxSurge, wanted, Math.ceil);
  const unavailable = part(maxUnavailable, wanted, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/**
 * The next sizes of a Deployment's generations, as its controller sets them; the same ones when nothing can be done
 * before more pods serve, or are gone.
 *
 * @param sets the oldest first; the last is in force
 * @param leaving whether pods of older generations are on their way out
 */
export function planDeployment(
  spec: RawObject,
  wanted: number,
  sets: readonly PlannedSet[],
  leaving: boolean,
): readonly number[] {
  const sizes = sets.map(({ size }) => size);
  const current = sets.at(-1)!;
  const others = sets.slice(0, -1);
  const older = others.reduce((sum, { size }) => sum + size, 0);
  const scaled = (size: number): readonly number[] => [...sizes.slice(0, -1), size];
  if (current.size > wanted) return scaled(wanted);
  if (textAt(objectAt(spec, 'strategy'), 'type') === 'Recreate') {
    if (older > 0) return [...others.map(() => 0), current.size];
    return leaving ? sizes : scaled(wanted);
  }
  if (older === 0) return scaled(wanted);
  // A Deployment that is paused goes on with the generation that it has, and leaves the others alone.
  if (spec['paused'] === true) return sizes;
  const { surge, unavailable } = limitsOf(spec, wanted);
  const room = wanted + surge - older - current.size;
  if (current.size < wanted && room > 0) return scaled(Math.min(wanted, current.size + room));
  const least = wanted - unavailable;
  const waiting = current.size - current.available;
  return [...shrink(others, least, older + current.size - least - waiting, current.available), current.size];
}

/** Sizes of the older generations: what does not serve goes first, then of what serves all that nobody needs. */
function shrink(sets: readonly PlannedSet[], least: number, down: number, served: number): readonly number[] {
  if (down <= 0) return sets.map(({ size }) => size);
  let broken = down;
  const cleaned = sets.map(({ size, available }) => {
    const gone = Math.min(Math.max(0, size - available), broken);
    broken -= gone;
    return size - gone;
  });
  let spare = sets.reduce((sum, { available }) => sum + available, served) - least;
  return cleaned.map((size) => {
    const gone = Math.min(size, Math.max(0, spare));
    spare -= gone;
    return size - gone;
  });
}

/** A pod of a DaemonSet. */
export interface PlannedPod {
  readonly node: string;
  readonly current: boolean;
  readonly available: boolean;
  readonly leaving: boolean;
}

/** What a DaemonSet's controller does next: nodes that get a pod, and pods that go. */
export interface DaemonPlan<T extends PlannedPod> {
  readonly create: readonly string[];
  readonly remove: readonly T[];
}

/**
 * The next step of a DaemonSet. One that starts new pods beside the old ones does so unless they are on their node's
 * network: in the model two programs cannot share its ports.
 */
export function planDaemonSet<T extends PlannedPod>(
  spec: RawObject,
  nodes: readonly string[],
  pods: readonly T[],
): DaemonPlan<T> {
  const on = new Map<string, T[]>(nodes.map((node) => [node, []]));
  for (const pod of pods) on.get(pod.node)?.push(pod);
  const missing = nodes.filter((node) => on.get(node)!.length === 0);
  const strategy = objectAt(spec, 'updateStrategy');
  if (textAt(strategy, 'type') === 'OnDelete') return { create: missing, remove: [] };
  const { maxSurge = 0, maxUnavailable = 1 } = objectAt(strategy, 'rollingUpdate');
  const surge = part(maxSurge, nodes.length, Math.ceil);
  const own = objectAt(objectAt(spec, 'template'), 'spec')['hostNetwork'] !== true;
  if (own && surge > 0) return surging(on, missing, surge);
  const down = nodes.filter((node) => !on.get(node)!.some(({ available }) => available)).length;
  const old = pods.filter(({ node, current, leaving }) => on.has(node) && !current && !leaving);
  const spare = Math.max(0, Math.max(1, part(maxUnavailable, nodes.length, Math.ceil)) - down);
  return {
    create: missing,
    remove: [...old.filter(({ available }) => !available), ...old.filter(({ available }) => available).slice(0, spare)],
  };
}

function surging<T extends PlannedPod>(
  on: ReadonlyMap<string, readonly T[]>,
  missing: readonly string[],
  surge: number,
): DaemonPlan<T> {
  const [create, remove]: [string[], T[]] = [[...missing], []];
  const staying = [...on].map(([node, all]) => ({ node, all: all.filter(({ leaving }) => !leaving) }));
  let room = surge - staying.filter(({ all }) => all.length > 1).length;
  for (const { node, all } of staying) {
    const old = all.find(({ current }) => !current);
    const next = all.find(({ current }) => current);
    if (!old) continue;
    if (next?.available === true) remove.push(old);
    // Where nothing serves, nothing is lost by a new pod.
    else if (!next && (!old.available || room-- > 0)) create.push(node);
  }
  return { create, remove };
}
