import type { Octets } from '../lib/units.js';
import {
  AF_INET6,
  CONTROL,
  EAGAIN,
  EINTR,
  IOVEC,
  IPPROTO_IPV6,
  MMSGHDR,
  MSG_DONTWAIT,
  SOCKADDR,
  type Libc,
} from './libc.js';

/** Third word of an IPv4 address among those of IPv6, as little-endian machines read it. */
const MAPPED = 0xffff0000;

/** Fields of `struct msghdr` by words. */
const NAME_LENGTH = 2;
const CONTROL_LENGTH = 10;
/** Length of a datagram, behind the header in `struct mmsghdr`. */
const LENGTH = 14;
const HEADER = MMSGHDR / 4;

/**
 * Words of the ancillary data (ip(7), ipv6(7)): level, then for IPv4 the interface and the own address, for IPv6 the
 * own address and the interface.
 */
const LEVEL = 2;
const DATA = 4;
const INTERFACE_BEHIND_ADDRESS = DATA + 4;

/**
 * Datagrams to receive or send with one call: their octets, addresses, ancillary data and the kernel's headers, all
 * outside the JavaScript heap.
 */
export class Batch {
  readonly bytes: Buffer;
  readonly addresses: Buffer;
  /** Where a socket of several addresses took a datagram, or where it is to be sent from; CONTROL octets each. */
  readonly controls: Buffer;
  /** What the calls take. */
  readonly pointer: unknown;
  private readonly headers: Uint32Array;
  private readonly vectors: Uint32Array;
  private readonly addressWords: Uint32Array;
  private readonly controlWords: Uint32Array;

  constructor(
    private readonly libc: Libc,
    readonly count: number,
    readonly size: Octets,
  ) {
    const bytes = libc.memory(count * size);
    const addresses = libc.memory(count * SOCKADDR);
    const controls = libc.memory(count * CONTROL);
    const vectors = libc.memory(count * IOVEC);
    const headers = libc.memory(count * MMSGHDR);
    headers.bytes.fill(0);
    for (let i = 0; i < count; i++) {
      vectors.bytes.writeBigUInt64LE(bytes.at + BigInt(i * size), i * IOVEC);
      vectors.bytes.writeBigUInt64LE(BigInt(size), i * IOVEC + 8);
      headers.bytes.writeBigUInt64LE(addresses.at + BigInt(i * SOCKADDR), i * MMSGHDR);
      headers.bytes.writeUInt32LE(SOCKADDR, i * MMSGHDR + 8);
      headers.bytes.writeBigUInt64LE(vectors.at + BigInt(i * IOVEC), i * MMSGHDR + 16);
      headers.bytes.writeBigUInt64LE(1n, i * MMSGHDR + 24);
      headers.bytes.writeBigUInt64LE(controls.at + BigInt(i * CONTROL), i * MMSGHDR + 32);
      headers.bytes.writeUInt32LE(CONTROL, i * MMSGHDR + 40);
    }
    this.bytes = bytes.bytes;
    this.addresses = addresses.bytes;
    this.controls = controls.bytes;
    this.pointer = headers.pointer;
    this.headers = words(headers.bytes);
    this.vectors = words(vectors.bytes);
    this.addressWords = words(addresses.bytes);
    this.controlWords = words(controls.bytes);
  }

  /** Length of a received datagram. */
  length(i: number): Octets {
    return this.headers[i * HEADER + LENGTH]!;
  }

  addressLength(i: number): Octets {
    return this.headers[i * HEADER + NAME_LENGTH]!;
  }

  /** Length of a received datagram's ancillary data; 0 at sockets of one address. */
  controlLength(i: number): Octets {
    return this.headers[i * HEADER + CONTROL_LENGTH]!;
  }

  /**
   * Whether a datagram came from an IPv6 address; IPv4 addresses at a socket of both families are none (RFC 4291
   * section 2.5.5.2).
   */
  fromIpv6(i: number): boolean {
    const words = this.addressWords;
    const at = i * (SOCKADDR / 4);
    if ((words[at]! & 0xffff) !== AF_INET6) return false;
    return words[at + 2] !== 0 || words[at + 3] !== 0 || words[at + 4] !== MAPPED;
  }

