import type { Name } from '../wire/index.js';
import { nextLabel } from '../wire/index.js';

/** A set of zones, asked by longest match. Zones are lower-case with closing dot. */
export class Zones {
  private readonly set: ReadonlySet<Name>;
  private readonly root: boolean;

  constructor(readonly list: readonly Name[]) {
    this.set = new Set(list);
    this.root = this.set.has('.');
  }

  /** The most specific zone that `name` (lower-case) is in; undefined when there is none. */
  match(name: Name): Name | undefined {
    if (this.set.size === 1 && this.root) return '.';
    for (let offset = 0; offset >= 0 && offset < name.length; offset = nextLabel(name, offset)) {
      const zone = offset === 0 ? name : name.slice(offset);
      if (this.set.has(zone)) return zone;
    }
    return this.root ? '.' : undefined;
  }

  contains(name: Name): boolean {
    return this.match(name) !== undefined;
  }
}
