/** Slots at first; a power of two. */
const FIRST = 16;

/**
 * A map from whole numbers of 32 bits to objects, for entries that come and go quickly. The language's own Map makes
 * a new table every so many deletions,
 * and each old one refers to the next: once the collector has moved one out of the young generation, all that later
 * ones held stays alive with it until
 * a full collection. This one has one table, which only grows (linear probing; deletion closes the gap).
 */
export class IntMap<T extends object> {
  private keys = new Int32Array(FIRST);
  private slots = new Array<T | undefined>(FIRST).fill(undefined);
  private mask = FIRST - 1;
  /** Leaves as many bits as the mask has. */
  private shift = 32 - Math.log2(FIRST);
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(key: number): T | undefined {
    return this.slots[this.place(key)];
  }

  has(key: number): boolean {
    return this.slots[this.place(key)] !== undefined;
  }

  set(key: number, value: T): void {
    const at = this.place(key);
    if (this.slots[at] === undefined) this.count++;
    this.keys[at] = key;
    this.slots[at] = value;
    // At most half full: runs stay short.
    if (2 * this.count > this.slots.length) this.grow();
  }

  /** False when there was none. */
  delete(key: number): boolean {
    const { keys, slots, mask } = this;
    let gap = this.place(key);
    if (slots[gap] === undefined) return false;
    this.count--;
    for (let at = (gap + 1) & mask; slots[at] !== undefined; at = (at + 1) & mask) {
      // What would be found no more past the gap moves into it.
      const home = this.home(keys[at]!);
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      keys[gap] = keys[at]!;
      slots[gap] = slots[at];
      gap = at;
    }
    slots[gap] = undefined;
    return true;
  }

  /** All that is in it now, in no particular order. */
  values(): T[] {
    return this.slots.filter((value) => value !== undefined);
  }

  clear(): void {
    this.slots.fill(undefined);
    this.count = 0;
  }

  /** Where the key is, or where it would be put. */
  private place(key: number): number {
    const { keys, slots, mask } = this;
    let at = this.home(key);
    while (slots[at] !== undefined && keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  /**
   * The upper bits of the product with 2^32 over the golden ratio: numbers that lie close together are spread (Knuth,
   * The Art of Computer Programming, section 6.4).
   */
  private home(key: number): number {
    return Math.imul(key, 0x9e3779b1) >>> this.shift;
  }

  private grow(): void {
    const { keys, slots } = this;
    const room = 2 * slots.length;
    this.mask = room - 1;
    this.shift--;
    this.keys = new Int32Array(room);
    this.slots = new Array<T | undefined>(room).fill(undefined);
    for (const [i, value] of slots.entries()) {
      if (value === undefined) continue;
      const at = this.place(keys[i]!);
      this.keys[at] = keys[i]!;
      this.slots[at] = value;
    }
  }
}
