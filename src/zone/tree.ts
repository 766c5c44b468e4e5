import { MAX_LABEL, presentName, type Name } from '../wire/index.js';
import type { NamePath } from './name-path.js';

/** A name of the tree: 0 is the root. */
export type NameNode = number;

export const NONE = -1;

const ROOT: NameNode = 0;
/** Names that are kept before the tree grows. */
const FIRST_SIZE = 256;

/**
 * Names as a tree of labels in lower case, in arrays of numbers: a million take 30 MB and nothing for the collector of
 * garbage to look at. Names between others are there too (empty non-terminals, RFC 8499 section 7).
 */
export class Tree {
  private labels: Uint8Array;
  private labelsLength = 1;
  /** By node: its parent, where its label starts, and how many labels lie right under it. */
  private parents: Int32Array;
  private labelAt: Uint32Array;
  private below: Uint32Array;
  /** Open addressing: a node, or 0 for a free place, as no label leads to the root. */
  private slots: Int32Array;
  private count = 1;

  /** @param like a tree that this one will probably be as large as: growing stops everything else for a while */
  constructor(like?: Tree) {
    let room = FIRST_SIZE;
    while (like !== undefined && room < like.count) room *= 2;
    this.labels = new Uint8Array(Math.max(FIRST_SIZE * 8, (like?.labelsLength ?? 0) + MAX_LABEL));
    this.parents = new Int32Array(room);
    this.labelAt = new Uint32Array(room);
    this.below = new Uint32Array(room);
    this.slots = new Int32Array(room * 2);
    this.parents[ROOT] = NONE;
  }

  /** Names, those between others included. */
  get size(): number {
    return this.count;
  }

  /** Whether names lie under the node. */
  hasBelow(node: NameNode): boolean {
    return this.below[node]! > 0;
  }

  parent(node: NameNode): NameNode {
    return this.parents[node]!;
  }

  /** The node of one more label; NONE where there is none. `at` is the offset of the label's length octet. */
  child(parent: NameNode, bytes: Uint8Array, at: number): NameNode {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let place = hash(parent, bytes, at) & mask; ; place = (place + 1) & mask) {
      const node = slots[place]!;
      if (node === 0) return NONE;
      if (this.parents[node] === parent && this.sameLabel(node, bytes, at)) return node;
    }
  }

  /** The node of a name; NONE where there is none. */
  find(path: NamePath): NameNode {
    let node = ROOT;
    for (let i = 0; i < path.count && node !== NONE; i++) node = this.child(node, path.bytes, path.label(i));
    return node;
  }

  /** The node of a name, made with all those above it where it is new. */
  ensure(path: NamePath): NameNode {
    let node = ROOT;
    for (let i = 0; i < path.count; i++) {
      const at = path.label(i);
      const child = this.child(node, path.bytes, at);
      node = child === NONE ? this.add(node, path.bytes, at) : child;
    }
    return node;
  }

  name(node: NameNode): Name {
    const wire = new Uint8Array(256);
    return presentName(wire, 0, this.writeName(node, wire, 0));
  }

  /** Writes the node's name in wire form at `at` and returns the offset after it. */
  writeName(node: NameNode, target: Uint8Array, at: number): number {
    let write = at;
    for (let next = node; next !== ROOT; next = this.parents[next]!) {
      const start = this.labelAt[next]!;
      for (let i = 0; i <= this.labels[start]!; i++) target[write++] = this.labels[start + i]!;
    }
    target[write++] = 0;
    return write;
  }

  /** Labels between the root and the node, that of the node last. */
  private line(node: NameNode): NameNode[] {
    const line: NameNode[] = [];
    for (let next = node; next !== ROOT; next = this.parents[next]!) line.push(next);
    return line.reverse();
  }

  /** The canonical order of names (RFC 4034 section 6.1): below 0 where `a` stands first. */
  compare(a: NameNode, b: NameNode): number {
    if (this.parents[a] === this.parents[b]) return a === b ? 0 : this.compareLabels(a, b);
    const [first, second] = [this.line(a), this.line(b)];
    for (let i = 0; i < first.length && i < second.length; i++)
      if (first[i] !== second[i]) return this.compareLabels(first[i]!, second[i]!);
    return first.length - second.length;
  }

  /** The same for a name that need not be in the tree. */
  comparePath(path: NamePath, node: NameNode): number {
    const line = this.line(node);
    for (let i = 0; i < path.count && i < line.length; i++) {
      const order = compareOctets(path.bytes, path.label(i), this.labels, this.labelAt[line[i]!]!);
      if (order !== 0) return order;
    }
    return path.count - line.length;
  }

  private compareLabels(a: NameNode, b: NameNode): number {
    return compareOctets(this.labels, this.labelAt[a]!, this.labels, this.labelAt[b]!);
  }

  private sameLabel(node: NameNode, bytes: Uint8Array, at: number): boolean {
    const { labels } = this;
    const start = this.labelAt[node]!;
    for (let i = bytes[at]!; i >= 0; i--) if (labels[start + i] !== bytes[at + i]) return false;
    return true;
  }

  private add(parent: NameNode, bytes: Uint8Array, at: number): NameNode {
    if (this.count === this.parents.length) this.grow();
    const length = bytes[at]! + 1;
    if (this.labelsLength + length > this.labels.length) this.labels = doubled(this.labels);
    for (let i = 0; i < length; i++) this.labels[this.labelsLength + i] = bytes[at + i]!;
    const node = this.count++;
    this.parents[node] = parent;
    this.labelAt[node] = this.labelsLength;
    this.labelsLength += length;
    this.below[parent]!++;
    this.place(node);
    return node;
  }

  private place(node: NameNode): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let place = hash(this.parents[node]!, this.labels, this.labelAt[node]!) & mask;
    while (slots[place] !== 0) place = (place + 1) & mask;
    slots[place] = node;
  }

  private grow(): void {
    this.parents = doubled(this.parents);
    this.labelAt = doubled(this.labelAt);
    this.below = doubled(this.below);
    this.slots = new Int32Array(this.parents.length * 2);
    for (let node = 1; node < this.count; node++) this.place(node);
  }
}

function hash(parent: NameNode, bytes: Uint8Array, at: number): number {
  let value = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b);
  for (let i = 0; i <= bytes[at]!; i++) value = Math.imul(value ^ bytes[at + i]!, 0x01000193);
  value ^= value >>> 15;
  return Math.imul(value, 0x2c1b3c6d) >>> 4;
}

function compareOctets(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const length = Math.min(a[aAt]!, b[bAt]!);
  for (let i = 1; i <= length; i++) {
    const order = a[aAt + i]! - b[bAt + i]!;
    if (order !== 0) return order;
  }
  return a[aAt]! - b[bAt]!;
}

/** The same numbers in twice the room. */
export function doubled<Numbers extends Uint8Array | Uint32Array | Int32Array>(numbers: Numbers): Numbers {
  const larger = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
