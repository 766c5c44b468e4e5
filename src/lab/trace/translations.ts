import { LRUCache } from 'lru-cache';
import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { World } from '../../datapath/world.js';
import type { Lab } from '../lab.js';
import type { Visit } from './tracer.js';

/** Pairs of a caller and a backend that are remembered. */
const CAPACITY = 4096;

/**
 * Remembers which service address a caller's socket had named before it was translated: connections outlive the
 * look-up that opened them.
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
   * The service address that `caller` asked for when it was last led to `backend`; undefined when it was not led
   * there.
   */
  before(caller: string, backend: string): string | undefined {
    return this.named.get(keyOf(caller, backend));
  }
}

const keyOf = (caller: string, backend: string): string => `${caller} ${backend}`;

/**
 * The service address that a pod had named when its query came to a server; undefined where the server was asked by
 * its own address.
 */
export function namedBy(asker: Pod, { server, local }: Visit, lab: Lab): string | undefined {
  const [namespace = '', name = ''] = server.split('/', 2);
  // A datagram does not tell at which of its addresses the server took it.
  return lab.translations.before(asker.ip, lab.kubelet.get(namespace, name)?.model.ip ?? local.address);
}
