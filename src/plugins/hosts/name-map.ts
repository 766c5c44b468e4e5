import type { Name } from '../../wire/index.js';

/** Names in one map at most; a map that grows beyond is copied whole, and nobody is answered meanwhile. */
const MOST = 4096;
/** Maps that share the names beyond these: a power of two. */
const SHARDS = 512;

/**
 * Texts by name, of which there may be millions: adding one never takes long. Most names have one, which makes no list:
 * the garbage collector has to look at less.
 */
export class NameMap {
  size = 0;
  private readonly first = new Map<Name, string | string[]>();
  private shards: (Map<Name, string | string[]> | undefined)[] | undefined;

  /** In the order in which they were added; undefined where there are none. */
  get(name: Name): readonly string[] | undefined {
    const found = this.mapOf(name)?.get(name);
    return typeof found === 'string' ? [found] : found;
  }

  has(name: Name): boolean {
    return this.mapOf(name)?.has(name) === true;
  }

  add(name: Name, text: string): void {
    const map = this.mapOf(name);
    const found = map?.get(name);
    if (found === undefined) this.addFirst(name, text);
    else if (typeof found === 'string') map!.set(name, [found, text]);
    else found.push(text);
  }

  private addFirst(name: Name, text: string): void {
    this.size++;
    if (this.first.size < MOST) return void this.first.set(name, text);
    const shards = (this.shards ??= new Array<undefined>(SHARDS).fill(undefined));
    (shards[shardOf(name)] ??= new Map()).set(name, text);
  }

  /** The map that would have it. */
  private mapOf(name: Name): Map<Name, string | string[]> | undefined {
    return this.shards === undefined || this.first.has(name) ? this.first : this.shards[shardOf(name)];
  }
}

function shardOf(name: Name): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 15)) & (SHARDS - 1);
}
