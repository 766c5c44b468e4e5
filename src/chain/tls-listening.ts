import type { SecureContext } from 'node:tls';

/** What listeners with encryption need of a server block. */
export interface TlsListening {
  /** Certificate and key as they are at the moment: files that change are read again. */
  readonly context: () => SecureContext;
  /**
   * Whether clients give a certificate: `none` is asked for; `request`: asked for, with any or no answer; `any`: one
   * has to be given; `verify-if-given`; `verify`: one has to be given that the CA stands behind.
   */
  readonly clientCertificate: 'none' | 'request' | 'any' | 'verify-if-given' | 'verify';
  /** Told of the secrets of each connection, a line at a time; undefined where nobody is to know them. */
  readonly keylog?: ((line: Buffer) => void) | undefined;
}
