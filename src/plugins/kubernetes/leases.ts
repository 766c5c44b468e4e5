import { ReplyLease } from '../../chain/index.js';

/** Of records that show nothing of the question but its name as their owner: they are right in every spelling. */
class SpellingLease extends ReplyLease {
  override get everySpelling(): boolean {
    return true;
  }
}

/** What is promised of all answers that were made from the same objects: they stay right until one of those changes. */
export class Leases {
  private ofAddresses: ReplyLease | undefined;
  private ofNames: ReplyLease | undefined;
  private over = false;

  /** For addresses and pointers: they depend on the question's name in lower case only. */
  get addresses(): ReplyLease {
    return (this.ofAddresses ??= new SpellingLease(Infinity));
  }

  /** For records with names below the zone in them, which repeat how the question spells the zone. */
  get names(): ReplyLease {
    return (this.ofNames ??= new ReplyLease(Infinity));
  }

  get ended(): boolean {
    return this.over;
  }

  end(): void {
    this.over = true;
    this.ofAddresses?.revoke();
    this.ofNames?.revoke();
  }
}

/** Of what the names of a namespace come from, beside services asked for by their own names. */
export type PromiseOwner = { readonly service: string } | { readonly pod: string } | 'namespace';

/** No service has a name with a space. */
const keyOf = (owner: PromiseOwner): string =>
  owner === 'namespace' ? ' ' : 'pod' in owner ? ` ${owner.pod}` : owner.service;

/**
 * One promise for all names of a port, an endpoint or a pod that come from the same object. There are no more of them
 * than objects, however many names clients think up: so what was promised holds though the name is not kept.
 */
export class OwnedLeases {
  private readonly namespaces = new Map<string, Map<string, Leases>>();

  /** Number of namespaces with something promised. */
  get size(): number {
    return this.namespaces.size;
  }

  of(namespace: string, owner: PromiseOwner): Leases {
    let owners = this.namespaces.get(namespace);
    if (owners === undefined) this.namespaces.set(namespace, (owners = new Map<string, Leases>()));
    const key = keyOf(owner);
    let leases = owners.get(key);
    if (leases === undefined) owners.set(key, (leases = new Leases()));
    return leases;
  }

  /** The object has changed. */
  end(namespace: string, owner: PromiseOwner): void {
    const owners = this.namespaces.get(namespace);
    const key = keyOf(owner);
    owners?.get(key)?.end();
    if (owners?.delete(key) === true && owners.size === 0) this.namespaces.delete(namespace);
  }

  /** The namespace came or went, and with it all that is in it. */
  endAll(namespace: string): void {
    for (const leases of this.namespaces.get(namespace)?.values() ?? []) leases.end();
    this.namespaces.delete(namespace);
  }

  clear(): void {
    for (const namespace of this.namespaces.keys()) this.endAll(namespace);
  }
}
