import type { KubeObject } from '../objects/objects.js';
import { namespaceOf } from '../objects/objects.js';

/** Objects of one kind by namespace and name. Kinds that stand above namespaces live under the empty namespace. */
export class Table<T extends KubeObject> {
  private readonly byNamespace = new Map<string, Map<string, T>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(namespace: string, name: string): T | undefined {
    return this.byNamespace.get(namespace)?.get(name);
  }

  in(namespace: string): IterableIterator<T> {
    return this.byNamespace.get(namespace)?.values() ?? [].values();
  }

  *all(): IterableIterator<T> {
    for (const objects of this.byNamespace.values()) yield* objects.values();
  }

  set(object: T): void {
    const namespace = namespaceOf(object);
    let objects = this.byNamespace.get(namespace);
    if (!objects) this.byNamespace.set(namespace, (objects = new Map<string, T>()));
    const before = objects.size;
    objects.set(object.name, object);
    this.count += objects.size - before;
  }

  delete(object: T): void {
    const namespace = namespaceOf(object);
    const objects = this.byNamespace.get(namespace);
    if (!objects?.delete(object.name)) return;
    this.count--;
    if (objects.size === 0) this.byNamespace.delete(namespace);
  }
}

/** The objects of one kind that belong to one service each, by namespace and service name. */
export class ServiceIndex<T extends KubeObject> {
  private readonly byNamespace = new Map<string, Map<string, T | T[]>>();

  /** In the order they came; a list that the caller must not alter. */
  get(namespace: string, service: string): readonly T[] {
    const entry = this.byNamespace.get(namespace)?.get(service);
    if (entry === undefined) return [];
    return Array.isArray(entry) ? entry : [entry];
  }

  /** Puts `next` in the place of `old`; either may be missing. The lists handed out before stay as they were. */
  replace(namespace: string, service: string, old: T | undefined, next: T | undefined): void {
    let services = this.byNamespace.get(namespace);
    if (!services) this.byNamespace.set(namespace, (services = new Map<string, T | T[]>()));
    const entry = services.get(service);
    // Most services have one slice, which comes once.
    if (entry === undefined && next) return void services.set(service, next);
    const current = entry === undefined ? [] : Array.isArray(entry) ? entry : [entry];
    const kept =
      old && next
        ? current.map((object) => (object === old ? next : object))
        : current.filter((object) => object !== old).concat(next ?? []);
    if (kept.length === 0) services.delete(service);
    else services.set(service, kept.length === 1 ? kept[0]! : kept);
    if (services.size === 0) this.byNamespace.delete(namespace);
  }
}
