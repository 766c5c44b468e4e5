import type { Endpoint } from '../net/network.js';
import type { SharedTcp } from '../net/host-network.js';
import { othersAt } from '../net/inherited-sockets.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ATTACH_REUSEPORT_CBPF,
  SO_DETACH_REUSEPORT_BPF,
  SO_REUSEADDR,
  callError,
  loadLibc,
  type Libc,
} from './libc.js';
import { REUSE_PORT, orIpv4, setOption, type SocketOption } from './listening-socket.js';
import { encodeSockaddr } from './sockaddr.js';

/** Connections that wait for the process to accept them. */
export const BACKLOG = 1024;
/** Classic BPF: the program ends with a number, here which socket gets the connection; linux/filter.h. */
const RETURN = 0x06;
/** `struct sock_fprog` and `struct sock_filter` of 64-bit platforms, in bytes. */
const PROGRAM = 16;
const INSTRUCTION = 8;

/**
 * What binds TCP sockets to places that other processes of the same user may be bound to as well: the kernel deals
 * connections out among those that listen. Node below 23.1 has no door to that, so the C library is called; undefined
 * where that cannot be had.
 */
export function sharedTcp(load: () => Libc = loadLibc): SharedTcp | undefined {
  try {
    const libc = load();
    return {
      open: (at) => bindTcp(libc, at, true),
      listens(fd, local) {
        // One that has ended may have left all to who was there then.
        setOption(libc, fd, [SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0]);
        const older = new Set(othersAt('tcp', local, fd));
        return () => leaveTo(libc, fd, older, othersAt('tcp', local, fd));
      },
    };
  } catch {
    return undefined;
  }
}

/**
 * Has the kernel bring new connections to another socket of the same place: closing would reset those that have not been
 * accepted. Sockets of a place are numbered in the order in which they began to listen; when one is gone, the last takes
 * its number, and with a number that nobody has all take their part.
 */
function leaveTo(libc: Libc, fd: number, older: ReadonlySet<string>, others: readonly string[]): boolean {
  if (others.length === 0) return false;
  const instruction = libc.memory(INSTRUCTION);
  instruction.bytes.writeUInt16LE(RETURN, 0);
  instruction.bytes.writeUInt32LE(others.some((inode) => older.has(inode)) ? 0 : others.length, 4);
  const program = Buffer.alloc(PROGRAM);
  program.writeUInt16LE(1, 0);
  program.writeBigUInt64LE(instruction.at, 8);
  return libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, program.length) === 0;
}

/** What a TCP socket is given before it is bound. */
export const tcpOptions = (family: number): readonly SocketOption[] => [
  // As Node sets its own: connections that still wait for their end do not keep the port, and :: is both families.
  [SOL_SOCKET, SO_REUSEADDR, 1],
  ...(family === AF_INET6 ? [[IPPROTO_IPV6, IPV6_V6ONLY, 0] as const] : []),
];

/**
 * The descriptor of a TCP socket that listens at `at`, where no other one does yet; later ones may. Throws a
 * NodeJS.ErrnoException.
 */
export function listenFirst(libc: Libc, at: Endpoint): number {
  const fd = at.address === '' ? orIpv4(at, (where) => bindTcp(libc, where, false)) : bindTcp(libc, at, false);
  if (libc.listen(fd, BACKLOG) < 0) fail(libc, 'listen', fd, at);
  setOption(libc, fd, REUSE_PORT);
  return fd;
}

function bindTcp(libc: Libc, at: Endpoint, shared: boolean): number {
  const sockaddr = encodeSockaddr(at);
  const family = sockaddr.length === 16 ? AF_INET : AF_INET6;
  const fd = libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', libc.errno(), at);
  for (const option of [...tcpOptions(family), ...(shared ? [REUSE_PORT] : [])]) setOption(libc, fd, option);
  return libc.bind(fd, sockaddr, sockaddr.length) < 0 ? fail(libc, 'bind', fd, at) : fd;
}

function fail(libc: Libc, call: string, fd: number, at: Endpoint): never {
  const error = callError(call, libc.errno(), at);
  libc.close(fd);
  throw error;
}
