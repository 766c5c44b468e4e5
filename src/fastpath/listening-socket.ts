import type { InheritedSockets } from '../net/inherited-sockets.js';
import type { Endpoint } from '../net/network.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  IP_PKTINFO,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  callError,
  type Libc,
} from './libc.js';
import { encodeSockaddr } from './sockaddr.js';
import { WAIT } from './worker-data.js';

/** Kernel buffer of a socket, in octets: a burst of some thousand queries waits instead of being lost. */
const RECEIVE_BUFFER = 4 << 20;
/**
 * What waits on its way out counts against the socket, on whichever way that is: one slow way must not leave no room
 * for the others. More than the queue of a network interface takes, in bytes.
 */
const SEND_BUFFER = 4 << 20;

/** `struct timeval` of the receive timeout: seconds, microseconds. */
const RECEIVE_TIMEOUT = Buffer.from(BigInt64Array.of(0n, BigInt(WAIT * 1000)).buffer);

const DISCARD = 9;
/** `struct pollfd`, in octets. */
const POLLFD = 8;

/** An option of a socket whose value is an `int`: level, name, value; setsockopt(2). */
export type SocketOption = readonly [level: number, name: number, value: number];

/** Always, so that another process can add its sockets: one that takes over, or a second server. */
export const REUSE_PORT: SocketOption = [SOL_SOCKET, SO_REUSEPORT, 1];

/** Spellings of all of the host's addresses: of both families, of each. */
const EVERYWHERE: readonly string[] = ['', '::', '0.0.0.0'];

/** Whether a socket has the option now. */
export const setOption = (libc: Libc, fd: number, [level, name, value]: SocketOption): boolean =>
  libc.setsockopt(fd, level, name, Buffer.from(Int32Array.of(value).buffer), 4) === 0;

/** What a UDP socket is given before it is bound; what a system does not allow is left as it is. */
export const udpOptions = (family: number, address: string): readonly SocketOption[] => [
  REUSE_PORT,
  // The second of each goes beyond the system's limit, which takes a right.
  [SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER],
  [SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER],
  [SOL_SOCKET, SO_SNDBUF, SEND_BUFFER],
  [SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER],
  ...(family === AF_INET6 ? [[IPPROTO_IPV6, IPV6_V6ONLY, address === '' ? 0 : 1] as const] : []),
];

/**
 * The descriptor of a UDP socket bound to `at`, an inherited one where there is one for that place. At several
 * addresses, datagrams come with the one that
 * they were sent to. Throws a NodeJS.ErrnoException, or a RangeError where `at` has no IP address.
 */
export function openListening(libc: Libc, at: Endpoint, inherited: InheritedSockets | undefined): number {
  if (at.address !== '') return openAt(libc, at, at, inherited);
  return orIpv4(at, (where) => openAt(libc, where, where === at ? { address: '::', port: at.port } : where, inherited));
}

/** Where there is no IPv6, or it is switched off, all addresses are those of IPv4. */
export function orIpv4(at: Endpoint, open: (at: Endpoint) => number): number {
  try {
    return open(at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return open({ address: '0.0.0.0', port: at.port });
  }
}

/**
 * Has the kernel bring nothing more to a socket that may share its place with those of other processes: it is connected
 * to a peer that never sends (discard, RFC 863), and all else goes to the others. What has come before stays readable,
 * and answers can still be sent. False where the system does not do it.
 */
export function turnAway(libc: Libc, fd: number, { address }: Endpoint): boolean {
  const peers = EVERYWHERE.includes(address) ? ['::1', '127.0.0.1'] : [address];
  return peers.some((peer) => {
    const sockaddr = encodeSockaddr({ address: peer, port: DISCARD });
    return libc.connect(fd, sockaddr, sockaddr.length) === 0;
  });
}

/** Whether something waits at a socket. */
export function isReadable(libc: Libc, fd: number): boolean {
  const polled = libc.memory(POLLFD);
  polled.bytes.writeInt32LE(fd, 0);
  polled.bytes.writeInt16LE(POLLIN, 4);
  return libc.poll(polled.pointer, 1, 0) > 0 && (polled.bytes.readInt16LE(6) & POLLIN) !== 0;
}

/** The port that a socket is bound to. */
export function portOf(libc: Libc, fd: number): number {
  const sockaddr = Buffer.alloc(28);
  const length = Buffer.from(Int32Array.of(sockaddr.length).buffer);
  libc.getsockname(fd, sockaddr, length);
  return sockaddr.readUInt16BE(2);
}

/** @param listed where an inherited socket is, as the system lists it */
function openAt(libc: Libc, at: Endpoint, listed: Endpoint, inherited: InheritedSockets | undefined): number {
  const sockaddr = encodeSockaddr(at);
  const family = sockaddr.length === 16 ? AF_INET : AF_INET6;
  const passed = inherited?.take('udp', listed);
  const fd = passed ?? libc.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', libc.errno(), at);
  const set = (option: SocketOption): boolean => setOption(libc, fd, option);
  if (EVERYWHERE.includes(at.address))
    set(family === AF_INET ? [IPPROTO_IP, IP_PKTINFO, 1] : [IPPROTO_IPV6, IPV6_RECVPKTINFO, 1]);
  const limited = libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, RECEIVE_TIMEOUT, RECEIVE_TIMEOUT.length) === 0;
  if (passed !== undefined) {
    set(REUSE_PORT);
    return passed;
  }
  udpOptions(family, at.address).forEach(set);
  if (!limited || libc.bind(fd, sockaddr, sockaddr.length) < 0) {
    const error = callError('bind', libc.errno(), at);
    libc.close(fd);
    throw error;
  }
  return fd;
}
