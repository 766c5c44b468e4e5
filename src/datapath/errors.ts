import { NodensError } from '../lib/errors.js';

/** What a system call of a modelled process may fail with; the names are those of errno(3). */
export type SocketErrorCode =
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EBADF'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EISCONN'
  | 'ELOOP'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENOTCONN'
  | 'EPERM'
  | 'ETIMEDOUT';

/**
 * A failed call on a modelled socket. `code` is the errno name, so callers treat it as they treat an error of a real
 * socket.
 */
export class SocketError extends Error {
  constructor(
    readonly code: SocketErrorCode,
    message: string,
  ) {
    super(`${code}: ${message}`);
    this.name = 'SocketError';
  }
}

/** A topology or setting that cannot be. `path` names the field (`nodes[1].interfaces[0].address`). */
export class TopologyError extends NodensError {
  override readonly name = 'TopologyError';

  constructor(
    readonly path: string,
    message: string,
  ) {
    super('NODENS_MODEL', `${path}: ${message}`);
  }
}

/** No address or address block is left, or a pinned one cannot be had. */
export class IpamError extends NodensError {
  override readonly name = 'IpamError';

  constructor(
    readonly scope: string,
    message: string,
  ) {
    super('NODENS_MODEL_ADDRESS', `${scope}: ${message}`);
  }
}
