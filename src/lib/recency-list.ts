/** An item of a RecencyList, which alone writes these fields; an item is in one list at a time. */
export interface Listed<Item> {
  older: Item | undefined;
  newer: Item | undefined;
  /** Whether it is in a list. */
  listed: boolean;
}

/**
 * Items in the order of their last use. The list is made of the items themselves: an empty one takes no memory, and no
 * item takes more than its own fields.
 */
export class RecencyList<Item extends Listed<Item>> {
  private newest: Item | undefined;
  /** The item that was not used for the longest time. */
  oldest: Item | undefined;
  size = 0;

  /** Puts an item that is in no list at the newest end. */
  add(item: Item): void {
    item.older = this.newest;
    item.listed = true;
    if (this.newest) this.newest.newer = item;
    else this.oldest = item;
    this.newest = item;
    this.size++;
  }

  /** Moves an item to the newest end; one that is in no list stays out. */
  touch(item: Item): void {
    if (item === this.newest || !item.listed) return;
    this.remove(item);
    this.add(item);
  }

  /** Takes an item out; one that is in no list stays out. */
  remove(item: Item): void {
    if (!item.listed) return;
    const { older, newer } = item;
    if (older) older.newer = newer;
    else this.oldest = newer;
    if (newer) newer.older = older;
    else this.newest = older;
    item.older = undefined;
    item.newer = undefined;
    item.listed = false;
    this.size--;
  }

  /** From the oldest to the newest. */
  *[Symbol.iterator](): Generator<Item> {
    for (let item = this.oldest; item; item = item.newer) yield item;
  }
}
