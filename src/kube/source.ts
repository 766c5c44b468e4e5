import type { KubeStore } from './store/store.js';

/** Where a source tells what went wrong or changed hands. The caller adds its own prefix. */
export interface KubeLog {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}

/** Something that fills a store and keeps it up to date until its signal is aborted. */
export interface KubeSource {
  /** Begins at once and returns; to be called once. What the store holds stays there after an abort. */
  start(store: KubeStore, signal: AbortSignal): void;
  /** Whether everything there was at the start is in the store. Never goes back to false. */
  readonly hasSynced: boolean;
  /** Resolves when {@link hasSynced} turns true; never rejects, and stays pending when stopped before. */
  readonly synced: Promise<void>;
}

/** A promise with a flag that can be read without waiting. */
export class Latch {
  private open!: () => void;
  isOpen = false;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  release(): void {
    this.isOpen = true;
    this.open();
  }
}
