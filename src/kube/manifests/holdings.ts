import type { Intake, Taken } from '../intake/intake.js';
import { MultiMap } from '../store/multimap.js';
import { describeObject, namespaceOf } from '../objects/objects.js';
import type { KubeKind, KubeObject } from '../objects/objects.js';
import type { KubeLog } from '../source.js';
import type { KubeStore } from '../store/store.js';

/** The objects of one file by {@link keyOf}. */
export type FileObjects = ReadonlyMap<string, Taken>;

/** Identifies an object across files. */
export function keyOf(object: KubeObject): string {
  return `${object.kind}/${namespaceOf(object)}/${object.name}`;
}

/**
 * Which file gives which object to the store. An object that several files hold counts as the first of them, by path,
 * has it.
 * Namespaces that nobody wrote down exist as long as an object is in them, as every object of a real cluster lies in
 * one.
 */
export class ManifestHoldings {
  private readonly files = new Map<string, FileObjects>();
  /** Files that hold an object. */
  private readonly claims = new MultiMap<string>();
  /** Held objects per namespace. */
  private readonly population = new Map<string, number>();

  constructor(
    private readonly store: KubeStore,
    private readonly intake: Intake,
    private readonly log: KubeLog,
  ) {}

  paths(): string[] {
    return [...this.files.keys()];
  }

  /**
   * Puts the objects of a file in place of those it held before; an empty map forgets the file. Costs what the file
   * holds, not what all hold. In steps, one for each object, so that a caller can let others run in between.
   */
  *set(path: string, next: FileObjects): Generator<void> {
    const old = this.files.get(path);
    if (next.size === 0) this.files.delete(path);
    else this.files.set(path, next);
    const touched = new Map<string, KubeObject>();
    for (const [key, { object }] of old ?? []) {
      if (next.has(key)) continue;
      this.claims.remove(key, path);
      touched.set(key, object);
      if (!this.claims.has(key)) this.count(object, -1);
      yield;
    }
    for (const [key, { object }] of next) {
      touched.set(key, object);
      if (!old?.has(key)) {
        if (!this.claims.has(key)) this.count(object, 1);
        this.claims.add(key, path);
      }
      yield;
    }
    for (const [key, object] of touched) {
      this.resolve(key, object);
      yield;
    }
  }

  private resolve(key: string, object: KubeObject): void {
    const [first, ...others] = this.claims.get(key).sort();
    if (first !== undefined) {
      if (others.length > 0)
        this.log.warning(
          `${describeObject(object.kind, namespaceOf(object), object.name)} is in ${[first, ...others].join(' and ')}; ${first} counts`,
        );
      const winner = this.files.get(first)!.get(key)!;
      this.store.apply(winner.object, winner.triggeredAt);
    } else if (object.kind !== 'Namespace' || !this.imply(object.name)) {
      this.store.delete(object.kind, namespaceOf(object), object.name);
    }
  }

  private count(object: KubeObject, by: 1 | -1): void {
    const namespace = namespaceOf(object);
    if (namespace === '') return;
    const count = (this.population.get(namespace) ?? 0) + by;
    if (count > 0) this.population.set(namespace, count);
    else this.population.delete(namespace);
    if (this.claims.has(`Namespace//${namespace}`)) return;
    if (count === 0) this.store.delete('Namespace' satisfies KubeKind, '', namespace);
    else if (count === 1 && by === 1) this.imply(namespace);
  }

  /** Returns whether the namespace exists without being written down. */
  private imply(name: string): boolean {
    if (!this.population.has(name)) return false;
    const taken = this.intake.take('Namespace', {
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    });
    if (typeof taken !== 'object') return false;
    this.store.apply(taken.object);
    return true;
  }
}
