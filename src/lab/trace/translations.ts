import { LRUCache } from 'lru-cache';
import type { World } from '../../datapath/world.js';

/** Pairs of a caller and a backend that are remembered. */
const CAPACITY = 4096;

/**
 * Remembers which service address a caller's socket had named before it was translated: connections outlive the
 * lookup that opened them.
 */
export class Translations {
  private readonly named = new LRUCache<string, string>({ max: CAPACITY });
  private asked: { readonly cookie: number; readonly ip: string } | undefined;
  /** Ends the watch. */
  readonly close: () => void;

  constructor(world: World) {
    this.close = world.events.subscribe((event) => {
      if (event.kind !== 'sock') return;
      const { cookie, source, destination } = event;
      if (event.point === 'pre-xlate-fwd') this.asked = { cookie, ip: destination.ip };
      else if (event.point === 'post-xlate-fwd' && this.asked?.cookie === cookie)
        this.named.set(keyOf(source.ip, destination.ip), this.asked.ip);
    });
  }

  /**
   * The service address that `caller` asked for when it was last connected to `backend`; undefined when it never was.
   */
  before(caller: string, backend: string): string | undefined {
    return this.named.get(keyOf(caller, backend));
  }
}

const keyOf = (caller: string, backend: string): string => `${caller} ${backend}`;
