import type { Seconds } from '../lib/units.js';
import { Class, Type, type Name, type Rr } from '../wire/index.js';
import { doubled, type NameNode } from './tree.js';

/** Octets before a record's data: where the next record of the name is, type, TTL, length. */
const HEAD = 12;
const [TYPE, TTL, LENGTH] = [4, 6, 10];
const FIRST_SIZE = 1 << 12;
const FIRST_NAMES = 1 << 8;
/** Room for changes: one part of so many, as a power of two. */
const SLACK = 4;

/** The records of a zone's names in one block of octets, those of a name chained in the order in which they came. */
export class ZoneRecords {
  private bytes: Buffer;
  /** 0 stands for no record. */
  private length = HEAD;
  private firsts: Uint32Array;
  private lasts: Uint32Array;
  /** Owners that are not in lower case, by record. */
  private readonly spelt = new Map<number, Name>();
  private total = 0;
  /** One more than the last node with records. */
  private names = 0;

  /** @param like those of a zone that these will probably be as many as: growing stops everything else for a while */
  constructor(like?: ZoneRecords) {
    const length = like?.length ?? 0;
    const names = like?.names ?? 0;
    this.bytes = Buffer.alloc(Math.max(FIRST_SIZE, length + (length >> SLACK)));
    let room = FIRST_NAMES;
    while (room < names) room *= 2;
    this.firsts = new Uint32Array(room);
    this.lasts = new Uint32Array(room);
  }

  get count(): number {
    return this.total;
  }

  /** Whether the name has records of its own. */
  has(node: NameNode): boolean {
    return (this.firsts[node] ?? 0) !== 0;
  }

  /** The type of the name's first record, 0 where it has none. */
  firstType(node: NameNode): number {
    const at = this.firsts[node] ?? 0;
    return at === 0 ? 0 : this.bytes.readUInt16BE(at + TYPE);
  }

  /** @param owner how the owner is spelt, where that is to be kept */
  add(node: NameNode, type: number, ttl: Seconds, data: Uint8Array, length: number, owner?: Name): void {
    if (node >= this.names) this.names = node + 1;
    while (node >= this.firsts.length) {
      this.firsts = doubled(this.firsts);
      this.lasts = doubled(this.lasts);
    }
    while (this.length + HEAD + length > this.bytes.length) {
      const larger = Buffer.alloc(this.bytes.length * 2);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    const at = this.length;
    const last = this.lasts[node]!;
    if (last === 0) this.firsts[node] = at;
    else this.bytes.writeUInt32BE(at, last);
    this.lasts[node] = at;
    this.bytes.writeUInt16BE(type, at + TYPE);
    this.bytes.writeUInt32BE(ttl, at + TTL);
    this.bytes.writeUInt16BE(length, at + LENGTH);
    for (let i = 0; i < length; i++) this.bytes[at + HEAD + i] = data[i]!;
    this.length = at + HEAD + length;
    this.total++;
    if (owner !== undefined) this.spelt.set(at, owner);
  }

  /** The records of a name and type, of the name `owner` in place of their own where that is given. */
  get(node: NameNode, type: number, own: Name, owner?: Name): Rr[] {
    const found: Rr[] = [];
    for (let at = this.firsts[node] ?? 0; at !== 0; at = this.bytes.readUInt32BE(at))
      if (this.bytes.readUInt16BE(at + TYPE) === type) found.push(this.record(at, own, owner));
    return found;
  }

  hasType(node: NameNode, type: number): boolean {
    for (let at = this.firsts[node] ?? 0; at !== 0; at = this.bytes.readUInt32BE(at))
      if (this.bytes.readUInt16BE(at + TYPE) === type) return true;
    return false;
  }

  /** The signatures over records of a type. */
  signatures(node: NameNode, covered: number, own: Name, owner?: Name): Rr[] {
    return this.get(node, Type.RRSIG, own, owner).filter(({ rdata }) => coveredType(rdata) === covered);
  }

  /** All records of a name. */
  all(node: NameNode, own: Name): Rr[] {
    const found: Rr[] = [];
    for (let at = this.firsts[node] ?? 0; at !== 0; at = this.bytes.readUInt32BE(at))
      found.push(this.record(at, own, undefined));
    return found;
  }

  /** Whether a name has the same records, in the same order and with the same TTLs, as one of another zone. */
  equals(node: NameNode, other: ZoneRecords, otherNode: NameNode): boolean {
    let [a, b] = [this.firsts[node] ?? 0, other.firsts[otherNode] ?? 0];
    for (; a !== 0 && b !== 0; a = this.bytes.readUInt32BE(a), b = other.bytes.readUInt32BE(b)) {
      const [endA, endB] = [this.end(a), other.end(b)];
      if (this.bytes.compare(other.bytes, b + TYPE, endB, a + TYPE, endA) !== 0) return false;
      if (this.spelt.get(a) !== other.spelt.get(b)) return false;
    }
    return a === b;
  }

  private end(at: number): number {
    return at + HEAD + this.bytes.readUInt16BE(at + LENGTH);
  }

  /** Gives back room that was kept for more. */
  trim(): void {
    if (this.bytes.length - this.length > this.length >> SLACK)
      this.bytes = Buffer.from(this.bytes.subarray(0, this.length));
  }

  private record(at: number, own: Name, owner: Name | undefined): Rr {
    const start = at + HEAD;
    return {
      name: owner ?? this.spelt.get(at) ?? own,
      type: this.bytes.readUInt16BE(at + TYPE),
      class: Class.IN,
      ttl: this.bytes.readUInt32BE(at + TTL),
      rdata: this.bytes.subarray(start, start + this.bytes.readUInt16BE(at + LENGTH)),
    };
  }
}

/** The type that a signature is over (RFC 4034 section 3.1). */
export const coveredType = (rdata: Uint8Array): number => (rdata[0]! << 8) | rdata[1]!;
