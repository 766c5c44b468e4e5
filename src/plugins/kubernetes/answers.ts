import { LRUCache } from 'lru-cache';
import type { Reply } from '../../chain/index.js';
import type { KubeChange, ServiceChange } from '../../kube/store/change.js';
import type { KubeStore } from '../../kube/store/store.js';
import { parseIp } from '../../lib/cidr.js';
import { reverseName, type Name } from '../../wire/index.js';
import { Leases, OwnedLeases, type PromiseOwner } from './leases.js';
import { below } from './name.js';
import type { Zone } from './zone.js';

/** Names whose replies are kept beside those of services: ports, endpoints and pods. Clients can think up any number. */
const MAX_OTHERS = 16_384;

/** A reply, or that there is nothing of the type: what the zone says to that serves all names. */
export type Kept = Reply | 'no-data';

/** What is known of a name that exists. All types but these three have no data. */
export class NameAnswers {
  a: Kept | undefined;
  aaaa: Kept | undefined;
  srv: Kept | undefined;

  /** @param leases how long its replies stay right; nothing is promised without them */
  constructor(
    readonly zone: Zone,
    readonly leases?: Leases,
  ) {}
}

/**
 * Encoded answers by name, each kept until one of the objects it was made from changes. Names of services and
 * addresses are as many as there are objects;
 * of other names those used last are kept, up to a bound, while what was promised of the rest still holds. Names that
 * do not exist are not kept at all: to find that out costs no more than a look-up.
 */
export class Answers {
  private readonly services = new Map<Name, NameAnswers>();
  private readonly pointers = new Map<Name, Reply>();
  private readonly others = new LRUCache<Name, NameAnswers>({ max: MAX_OTHERS });
  private readonly owned = new OwnedLeases();

  /** @param zones those with names of services; `impliedNamespaces` as in `LookupOptions` */
  constructor(
    private readonly zones: readonly Name[],
    private readonly impliedNamespaces: boolean,
  ) {}

  /** Follows the store until the returned function is called. */
  follow(store: KubeStore): () => void {
    const ends = [
      store.serviceChanges.subscribe((change) => this.serviceChanged(change)),
      store.changes.subscribe((change) => this.changed(change)),
    ];
    return () => {
      ends.forEach((end) => end());
      this.clear();
      this.owned.clear();
      this.others.clear();
    };
  }

  /** Of a service by its own name. */
  service(name: Name): NameAnswers | undefined {
    return this.services.get(name);
  }

  /** Of a port, an endpoint or a pod. */
  other(name: Name): NameAnswers | undefined {
    const known = this.others.get(name);
    return known?.leases?.ended === true ? undefined : known;
  }

  pointer(name: Name): Reply | undefined {
    return this.pointers.get(name);
  }

  keepService(name: Name, zone: Zone): NameAnswers {
    const answers = new NameAnswers(zone, new Leases());
    this.services.set(name, answers);
    return answers;
  }

  /** @param owner what the answers come from */
  keepOther(name: Name, zone: Zone, namespace: string, owner: PromiseOwner): NameAnswers {
    const answers = new NameAnswers(zone, this.owned.of(namespace, owner));
    this.others.set(name, answers);
    return answers;
  }

  /** @param reply with a lease that ends with the keeping */
  keepPointer(name: Name, reply: Reply): void {
    this.pointers.set(name, reply);
  }

  private get isEmpty(): boolean {
    return this.services.size + this.pointers.size + this.owned.size === 0;
  }

  private serviceChanged({ namespace, name, addresses }: ServiceChange): void {
    if (this.isEmpty) return;
    for (const zone of this.zones) this.dropService(below(`${name}.${namespace}.svc`, zone));
    this.owned.end(namespace, { service: name });
    for (const address of addresses) this.dropPointer(reverseName(parseIp(address)!));
  }

  private changed(change: KubeChange): void {
    if (change.kind === 'Pod')
      for (const pod of [change.old, change.new]) pod?.ips.forEach((ip) => this.owned.end(pod.namespace, { pod: ip }));
    const namespace = namespaceOf(change, this.impliedNamespaces);
    if (namespace === undefined) return;
    this.owned.endAll(namespace);
    this.clear();
  }

  /** Names of services and addresses: namespaces change too seldom to look for theirs. */
  private clear(): void {
    for (const name of this.services.keys()) this.dropService(name);
    for (const name of this.pointers.keys()) this.dropPointer(name);
  }

  private dropService(name: Name): void {
    this.services.get(name)?.leases?.end();
    this.services.delete(name);
  }

  private dropPointer(name: Name): void {
    this.pointers.get(name)?.lease?.revoke();
    this.pointers.delete(name);
  }
}

/** The namespace that this change may have made or ended, and with it all names in it. */
function namespaceOf(change: KubeChange, implied: boolean): string | undefined {
  if (change.kind === 'Namespace') return change.type === 'modified' ? undefined : (change.new ?? change.old)!.name;
  const last = implied && change.type === 'deleted' && (change.kind === 'Service' || change.kind === 'Pod');
  return last ? change.old!.namespace : undefined;
}
