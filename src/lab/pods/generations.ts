import { objectAt } from '../../kube/objects/raw.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ApiObject } from '../cluster/cluster-api.js';
import { keyOf } from '../cluster/pod-index.js';
import type { ObjectKey } from '../cluster/pod-index.js';

/** The label with which a pod says from which generation of its workload it is. */
export const HASH_LABELS: Readonly<Record<string, string>> = {
  Deployment: 'pod-template-hash',
  DaemonSet: 'controller-revision-hash',
};

/** One state of a workload's pods, as a ReplicaSet holds it. */
export interface Generation {
  readonly template: unknown;
  /** In the names and labels of its pods. */
  readonly hash: string;
  /** Counted from 1; the highest is in force. */
  readonly revision: number;
  readonly created: Milliseconds;
  /** How many pods of a Deployment it shall have. */
  readonly size: number;
}

/** Generations that are kept beside the newest (revisionHistoryLimit). */
const HISTORY = 10;

/** What the pods of workloads are, and were, made from. */
export class Generations {
  /** By workload, the newest last. */
  private readonly kept = new Map<string, readonly Generation[]>();

  /** The newest last. */
  of(workload: ObjectKey): readonly Generation[] {
    return this.kept.get(keyOf(workload)) ?? [];
  }

  /** From now on pods are made from this template, with this hash; one that was there before keeps its size. */
  begin(workload: ObjectKey, hash: string, template: unknown, now: Milliseconds): void {
    const known = this.of(workload);
    const before = known.find((one) => one.hash === hash);
    const others = known.filter((one) => one !== before);
    const over = others.filter(({ size }) => size === 0).slice(0, Math.max(0, others.length - HISTORY));
    const next: Generation = {
      template,
      hash,
      revision: (known.at(-1)?.revision ?? 0) + 1,
      created: before?.created ?? now,
      size: before?.size ?? 0,
    };
    this.kept.set(keyOf(workload), [...others.filter((one) => !over.includes(one)), next]);
  }

  resize(workload: ObjectKey, sizes: readonly number[]): void {
    this.kept.set(
      keyOf(workload),
      this.of(workload).map((one, i) => ({ ...one, size: sizes[i]! })),
    );
  }

  /** Workloads that are gone have no pods; what they were is kept, for one of the same name. */
  emptyBut(there: ReadonlySet<string>): void {
    for (const [key, all] of this.kept)
      if (!there.has(key) && all.some(({ size }) => size > 0))
        this.kept.set(
          key,
          all.map((one) => ({ ...one, size: 0 })),
        );
  }
}

/** What a workload's pods are made from. */
export const templateOf = ({ raw }: ApiObject): unknown => objectAt(raw, 'spec')['template'];

/** Replicas that a Deployment asks for; one when it does not say. */
export function replicasOf(workload: ApiObject): number {
  const replicas = objectAt(workload.raw, 'spec')['replicas'];
  return typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 ? replicas : 1;
}
