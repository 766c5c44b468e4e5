import { LRUCache } from 'lru-cache';
import { ReplyLease, type Reply } from '../../chain/index.js';
import type { KubeChange, ServiceChange } from '../../kube/store/change.js';
import type { KubeStore } from '../../kube/store/store.js';
import { parseIp } from '../../lib/cidr.js';
import { reverseName, type Name } from '../../wire/index.js';
import type { Zone } from './zone.js';
import { below } from './name.js';

/**
 * Names that are kept beside those of services: ports, endpoints and pods. Of some of them clients can think up any
 * number.
 */
const MAX_OTHERS = 16_384;

/** A reply, or that there is nothing of the type: what the zone says to that serves all names. */
export type Kept = Reply | 'no-data';

/** What is known of a name that exists. All types but these three have no data. */
export class NameAnswers {
  a: Kept | undefined;
  aaaa: Kept | undefined;
  srv: Kept | undefined;
  private promised: ReplyLease | undefined;

  /** @param kept whether somebody ends its leases when they are over; there are none otherwise */
  constructor(
    readonly zone: Zone,
    private readonly kept = true,
  ) {}

  /** How long replies of this name stay right: as long as it is kept. */
  get lease(): ReplyLease | undefined {
    if (!this.kept) return undefined;
    return (this.promised ??= new ReplyLease(Infinity));
  }

  /** An object behind it has changed, or it is no longer kept. */
  end(): void {
    this.promised?.revoke();
  }
}

/** Answers of a name that clients may have thought up, and what they come from. */
interface Other {
  readonly answers: NameAnswers;
  readonly owner: string;
}

export const serviceOwner = (namespace: string, service: string): string => `${namespace}/${service}`;
export const podOwner = (ip: string): string => `pod ${ip}`;

/**
 * Encoded answers by name, each kept until one of the objects it was made from changes. Names of services and
 * addresses are as many as there are objects;
 * other names are kept up to a bound, those used last. Names that do not exist are not kept at all: to find that out
 * costs no more than a look-up.
 */
export class Answers {
  private readonly services = new Map<Name, NameAnswers>();
  private readonly pointers = new Map<Name, Reply>();
  private readonly others = new LRUCache<Name, Other>({
    max: MAX_OTHERS,
    dispose: ({ answers, owner }, name) => this.disown(answers, owner, name),
  });
  private readonly othersOf = new Map<string, Set<Name>>();

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
    };
  }

  /** Of a service by its own name. */
  service(name: Name): NameAnswers | undefined {
    return this.services.get(name);
  }

  /** Of a port, an endpoint or a pod. */
  other(name: Name): NameAnswers | undefined {
    return this.others.get(name)?.answers;
  }

  pointer(name: Name): Reply | undefined {
    return this.pointers.get(name);
  }

  keepService(name: Name, answers: NameAnswers): void {
    this.services.set(name, answers);
  }

  /** @param owner what the answers come from, see {@link serviceOwner} and {@link podOwner} */
  keepOther(name: Name, answers: NameAnswers, owner: string): void {
    this.others.set(name, { answers, owner });
    const names = this.othersOf.get(owner);
    if (names) names.add(name);
    else this.othersOf.set(owner, new Set([name]));
  }

  /** @param reply with a lease that ends with the keeping */
  keepPointer(name: Name, reply: Reply): void {
    this.pointers.set(name, reply);
  }

  /** Number of names with something kept. */
  get size(): number {
    return this.services.size + this.pointers.size + this.others.size;
  }

  private serviceChanged({ namespace, name, addresses }: ServiceChange): void {
    if (this.size === 0) return;
    for (const zone of this.zones) this.dropService(below(`${name}.${namespace}.svc`, zone));
    this.drop(serviceOwner(namespace, name));
    for (const address of addresses) this.dropPointer(reverseName(parseIp(address)!));
  }

  private changed(change: KubeChange): void {
    if (change.kind === 'Pod')
      for (const pod of [change.old, change.new]) pod?.ips.forEach((ip) => this.drop(podOwner(ip)));
    // Whether a namespace is there decides about all names in it. That changes too seldom to look for them.
    const last =
      this.impliedNamespaces && change.type === 'deleted' && (change.kind === 'Service' || change.kind === 'Pod');
    if ((change.kind === 'Namespace' && change.type !== 'modified') || last) this.clear();
  }

  private clear(): void {
    if (this.size === 0) return;
    for (const name of this.services.keys()) this.dropService(name);
    for (const name of this.pointers.keys()) this.dropPointer(name);
    this.others.clear();
  }

  private dropService(name: Name): void {
    this.services.get(name)?.end();
    this.services.delete(name);
  }

  private dropPointer(name: Name): void {
    this.pointers.get(name)?.lease?.revoke();
    this.pointers.delete(name);
  }

  private drop(owner: string): void {
    for (const name of this.othersOf.get(owner) ?? []) this.others.delete(name);
  }

  private disown(answers: NameAnswers, owner: string, name: Name): void {
    answers.end();
    const names = this.othersOf.get(owner);
    names?.delete(name);
    if (names?.size === 0) this.othersOf.delete(owner);
  }
}