  /** Where in `addresses` the sender's IP address begins: 4 bytes, or 16 for one of IPv6. */
  ipOffset(i: number): Octets {
    if ((this.addressWords[i * (SOCKADDR / 4)]! & 0xffff) !== AF_INET6) return i * SOCKADDR + 4;
    return i * SOCKADDR + (this.fromIpv6(i) ? 8 : 20);
  }

  /** Makes all of address and ancillary data available to the next receive, which overwrites their lengths. */
  reset(i: number): void {
    this.headers[i * HEADER + NAME_LENGTH] = SOCKADDR;
    this.headers[i * HEADER + CONTROL_LENGTH] = CONTROL;
  }

  setLength(i: number, length: Octets): void {
    this.vectors[i * (IOVEC / 4) + 2] = length;
  }

  /** Sends datagram `i` to where datagram `j` of `received` came from, from where it came in. */
  answerTo(i: number, received: Batch, j: number): void {
    const from = j * (SOCKADDR / 4);
    const to = i * (SOCKADDR / 4);
    for (let k = 0; k < SOCKADDR / 4; k++) this.addressWords[to + k] = received.addressWords[from + k]!;
    this.headers[i * HEADER + NAME_LENGTH] = received.addressLength(j);
    const length = received.controlLength(j);
    for (let k = 0; k < length / 4; k++)
      this.controlWords[i * (CONTROL / 4) + k] = received.controlWords[j * (CONTROL / 4) + k]!;
    this.setControlLength(i, length);
  }

  /**
   * Sends the first `count` datagrams, each once, and never waits: those for which there is no room are lost.
   * `failed` is told the number of each error that was met, and how many datagrams were lost with it.
   */
  send(fd: number, count: number, failed: (errno: number, lost: number) => void): void {
    for (let left = count; left > 0;) {
      const sent = this.libc.sendmmsg(fd, this.pointer, left, MSG_DONTWAIT);
      if (sent < 0) {
        const errno = this.libc.errno();
        if (errno === EINTR) continue;
        // The buffer is the socket's: there is no room for the others either.
        if (errno === EAGAIN) return failed(errno, left);
        failed(errno, 1);
      }
      // The kernel stops before a datagram that it cannot send, as to an unreachable address. If that fails when it
      // is first, it is lost, the others are not.
      const done = Math.max(1, sent);
      left -= done;
      if (left > 0) this.shift(left, done);
    }
  }

  /** Moves `count` datagrams from place `from` on to the front. */
  private shift(count: number, from: number): void {
    this.bytes.copyWithin(0, from * this.size, (from + count) * this.size);
    this.addresses.copyWithin(0, from * SOCKADDR, (from + count) * SOCKADDR);
    this.controls.copyWithin(0, from * CONTROL, (from + count) * CONTROL);
    for (let i = 0; i < count; i++) {
      this.vectors[i * (IOVEC / 4) + 2] = this.vectors[(from + i) * (IOVEC / 4) + 2]!;
      this.headers[i * HEADER + NAME_LENGTH] = this.headers[(from + i) * HEADER + NAME_LENGTH]!;
      this.headers[i * HEADER + CONTROL_LENGTH] = this.headers[(from + i) * HEADER + CONTROL_LENGTH]!;
    }
  }

  /**
   * @param address undefined at a socket that is connected
   * @param control ancillary data of the datagram that this one answers, if it had any
   */
  setAddress(i: number, address: Uint8Array | undefined, control: Uint8Array | undefined): void {
    if (address !== undefined) this.addresses.set(address, i * SOCKADDR);
    this.headers[i * HEADER + NAME_LENGTH] = address?.length ?? 0;
    if (control !== undefined) this.controls.set(control, i * CONTROL);
    this.setControlLength(i, control?.length ?? 0);
  }

  /**
   * The way out is the routing table's business, not the interface's that the query came in at; but a link-local
   * address means nothing without one.
   */
  private setControlLength(i: number, length: Octets): void {
    this.headers[i * HEADER + CONTROL_LENGTH] = length;
    if (length === 0) return;
    const words = this.controlWords;
    const at = i * (CONTROL / 4);
    if (words[at + LEVEL] !== IPPROTO_IPV6) words[at + DATA] = 0;
    // First ten bits 1111111010 (RFC 4291 section 2.5.6), as little-endian machines read them.
    else if ((words[at + DATA]! & 0xc0ff) !== 0x80fe) words[at + INTERFACE_BEHIND_ADDRESS] = 0;
  }
}

const words = (bytes: Buffer): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
