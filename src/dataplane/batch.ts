import type { Octets } from '../lib/units.js';
import { AF_INET6, EINTR, IOVEC, MMSGHDR, SOCKADDR, type Libc } from './libc.js';

/** Third word of an IPv4 address among those of IPv6, as little-endian machines read it. */
const MAPPED = 0xffff0000;

/** Datagrams to receive or send with one call: their octets, addresses and the kernel's headers, all outside the JavaScript heap. */
export class Batch {
  readonly bytes: Buffer;
  readonly addresses: Buffer;
  /** What the calls take. */
  readonly pointer: unknown;
  private readonly headers: Uint32Array;
  private readonly vectors: Uint32Array;
  private readonly addressWords: Uint32Array;

  constructor(private readonly libc: Libc, readonly count: number, readonly size: Octets) {
    const bytes = libc.memory(count * size);
    const addresses = libc.memory(count * SOCKADDR);
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
    }
    this.bytes = bytes.bytes;
    this.addresses = addresses.bytes;
    this.pointer = headers.pointer;
    this.headers = words(headers.bytes);
    this.vectors = words(vectors.bytes);
    this.addressWords = words(addresses.bytes);
  }

  /** Length of a received datagram. */
  length(i: number): Octets {
    return this.headers[i * (MMSGHDR / 4) + 14]!;
  }

  addressLength(i: number): Octets {
    return this.headers[i * (MMSGHDR / 4) + 2]!;
  }

  /** Whether a datagram came from an IPv6 address; IPv4 addresses at a socket of both families are none (RFC 4291 section 2.5.5.2). */
  fromIpv6(i: number): boolean {
    const words = this.addressWords;
    const at = i * (SOCKADDR / 4);
    if ((words[at]! & 0xffff) !== AF_INET6) return false;
    return words[at + 2] !== 0 || words[at + 3] !== 0 || words[at + 4] !== MAPPED;
  }

  /** Makes the whole address field available to the next receive, which overwrites its length. */
  reset(i: number): void {
    this.headers[i * (MMSGHDR / 4) + 2] = SOCKADDR;
  }

  setLength(i: number, length: Octets): void {
    this.vectors[i * (IOVEC / 4) + 2] = length;
  }

  /** Sends datagram `i` to where datagram `j` of `received` came from. */
  answerTo(i: number, received: Batch, j: number): void {
    const from = j * (SOCKADDR / 4);
    const to = i * (SOCKADDR / 4);
    for (let k = 0; k < SOCKADDR / 4; k++) this.addressWords[to + k] = received.addressWords[from + k]!;
    this.headers[i * (MMSGHDR / 4) + 2] = received.headers[j * (MMSGHDR / 4) + 2]!;
  }

  /** Sends the first `count` datagrams, each once. `failed` is told the number of each error that was met. */
  send(fd: number, count: number, failed?: (errno: number) => void): void {
    for (let left = count; left > 0;) {
      const sent = this.libc.sendmmsg(fd, this.pointer, left, 0);
      if (sent < 0) {
        const errno = this.libc.errno();
        if (errno === EINTR) continue;
        failed?.(errno);
      }
      // The kernel stops before a datagram that it cannot send, as to an unreachable address. If that fails when it is first, it is lost, the others are not.
      const done = Math.max(1, sent);
      left -= done;
      if (left > 0) this.shift(left, done);
    }
  }

  /** Moves `count` datagrams from place `from` on to the front. */
  private shift(count: number, from: number): void {
    this.bytes.copyWithin(0, from * this.size, (from + count) * this.size);
    this.addresses.copyWithin(0, from * SOCKADDR, (from + count) * SOCKADDR);
    for (let i = 0; i < count; i++) {
      this.vectors[i * (IOVEC / 4) + 2] = this.vectors[(from + i) * (IOVEC / 4) + 2]!;
      this.headers[i * (MMSGHDR / 4) + 2] = this.headers[(from + i) * (MMSGHDR / 4) + 2]!;
    }
  }

  /** @param address undefined at a socket that is connected */
  setAddress(i: number, address: Uint8Array | undefined): void {
    if (address !== undefined) this.addresses.set(address, i * SOCKADDR);
    this.headers[i * (MMSGHDR / 4) + 2] = address?.length ?? 0;
  }
}

const words = (bytes: Buffer): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
