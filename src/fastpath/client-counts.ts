/**
 * How many answers a thread gave to each client, in memory that it shares with the chain's thread, which takes the
 * counts over every second: sets of a few clients each. A client that is new takes the place of the one in its set
 * that asked least since, so those that ask much are there, however many ask little.
 */
import { avalanche } from '../lib/avalanche.js';
import type { Octets } from '../lib/units.js';

const WAYS = 8;
/** Parts of a set, in words: an address is four of them. The last one comes first: of IPv4 it says all. */
const LAST = 0;
const FIRST = WAYS;
const COUNT = 4 * WAYS;
const NXDOMAIN = 5 * WAYS;
/** Odd while the address is changed. */
const SEQUENCE = 6 * WAYS;
const SET = 7 * WAYS;
/** With as many threads as machines have, and with more. */
const SETS = 256;
const FEW_SETS = 64;
const MANY_THREADS = 4;

/** Third word of an IPv4 address among those of IPv6 (RFC 4291 section 2.5.5.2), as little-endian machines read it. */
const MAPPED = 0xffff_0000 | 0;

/** Counts of one thread's answers, by client. */
export class ClientCounts {
  private readonly words: Int32Array;
  private readonly sets: number;

  static allocate(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * SET * (threads > MANY_THREADS ? FEW_SETS : SETS));
  }

  /** @param memory as `allocate` makes it */
  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.sets = this.words.length / SET;
  }

  /** Counts an answer to the address that begins at word `at`: one word of IPv4, or four of IPv6. One thread only. */
  add(addresses: Int32Array, at: number, ipv6: boolean, nxdomain: boolean): void {
    const { words } = this;
    const a = ipv6 ? addresses[at]! : 0;
    const b = ipv6 ? addresses[at + 1]! : 0;
    const c = ipv6 ? addresses[at + 2]! : MAPPED;
    const last = addresses[ipv6 ? at + 3 : at]!;
    // Addresses of one network differ in the highest bits of their last word.
    const hash = avalanche(last ^ Math.imul(a ^ Math.imul(b ^ Math.imul(c, 0x9e37_79b1), 0x85eb_ca6b), 0xc2b2_ae35));
    const set = (hash & (this.sets - 1)) * SET;
    let least = set;
    for (let way = set; way < set + WAYS; way++) {
      if (words[way + LAST] === last && this.holds(way, a, b, c)) return this.count(way, nxdomain);
      if (words[way + COUNT]! < words[least + COUNT]!) least = way;
    }
    this.replace(least, a, b, c, last);
    this.count(least, nxdomain);
  }

  /**
   * Hands over what was counted since the last call, with the address in 16 bytes. What is counted for a client that
   * leaves at the same moment is left out.
   */
  take(visit: (address: Uint8Array, count: number, nxdomain: number) => void): void {
    const { words } = this;
    const address = new Int32Array(4);
    const bytes = new Uint8Array(address.buffer);
    for (let set = 0; set < words.length; set += SET) {
      for (let way = set; way < set + WAYS; way++) {
        if (words[way + COUNT] === 0) continue;
        const sequence = Atomics.load(words, way + SEQUENCE);
        for (let i = 0; i < 3; i++) address[i] = words[way + FIRST + i * WAYS]!;
        address[3] = words[way + LAST]!;
        const count = Atomics.exchange(words, way + COUNT, 0);
        const nxdomain = Atomics.exchange(words, way + NXDOMAIN, 0);
        if ((sequence & 1) === 0 && Atomics.load(words, way + SEQUENCE) === sequence) visit(bytes, count, nxdomain);
      }
    }
  }

  /** Memory of one thread. */
  get size(): Octets {
    return this.words.byteLength;
  }

  private holds(way: number, a: number, b: number, c: number): boolean {
    const { words } = this;
    return words[way + FIRST] === a && words[way + FIRST + WAYS] === b && words[way + FIRST + 2 * WAYS] === c;
  }

  private count(way: number, nxdomain: boolean): void {
    Atomics.add(this.words, way + COUNT, 1);
    if (nxdomain) Atomics.add(this.words, way + NXDOMAIN, 1);
  }

  private replace(way: number, a: number, b: number, c: number, last: number): void {
    const { words } = this;
    Atomics.add(words, way + SEQUENCE, 1);
    Atomics.store(words, way + COUNT, 0);
    Atomics.store(words, way + NXDOMAIN, 0);
    words[way + FIRST] = a;
    words[way + FIRST + WAYS] = b;
    words[way + FIRST + 2 * WAYS] = c;
    words[way + LAST] = last;
    Atomics.add(words, way + SEQUENCE, 1);
  }
}
