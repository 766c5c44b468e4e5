import type { SecureContext } from 'node:tls';

/** A server's certificate and key. */
export interface PemTexts {
  /** With those between it and its CA behind it. */
  readonly cert: string;
  readonly key: string;
  /** Who stands behind the certificates of clients; the system's list when left out. */
  readonly ca: string | undefined;
}

/** What listeners with encryption need of a server block. */
export interface TlsListening {
  /** Certificate and key as they are at the moment: files that change are read again. */
  readonly context: () => SecureContext;
  /** The same as text in PEM form, for what brings TLS of its own; missing where only connections are encrypted. */
  readonly pem?: () => PemTexts;
  /**
   * Whether clients give a certificate: `none` is asked for; `request`: asked for, with any or no answer; `any`: one
   * has to be given; `verify-if-given`; `verify`: one has to be given that the CA stands behind.
   */
  readonly clientCertificate: 'none' | 'request' | 'any' | 'verify-if-given' | 'verify';
  /** Told of the secrets of each connection, a line at a time; undefined where nobody is to know them. */
  readonly keylog?: ((line: Buffer) => void) | undefined;
}
