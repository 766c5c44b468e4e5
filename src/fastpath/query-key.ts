import { Flag, HEADER_SIZE, Type } from '../wire/index.js';

/** Longest key, in bytes: a name, type, class and variant, and the network of the client. */
export const MAX_KEY = 255 + 4 + 1 + 16;

/**
 * Variants that a chain may answer or count differently: DO, CD and AD of the query, and whether it came from an IPv6
 * address.
 */
const VARIANT_DO = 1;
const VARIANT_CD = 2;
const VARIANT_AD = 4;
const VARIANT_IPV6 = 8;

/**
 * The key of a plain query: the question as it is written, and a variant. One instance is used over and over.
 * A name with capitals is another key, and none that is kept: what is spelt at random would fill the table, and some
 * answers repeat the spelling.
 * Only the common form has one: opcode QUERY, one question, no records but perhaps one OPT record of version 0
 * without options at the very end.
 */
export class QueryKey {
  readonly bytes = new Uint8Array(MAX_KEY);
  length = 0;
  hash = 0;
  questionEnd = 0;
  /** Length of the name in wire form. */
  private nameLength = 0;
  /** Offset of the OPT record, or 0. */
  opt = 0;

  /**
   * @param seed where hashes start from, 32 bits: in a server a secret of the process, so that nobody can make many
   * names share a few slots
   */
  constructor(private readonly seed = 0) {}

  /** Whether the name has capital letters. */
  get hasCapitals(): boolean {
    return this.bytes.subarray(0, this.nameLength).some((octet) => octet >= 0x41 && octet <= 0x5a);
  }

  /**
   * Reads the message of `length` octets at `at`, which came from an IPv6 address or not. False when it is not of the
   * common form.
   */
  read(message: Uint8Array, at: number, length: number, ipv6: boolean): boolean {
    if (length < HEADER_SIZE + 5) return false;
    // QR, opcode, AA, TC; counts.
    if (
      (message[at + 2]! & 0xfe) !== 0 ||
      message[at + 4] !== 0 ||
      message[at + 5] !== 1 ||
      (message[at + 6]! | message[at + 7]! | message[at + 8]! | message[at + 9]! | message[at + 10]!) !== 0
    )
      return false;
    const extra = message[at + 11]!;
    if (extra > 1) return false;
    const end = at + length;
    const key = this.bytes;
    let hash = 0x811c9dc5 ^ this.seed;
    let read = at + HEADER_SIZE;
    let write = 0;
    for (;;) {
      if (read >= end) return false;
      const label = message[read]!;
      // With the root's octet, which is all that may still follow, 255 (RFC 1035 section 2.3.4).
      if (label > 63 || (label > 0 && write + label > 253)) return false;
      const next = read + 1 + label;
      if (next > end) return false;
      while (read < next) {
        const octet = message[read++]!;
        key[write++] = octet;
        hash = Math.imul(hash ^ octet, 0x01000193);
      }
      if (label === 0) break;
    }
    if (read + 4 > end) return false;
    this.nameLength = write;
    for (let i = 0; i < 4; i++) {
      const octet = message[read++]!;
      key[write++] = octet;
      hash = Math.imul(hash ^ octet, 0x01000193);
    }
    this.questionEnd = read - at;
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
    key[write++] = variant;
    hash = Math.imul(hash ^ variant, 0x01000193);
    // FNV leaves the low bits weak for short tails; the table takes its index from them.
    hash ^= hash >>> 15;
    this.length = write;
    this.hash = hash === 0 ? 1 : hash;
    return true;
  }

  /**
   * Adds the network of the client, for answers that only clients of the same network share: the first `bits` of the
   * address of 4 or 16 bytes that begins at `at`. The version of IP is part of the variant already.
   */
  addNetwork(address: Uint8Array, at: number, bits: number): void {
    const key = this.bytes;
    let { hash, length } = this;
    for (let left = bits; left > 0; left -= 8) {
      const byte = address[at++]! & (left < 8 ? 0xff00 >> left : 0xff);
      key[length++] = byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    hash ^= hash >>> 15;
    this.length = length;
    this.hash = hash === 0 ? 1 : hash;
  }
}
