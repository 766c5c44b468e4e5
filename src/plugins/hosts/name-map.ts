import { fnv1a } from '../../lib/fnv1a.js';
import type { Name } from '../../wire/index.js';
import { TextTable } from './text-table.js';

/** Names in the first map at most; a map that grows beyond is copied whole, and nobody is answered meanwhile. */
const MOST = 4096;
/** Tables that share the names beyond these: a power of two. */
const TABLES = 512;

/**
 * Texts by name, of which there may be millions: adding one never takes long, and those beyond the first thousands are
 * nothing that the garbage collector looks at.
 */
export class NameMap {
  size = 0;
  private readonly first = new Map<Name, string | string[]>();
  private tables: (TextTable | undefined)[] | undefined;

  /** In the order in which they were added; undefined where there are none. */
  get(name: Name): readonly string[] | undefined {
    const found = this.first.get(name);
    if (found !== undefined) return typeof found === 'string' ? [found] : found;
    if (this.tables === undefined) return undefined;
    const hash = fnv1a(name);
    return this.tables[hash & (TABLES - 1)]?.get(name, hash);
  }

  has(name: Name): boolean {
    if (this.first.has(name)) return true;
    if (this.tables === undefined) return false;
    const hash = fnv1a(name);
    return this.tables[hash & (TABLES - 1)]?.has(name, hash) === true;
  }

  add(name: Name, text: string): void {
    const { first } = this;
    const found = first.get(name);
    if (typeof found === 'string') first.set(name, [found, text]);
    else if (found !== undefined) found.push(text);
    else if (first.size < MOST) {
      this.size++;
      first.set(name, text);
    } else this.addBeyond(name, text);
  }

  private addBeyond(name: Name, text: string): void {
    const hash = fnv1a(name);
    const tables = (this.tables ??= new Array<undefined>(TABLES).fill(undefined));
    if ((tables[hash & (TABLES - 1)] ??= new TextTable()).add(name, hash, text)) this.size++;
  }
}
