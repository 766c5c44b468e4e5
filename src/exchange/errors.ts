import { hostPort } from '../lib/cidr.js';
import { NodensError } from '../lib/errors.js';
import type { Endpoint } from '../net/network.js';

/** How a message travels: DNS over UDP, over TCP (RFC 7766), over TLS (RFC 7858), or over HTTPS (RFC 8484). */
export type Protocol = 'udp' | 'tcp' | 'tcp-tls' | 'https';

/** What Go's network library prints for an error number: logs and alerts look for these words. */
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ECONNABORTED: 'software caused connection abort',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  EINVAL: 'invalid argument',
  EMFILE: 'too many open files',
  EMSGSIZE: 'message too long',
  ENETDOWN: 'network is down',
  ENETUNREACH: 'network is unreachable',
  ENFILE: 'too many open files in system',
  ENOBUFS: 'no buffer space available',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  ETIMEDOUT: 'connection timed out',
};

const endpointText = (endpoint: Endpoint): string => hostPort(endpoint.address, endpoint.port);
const network = (protocol: Protocol): string => (protocol === 'udp' ? 'udp' : 'tcp');

function reason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : TEXTS[code]) ?? error.message;
}

/** `dial tcp 10.96.31.170:53: connect: network is unreachable`. */
export function dialError(protocol: Protocol, remote: Endpoint, cause: Error): Error {
  const known = (cause as NodeJS.ErrnoException).code !== undefined;
  return new Error(`dial ${network(protocol)} ${endpointText(remote)}: ${known ? 'connect: ' : ''}${reason(cause)}`, {
    cause,
  });
}

/** `dial tcp 10.96.31.170:53: i/o timeout`. */
export const dialTimeout = (protocol: Protocol, remote: Endpoint): Error =>
  new Error(`dial ${network(protocol)} ${endpointText(remote)}: i/o timeout`);

/** `read udp 127.0.0.1:39039->127.0.0.9:53: read: connection refused`; `write` for errors of sending. */
export function transferError(protocol: Protocol, local: Endpoint, remote: Endpoint, cause: Error): Error {
  const { syscall = '' } = cause as NodeJS.ErrnoException;
  const action = syscall.startsWith('send') || syscall === 'write' ? 'write' : 'read';
  return new Error(
    `${action} ${network(protocol)} ${endpointText(local)}->${endpointText(remote)}: ${action}: ${reason(cause)}`,
    { cause },
  );
}

/** `read udp 127.0.0.1:39039->127.0.0.9:53: i/o timeout`. */
export function readTimeout(protocol: Protocol, local: Endpoint, remote: Endpoint): Error {
  return new Error(`read ${network(protocol)} ${endpointText(local)}->${endpointText(remote)}: i/o timeout`);
}

/**
 * Replies that nobody asked for came to the socket that the query is in flight on: somebody may be guessing its id
 * (RFC 5452 section 5).
 */
export class ForgerySuspected extends NodensError {
  constructor(local: Endpoint, remote: Endpoint) {
    const way = `${endpointText(local)}->${endpointText(remote)}`;
    super('NODENS_FORGERY', `read udp ${way}: replies to nothing that was asked`);
  }
}

/** The peer closed a connection: between messages (`EOF`), or within one. */
export const closedByPeer = (midFrame: boolean): Error => new Error(midFrame ? 'unexpected EOF' : 'EOF');
