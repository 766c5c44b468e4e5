import type { Intake } from './intake/intake.js';
import { isKubeKind } from './intake/intake.js';
import { describeObject } from './objects/objects.js';
import type { KubeKind } from './objects/objects.js';
import { asObject, arrayAt, objectAt, textAt } from './objects/raw.js';
import { Latch } from './source.js';
import type { KubeSource } from './source.js';
import type { KubeStore } from './store/store.js';

/**
 * Objects handed in by a caller, as they would stand in a manifest: for tests and the lab. What is applied before the
 * start waits for it.
 */
export class MemorySource implements KubeSource {
  private store: KubeStore | undefined;
  private waiting: ((store: KubeStore) => void)[] = [];
  private readonly latch = new Latch();

  constructor(private readonly intake: Intake) {}

  get hasSynced(): boolean {
    return this.latch.isOpen;
  }

  get synced(): Promise<void> {
    return this.latch.opened;
  }

  start(store: KubeStore, signal: AbortSignal): void {
    this.store = store;
    for (const step of this.waiting.splice(0)) step(store);
    this.latch.release();
    signal.addEventListener('abort', () => (this.store = undefined));
  }

  /**
   * Takes a manifest object, or a List of them. Throws a TypeError for what is no object of a known kind or cannot be
   * trimmed:
   * unlike an API or a folder, a caller can be told.
   */
  apply(manifest: unknown): void {
    const list = textAt(manifest, 'kind') === 'List';
    for (const raw of list ? arrayAt(manifest, 'items') : [manifest]) {
      const kind = textAt(raw, 'kind');
      if (!isKubeKind(kind)) throw new TypeError(`cannot hold an object of kind ${JSON.stringify(kind)}`);
      const taken = this.intake.take(kind, raw);
      if (taken === 'invalid') {
        const metadata = objectAt(raw, 'metadata');
        const name = String(asObject(asObject(raw)['metadata'])['name']);
        throw new TypeError(`invalid ${describeObject(kind, textAt(metadata, 'namespace'), name)}`);
      }
      if (taken !== 'unwanted') this.run((store) => store.apply(taken.object, taken.triggeredAt));
    }
  }

  delete(kind: KubeKind, namespace: string, name: string): void {
    this.run((store) => store.delete(kind, namespace, name));
  }

  /** Changes after an abort are dropped, as those of a source that has stopped. */
  private run(step: (store: KubeStore) => void): void {
    if (this.store) step(this.store);
    else if (!this.hasSynced) this.waiting.push(step);
  }
}
