import type { World } from '../../datapath/world.js';
import type { Milliseconds } from '../../lib/units.js';

export type AgedKind = 'node' | 'ciliumnode' | 'pod' | 'service' | 'policy';

/**
 * When each object of a world appeared. What is there at the start is as old as this watch, unless its age is given.
 */
export class Ages {
  private readonly born = new Map<string, Milliseconds>();
  private readonly start: Milliseconds;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly world: World,
    private readonly now: () => Milliseconds,
  ) {
    this.start = now();
    this.unsubscribe = world.changes.subscribe((change) => {
      if (change.kind === 'node') this.note('node', '', change.name, true);
      else if (change.kind === 'pod')
        this.note(
          'pod',
          change.namespace,
          change.name,
          this.world.cluster.pods.has(`${change.namespace}/${change.name}`),
        );
      else
        this.note(
          'service',
          change.namespace,
          change.name,
          this.world.services.get(change.namespace, change.name) !== undefined,
        );
    });
  }

  /** Milliseconds since the object appeared. */
  of(kind: AgedKind, namespace: string, name: string): Milliseconds {
    return this.now() - (this.born.get(keyOf(kind, namespace, name)) ?? this.start);
  }

  /** Sets when an object appeared, for what the world does not tell of. */
  set(kind: AgedKind, namespace: string, name: string, at: Milliseconds): void {
    this.born.set(keyOf(kind, namespace, name), at);
  }

  /** Stops following the world. */
  close(): void {
    this.unsubscribe();
  }

  private note(kind: AgedKind, namespace: string, name: string, exists: boolean): void {
    const key = keyOf(kind, namespace, name);
    if (!exists) this.born.delete(key);
    else if (!this.born.has(key)) this.born.set(key, this.now());
  }
}

const keyOf = (kind: AgedKind, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;
