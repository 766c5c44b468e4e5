import type { Zones } from '../../chain/index.js';
import {
  Type,
  isSubdomain,
  labels,
  nextLabel,
  readLowerName,
  type EncodedRecords,
  type Name,
} from '../../wire/index.js';
import type { CacheEntry } from './entry.js';
import { typeBefore } from './record-fields.js';

/** Labels below a zone by which entries are found: as many as the name of a service has (`web.default.svc`). */
const SERVICE = 3;
/** Labels of a whole reverse name. */
const REVERSE = [
  { below: 'in-addr.arpa.', labels: 6 },
  { below: 'ip6.arpa.', labels: 34 },
];

/** Finds the entries that a changed name concerns, in zones whose changes are told of. */
export class Dependents {
  private readonly byKey = new Map<Name, Set<CacheEntry>>();
  /** Most labels that keys have, by zone. */
  private readonly depths: ReadonlyMap<Name, number>;

  constructor(readonly zones: Zones) {
    this.depths = new Map(zones.list.map((zone) => [zone, depthOf(zone)]));
  }

  add(entry: CacheEntry): void {
    for (const key of this.keysOf(entry)) {
      const known = this.byKey.get(key);
      if (known === undefined) this.byKey.set(key, new Set([entry]));
      else known.add(entry);
    }
  }

  remove(entry: CacheEntry): void {
    for (const key of this.keysOf(entry)) {
      const known = this.byKey.get(key);
      known?.delete(entry);
      if (known?.size === 0) this.byKey.delete(key);
    }
  }

  /** Entries of the name and of all below it, and those whose aliases lead there. */
  of(changed: Name): CacheEntry[] {
    const found = new Set<CacheEntry>();
    for (const key of this.keysBelow(changed))
      for (const entry of this.byKey.get(key) ?? [])
        if (namesOf(entry.name, entry.records).some((name) => isSubdomain(changed, name))) found.add(entry);
    return [...found];
  }

  /** Those of all entries at and below a name: one, unless it is further up than keys reach. */
  private keysBelow(name: Name): Name[] {
    const zone = this.zones.match(name);
    const deep = zone !== undefined && labels(name).length >= this.depths.get(zone)!;
    if (deep && !this.zones.list.some((other) => other !== zone && isSubdomain(name, other)))
      return [this.keyOf(name)!];
    return [...this.byKey.keys()].filter((key) => isSubdomain(name, key));
  }

  private *keysOf(entry: CacheEntry): Generator<Name> {
    for (const name of namesOf(entry.name, entry.records)) {
      const key = this.keyOf(name);
      if (key !== undefined) yield key;
    }
  }

  /** The end of the name that has no more labels than keys have; undefined outside the zones. */
  private keyOf(name: Name): Name | undefined {
    const zone = this.zones.match(name);
    if (zone === undefined) return undefined;
    let from = 0;
    for (let more = labels(name).length - this.depths.get(zone)!; more > 0; more--) from = nextLabel(name, from);
    return name.slice(from);
  }
}

const depthOf = (zone: Name): number =>
  REVERSE.find(({ below }) => isSubdomain(below, zone))?.labels ?? labels(zone).length + SERVICE;

/** From a record's TTL field on to its data (RFC 1035 section 4.1.3). */
const DATA = 6;

/** The name that was asked for, and those that its aliases lead to, in lower case. */
export function namesOf(qname: Name, { bytes, ttls, answers }: EncodedRecords): Name[] {
  const names = [qname];
  for (let i = 0; i < answers; i++) {
    const at = ttls[i]!;
    if (typeBefore(bytes, at) === Type.CNAME) names.push(readLowerName(bytes, at + DATA));
  }
  return names;
}
