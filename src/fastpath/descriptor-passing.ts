import type { Milliseconds } from '../lib/units.js';
import { loadPackage } from '../lib/package.js';
import { SOL_SOCKET, SO_RCVTIMEO, loadLibc, openLibc } from './libc.js';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
/** Ancillary data that holds descriptors; unix(7). */
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** Descriptors in one message: what Linux passes on at most. */
export const MOST_DESCRIPTORS = 253;
/** Bytes that go with them. */
export const MOST_BYTES = 64 << 10;
/** `struct msghdr`, and the header of ancillary data, of 64-bit platforms. */
const MSGHDR = 56;
const CMSGHDR = 16;
/** `sun_path`, its closing zero included. */
const MOST_PATH = 108;

/** A message and the descriptors that came with it. */
export interface Passed {
  readonly bytes: Buffer;
  readonly fds: readonly number[];
}

/** Passes descriptors on between processes over unix sockets. */
export interface DescriptorPassing {
  /**
   * A connection to a unix socket, which waits for what is read for `time` at most. Throws a NodeJS.ErrnoException, as
   * do the others.
   */
  connect(path: string, time: Milliseconds): number;
  /** Sends bytes and descriptors in one message; what the other end is to take later is an error too. */
  send(fd: number, message: Passed): void;
  /** The next message, of at most 64 KiB; without bytes where the other end has closed. */
  receive(fd: number): Passed;
  close(fd: number): void;
}

/** Throws where the C library cannot be called. */
export function descriptorPassing(load: (name: string) => unknown = loadPackage): DescriptorPassing {
  const libc = loadLibc(load);
  const { lib } = openLibc(load);
  const sendmsg = lib.func('int64_t sendmsg(int, void *, int)') as (fd: number, head: unknown, flags: number) => number;
  const recvmsg = lib.func('int64_t recvmsg(int, void *, int)') as (fd: number, head: unknown, flags: number) => number;
  const room = CMSGHDR + 4 * MOST_DESCRIPTORS + 4;
  const [head, vector, data, control] = [MSGHDR, 16, MOST_BYTES, room].map((size) => libc.memory(size)) as [
    ReturnType<typeof libc.memory>,
    ReturnType<typeof libc.memory>,
    ReturnType<typeof libc.memory>,
    ReturnType<typeof libc.memory>,
  ];
  const fail = (call: string): never => {
    const errno = libc.errno();
    throw Object.assign(new Error(`${call}: error ${errno}`), { errno: -errno, syscall: call });
  };
  const prepare = (bytes: number, ancillary: number): void => {
    vector.bytes.writeBigUInt64LE(data.at, 0);
    vector.bytes.writeBigUInt64LE(BigInt(bytes), 8);
    head.bytes.fill(0);
    head.bytes.writeBigUInt64LE(vector.at, 16);
    head.bytes.writeBigUInt64LE(1n, 24);
    if (ancillary > 0) head.bytes.writeBigUInt64LE(control.at, 32);
    head.bytes.writeBigUInt64LE(BigInt(ancillary), 40);
  };
  return {
    close: (fd) => void libc.close(fd),
    connect(path, time) {
      const name = Buffer.from(path);
      if (name.length >= MOST_PATH) throw Object.assign(new Error(`path of ${name.length} bytes`), { code: 'EINVAL' });
      const address = Buffer.alloc(2 + MOST_PATH);
      address.writeUInt16LE(AF_UNIX);
      name.copy(address, 2);
      const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (fd < 0) return fail('socket');
      const limit = Buffer.from(BigInt64Array.of(BigInt(Math.floor(time / 1000)), BigInt((time % 1000) * 1000)).buffer);
      libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, limit, limit.length);
      if (libc.connect(fd, address, 2 + name.length + 1) === 0) return fd;
      const errno = libc.errno();
      libc.close(fd);
      throw Object.assign(new Error(`connect ${path}: error ${errno}`), { errno: -errno, syscall: 'connect' });
    },
    send(fd, { bytes, fds }) {
      if (bytes.length > MOST_BYTES || fds.length > MOST_DESCRIPTORS) throw new RangeError('message too large');
      bytes.copy(data.bytes);
      const length = CMSGHDR + 4 * fds.length;
      control.bytes.fill(0);
      control.bytes.writeBigUInt64LE(BigInt(length), 0);
      control.bytes.writeInt32LE(SOL_SOCKET, 8);
      control.bytes.writeInt32LE(SCM_RIGHTS, 12);
      fds.forEach((each, i) => control.bytes.writeInt32LE(each, CMSGHDR + 4 * i));
      prepare(bytes.length, fds.length === 0 ? 0 : (length + 7) & ~7);
      if (Number(sendmsg(fd, head.pointer, MSG_NOSIGNAL)) !== bytes.length) fail('sendmsg');
    },
    receive(fd) {
      control.bytes.fill(0);
      prepare(MOST_BYTES, room);
      const length = Number(recvmsg(fd, head.pointer, MSG_CMSG_CLOEXEC));
      if (length < 0) return fail('recvmsg');
      const ancillary = Number(head.bytes.readBigUInt64LE(40));
      const isRights =
        ancillary >= CMSGHDR &&
        control.bytes.readInt32LE(8) === SOL_SOCKET &&
        control.bytes.readInt32LE(12) === SCM_RIGHTS;
      const count = isRights ? (Number(control.bytes.readBigUInt64LE(0)) - CMSGHDR) >> 2 : 0;
      const fds = Array.from({ length: count }, (_, i) => control.bytes.readInt32LE(CMSGHDR + 4 * i));
      return { bytes: Buffer.from(data.bytes.subarray(0, length)), fds };
    },
  };
}
