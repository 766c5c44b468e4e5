import type { Endpoint } from '../net/network.js';
import type { OpenShared } from '../net/host-network.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  callError,
  loadLibc,
  type Libc,
} from './libc.js';
import { orIpv4 } from './listening-socket.js';
import { encodeSockaddr } from './sockaddr.js';

const ON = Buffer.from(Int32Array.of(1).buffer);
const OFF = Buffer.from(Int32Array.of(0).buffer);
/** Connections that wait for the process to accept them. */
const BACKLOG = 1024;

/**
 * What binds TCP sockets to places that other processes of the same user may be bound to as well: the kernel deals
 * connections out among those that listen. Node below 23.1 has no door to that, so the C library is called; undefined
 * where that cannot be had.
 */
export function sharedTcp(load: () => Libc = loadLibc): OpenShared | undefined {
  try {
    const libc = load();
    return (at) => bindTcp(libc, at, true);
  } catch {
    return undefined;
  }
}

/**
 * The descriptor of a TCP socket that listens at `at`, where no other one does yet; later ones may. Throws a
 * NodeJS.ErrnoException.
 */
export function listenFirst(libc: Libc, at: Endpoint): number {
  const fd = at.address === '' ? orIpv4(at, (where) => bindTcp(libc, where, false)) : bindTcp(libc, at, false);
  if (libc.listen(fd, BACKLOG) < 0) fail(libc, 'listen', fd, at);
  libc.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ON, ON.length);
  return fd;
}

function bindTcp(libc: Libc, at: Endpoint, shared: boolean): number {
  const sockaddr = encodeSockaddr(at);
  const family = sockaddr.length === 16 ? AF_INET : AF_INET6;
  const fd = libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', libc.errno(), at);
  const option = (level: number, name: number, value: Uint8Array): number =>
    libc.setsockopt(fd, level, name, value, value.length);
  // As Node sets its own: connections that still wait for their end do not keep the port, and :: is both families.
  option(SOL_SOCKET, SO_REUSEADDR, ON);
  if (shared) option(SOL_SOCKET, SO_REUSEPORT, ON);
  if (family === AF_INET6) option(IPPROTO_IPV6, IPV6_V6ONLY, OFF);
  return libc.bind(fd, sockaddr, sockaddr.length) < 0 ? fail(libc, 'bind', fd, at) : fd;
}

function fail(libc: Libc, call: string, fd: number, at: Endpoint): never {
  const error = callError(call, libc.errno(), at);
  libc.close(fd);
  throw error;
}
