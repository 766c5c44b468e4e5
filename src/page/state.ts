import { computed, signal } from '@preact/signals';
import type { ClusterView, FlowView, EntityId, LiveSample } from '../lab/web/api.js';

/** Flows and samples that the page keeps. */
export const MAX_FLOWS = 400;
export const MAX_SAMPLES = 300;

/** What the lab has reported. */
export const cluster = signal<ClusterView | undefined>(undefined);
export const samples = signal<readonly LiveSample[]>([]);
export const flows = signal<readonly FlowView[]>([]);
/** Flows that were left out because there were too many at once. */
export const flowsLeft = signal(0);
export const connected = signal(false);
/** Whether the lab answered once, and does not any more. */
export const ended = computed(() => cluster.value !== undefined && !connected.value);
/** The part that is looked at closely. */
export const selected = signal<EntityId | undefined>(undefined);

/** Period that figures beside a server are taken over, in milliseconds. */
const RECENT = 30_000;

export interface Figures {
  readonly queries: number;
  readonly hits: number;
  readonly misses: number;
  readonly time: number;
}

const NONE: Figures = { queries: 0, hits: 0, misses: 0, time: 0 };

/** Sums of each server over samples. */
function sumUp(list: readonly LiveSample[]): ReadonlyMap<EntityId, Figures> {
  const sums = new Map<EntityId, Figures>();
  for (const { servers } of list) {
    for (const [id, own] of Object.entries(servers)) {
      const sum = sums.get(id) ?? NONE;
      sums.set(id, {
        queries: sum.queries + own.queries,
        hits: sum.hits + own.hits,
        misses: sum.misses + own.misses,
        time: sum.time + own.time,
      });
    }
  }
  return sums;
}

export const totals = computed(() => sumUp(samples.value));
export const recent = computed(() => {
  const list = samples.value;
  return sumUp(list.filter(({ time }) => time > list.at(-1)!.time - RECENT));
});

/** `coredns` and `…vvgfm` of a pod's name: what it belongs to, and what tells it from its kin. */
export function namesOf(name: string, workload: string): readonly [string, string] {
  const base = workload.replace(/-[a-z0-9]{9,10}$/, '');
  return name === workload ? [name, ''] : [base, name.slice(name.lastIndexOf('-') + 1)];
}

/** A short name of a part for lists and legends. */
export function shortName(id: EntityId): string {
  const pod = cluster.value?.pods.find((one) => one.id === id);
  if (pod)
    return namesOf(pod.name, pod.workload)
      .filter((word) => word !== '')
      .join('-');
  return id.slice(id.lastIndexOf('/') + 1);
}
