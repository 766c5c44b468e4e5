import { getSystemErrorName } from 'node:util';
import type Koffi from 'koffi';
import { loadPackage } from '../lib/package.js';
import type { Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';

/**
 * Calls of the C library that Node has no door to. Numbers are those of Linux on all its 64-bit platforms that Node
 * runs on.
 */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  close(fd: number): number;
  poll(fds: unknown, count: number, timeout: number): number;
  recvmmsg(fd: number, messages: unknown, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: unknown, count: number, flags: number): number;
  /** errno of the last call. */
  errno(): number;
  /**
   * `size` octets outside the JavaScript heap that never move, seen as a buffer; `at` is their address, `pointer`
   * what calls take.
   */
  memory(size: number): Memory;
  /** Gives the system back what of these bytes it can have, whole pages: they are 0 from now on, the others stay. */
  release(bytes: Uint8Array): void;
  /** Asks for large pages for these bytes, where the system gives such: a look at any of them is cheaper then. */
  useLargePages(bytes: Uint8Array): void;
}

export interface Memory {
  readonly bytes: Buffer;
  readonly at: bigint;
  readonly pointer: unknown;
}

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
/** As SO_SNDBUF and SO_RCVBUF, beyond the system's limit, for those who may. */
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_RCVTIMEO = 20;
export const SO_ATTACH_REUSEPORT_CBPF = 51;
export const SO_DETACH_REUSEPORT_BPF = 68;
export const IPPROTO_TCP = 6;
export const TCP_QUICKACK = 12;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
/** Wait for one datagram, then take what is there. */
export const MSG_WAITFORONE = 0x10000;
export const MSG_DONTWAIT = 0x40;
export const POLLIN = 1;
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOBUFS = 105;

/** The largest pages that Linux has for ordinary memory. */
const PAGE = 0x10000;

/**
 * Sizes of `struct mmsghdr`, `struct iovec` and `struct sockaddr_in6`, and room for the ancillary data that says at
 * which address a datagram came in, in octets.
 */
export const MMSGHDR = 64;
export const IOVEC = 16;
export const SOCKADDR = 28;
export const CONTROL = 40;

/** What a call at, or to, an address failed with, as Node's own sockets tell it: `bind EADDRINUSE 127.0.0.1:53`. */
export function callError(syscall: string, errno: number, { address, port }: Endpoint): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${syscall} ${code} ${address}:${port}`), {
    code,
    errno: -errno,
    syscall,
    address,
    port,
  });
}

/**
 * Loads the C library. Throws where there is none of that kind: another system than Linux, an installation without
 * the optional package koffi, or a platform without a binary of it.
 *
 * @param load loads a package by its name
 */
export function loadLibc(load: (name: string) => unknown = loadPackage): Libc {
  const { koffi, lib } = openLibc(load);
  const madvise = lib.func('int madvise(void *, size_t, int)') as (
    at: Uint8Array,
    size: Octets,
    advice: number,
  ) => number;
  const advise = (bytes: Uint8Array, advice: number): void => {
    const before = Number(-koffi.address(bytes) & BigInt(PAGE - 1));
    const size = (bytes.length - before) & -PAGE;
    if (size > 0) madvise(bytes.subarray(before), size, advice);
  };
  return {
    socket: lib.func('int socket(int, int, int)') as Libc['socket'],
    bind: lib.func('int bind(int, void *, uint32_t)') as Libc['bind'],
    connect: lib.func('int connect(int, void *, uint32_t)') as Libc['connect'],
    listen: lib.func('int listen(int, int)') as Libc['listen'],
    setsockopt: lib.func('int setsockopt(int, int, int, void *, uint32_t)') as Libc['setsockopt'],
    getsockname: lib.func('int getsockname(int, _Inout_ void *, _Inout_ void *)') as Libc['getsockname'],
    close: lib.func('int close(int)') as Libc['close'],
    poll: lib.func('int poll(void *, uint64_t, int)') as Libc['poll'],
    recvmmsg: lib.func('int recvmmsg(int, void *, uint32_t, int, void *)') as Libc['recvmmsg'],
    sendmmsg: lib.func('int sendmmsg(int, void *, uint32_t, int)') as Libc['sendmmsg'],
    errno: () => koffi.errno(),
    memory(size) {
      const pointer: unknown = koffi.alloc('char', size);
      return { pointer, at: BigInt(koffi.address(pointer)), bytes: Buffer.from(koffi.view(pointer, size)) };
    },
    release: (bytes) => advise(bytes, MADV_DONTNEED),
    useLargePages: (bytes) => advise(bytes, MADV_HUGEPAGE),
  };
}

/** The C library and what calls it; throws as `loadLibc` does. */
export function openLibc(load: (name: string) => unknown = loadPackage): {
  koffi: typeof Koffi;
  lib: ReturnType<typeof Koffi.load>;
} {
  if (process.platform !== 'linux') throw new Error(`batched I/O needs Linux, this is ${process.platform}`);
  const koffi = loadKoffi(load);
  return { koffi, lib: openLibrary(koffi.load) };
}

/** Memory outside the JavaScript heap at an address of this process, as a buffer; nobody frees it. */
export const viewOf = (address: bigint, size: number): ArrayBuffer => openLibc().koffi.view(address, size);

function loadKoffi(load: (name: string) => unknown): typeof Koffi {
  try {
    return load('koffi') as typeof Koffi;
  } catch (error) {
    throw new Error(
      (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
        ? 'batched I/O needs the optional package koffi, which is not installed'
        : `batched I/O: koffi cannot be loaded: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function openLibrary(load: typeof Koffi.load): ReturnType<typeof Koffi.load> {
  for (const name of ['libc.so.6', 'libc.so']) {
    try {
      return load(name);
    } catch {
      // The other name is musl's.
    }
  }
  return load(null);
}
