import { Flag, HEADER_SIZE, Type } from '../wire/index.js';
import { HASH_TAIL, hashWords } from './key-hash.js';
import { KEY_HEAD as HEAD, VARIANT_DO, padded } from './table-layout.js';

/** Longest key, in bytes: what stands before the name, a name with its padding, and the network of the client. */
export const MAX_KEY = HEAD + 256 + 16;

/**
 * Variants that a chain may answer or count differently: DO, CD and AD of the query, and whether it came from an IPv6
 * address.
 */
const VARIANT_CD = 2;
const VARIANT_AD = 4;
const VARIANT_IPV6 = 8;

/** Bytes with capital letters made small. No other byte of a name is changed: lengths of labels are below letters. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

/**
 * The key of a plain query: what is asked, where, and a variant. One instance is used over and over. The name is in
 * lower case; `hasCapitals` says whether it was spelt so.
 * Only the common form has one: opcode QUERY, one question, no records but perhaps one OPT record of version 0
 * without options at the very end.
 */
export class QueryKey {
  private readonly memory = new ArrayBuffer(MAX_KEY + 4 * HASH_TAIL);
  readonly bytes = new Uint8Array(this.memory);
  readonly words = new Int32Array(this.memory);
  /** Length in bytes, a multiple of eight. */
  length = 0;
  hash = 0;
  questionEnd = 0;
  /** Whether the name has capital letters. */
  hasCapitals = false;
  /** Offset of the OPT record, or 0. */
  opt = 0;
  /** Of the name in wire form, in bytes. */
  private nameLength = 0;

  /**
   * @param seed key of the hash, two numbers of 32 bits: in a server a secret of the process, so that nobody can make
   * many names share a place
   */
  constructor(private readonly seed: readonly [number, number] = [0, 0]) {}

  /** The name in wire form and lower case. */
  get name(): Uint8Array {
    return this.bytes.subarray(HEAD, HEAD + this.nameLength);
  }

  /**
   * Reads the message of `length` bytes at `at`, which came to listening address number `server`, from an IPv6 address
   * or not. False when it is not of the common form.
   */
  read(message: Uint8Array, at: number, length: number, ipv6: boolean, server = 0): boolean {
    if (
      length < HEADER_SIZE + 5 ||
      // Anything set but RD; in the next word's high byte only AD, CD and what is reserved are anybody's choice.
      (message[at + 2]! & 0xfe) !== 0 ||
      message[at + 4] !== 0 ||
      message[at + 5] !== 1 ||
      (message[at + 6]! | message[at + 7]! | message[at + 8]! | message[at + 9]! | message[at + 10]!) !== 0
    )
      return false;
    const extra = message[at + 11]!;
    if (extra > 1) return false;
    const end = at + length;
    let read = this.readName(message, at + HEADER_SIZE, end);
    if (read < 0 || read + 4 > end) return false;
    this.questionEnd = read + 4 - at;
    const key = this.bytes;
    key[0] = message[read++]!;
    key[1] = message[read++]!;
    key[2] = message[read++]!;
    key[3] = message[read++]!;
    this.opt = 0;
    let variant = message[at + 3]! & Flag.CD ? VARIANT_CD : 0;
    if (message[at + 3]! & Flag.AD) variant |= VARIANT_AD;
    if (ipv6) variant |= VARIANT_IPV6;
    if (extra === 1) {
      if (
        read + 11 !== end ||
        message[read] !== 0 ||
        message[read + 1] !== 0 ||
        message[read + 2] !== Type.OPT ||
        message[read + 6] !== 0 ||
        (message[read + 9]! | message[read + 10]!) !== 0
      )
        return false;
      this.opt = read - at;
      if (message[read + 7]! & 0x80) variant |= VARIANT_DO;
    } else if (read !== end) return false;
    this.words[1] = variant | (this.nameLength << 8) | (server << 16);
    this.hash = hashWords(this.words, this.length >> 2, this.seed[0], this.seed[1]);
    return true;
  }

  /**
   * Adds the network of the client, for answers that only clients of the same network share: the first `bits` of the
   * address of 4 or 16 bytes that begins at `at`. The version of IP is part of the variant already.
   */
  addNetwork(address: Uint8Array, at: number, bits: number): void {
    const key = this.bytes;
    let { length } = this;
    for (let left = bits; left > 0; left -= 8) key[length++] = address[at++]! & (left < 8 ? 0xff00 >> left : 0xff);
    this.pad(length);
    this.hash = hashWords(this.words, this.length >> 2, this.seed[0], this.seed[1]);
  }

  /** Reads the name at `read`, in lower case; the offset behind it, or -1 where it is none. */
  private readName(message: Uint8Array, read: number, end: number): number {
    const key = this.bytes;
    let write = HEAD;
    let changed = 0;
    for (;;) {
      if (read >= end) return -1;
      const label = message[read]!;
      // With the root's byte, which is all that may still follow, 255 (RFC 1035 section 2.3.4).
      if (label > 63 || (label > 0 && write + label > HEAD + 253)) return -1;
      const next = read + 1 + label;
      if (next > end) return -1;
      while (read < next) {
        const byte = message[read++]!;
        const lower = LOWER[byte]!;
        changed |= byte ^ lower;
        key[write++] = lower;
      }
      if (label === 0) break;
    }
    this.hasCapitals = changed !== 0;
    this.nameLength = write - HEAD;
    this.pad(write);
    return read;
  }

  private pad(length: number): void {
    this.length = padded(length);
    while (length < this.length) this.bytes[length++] = 0;
  }
}
