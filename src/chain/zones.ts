import { isSubdomain, nextLabel, type Name } from '../wire/index.js';

/** Up to this many zones, comparing each one's tail is quicker than cutting the name at every dot and looking it up. */
const FEW = 8;

/** A set of zones, asked by longest match. Zones are lower-case with closing dot. */
export class Zones {
  private readonly set: ReadonlySet<Name>;
  /** Without the root, longest first: the first that a name is in is the most specific one. */
  private readonly below: readonly Name[];
  private readonly root: boolean;

  constructor(readonly list: readonly Name[]) {
    this.set = new Set(list);
    this.root = this.set.has('.');
    this.below = [...this.set].filter((zone) => zone !== '.').sort((a, b) => b.length - a.length);
  }

  /** The most specific zone that `name` (lower-case) is in; undefined when there is none. */
  match(name: Name): Name | undefined {
    const found = this.below.length <= FEW ? this.byTail(name) : this.byLabel(name);
    return found ?? (this.root ? '.' : undefined);
  }

  contains(name: Name): boolean {
    return this.root || this.match(name) !== undefined;
  }

  private byTail(name: Name): Name | undefined {
    for (const zone of this.below) if (isSubdomain(zone, name)) return zone;
    return undefined;
  }

  private byLabel(name: Name): Name | undefined {
    for (let offset = 0; offset >= 0; offset = nextLabel(name, offset)) {
      const zone = offset === 0 ? name : name.slice(offset);
      if (this.set.has(zone)) return zone;
    }
    return undefined;
  }
}
