import { X509Certificate, constants, createPrivateKey } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { PemTexts, Runtime } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';

/**
 * What a server does handshakes with, TLS 1.2 and 1.3. A client of 1.2 cannot ask for another handshake: each costs the
 * server, and nothing that is spoken inside needs one (RFC 9325 section 3.5). Throws what OpenSSL says of the texts.
 */
export const serverContext = (texts: PemTexts): SecureContext =>
  createSecureContext({ ...texts, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION });

/** Names of PEM files. */
export interface CertificateFiles {
  /** The server's certificate, with those between it and its CA behind it. */
  readonly cert: string;
  readonly key: string;
  /** Who stands behind the certificates of clients; the system's list when left out. */
  readonly ca: string | undefined;
}

/** A server's certificate and key, as they are in their files. */
export class Certificates {
  private current: { readonly context: SecureContext; readonly texts: PemTexts };
  private seen: string;

  /**
   * Throws an Error that names the file when one cannot be read, when certificate and key are not a pair, or the
   * certificate has expired.
   */
  constructor(
    private readonly files: CertificateFiles,
    private readonly runtime: Pick<Runtime, 'readFile' | 'fileInfo' | 'clock'>,
  ) {
    this.seen = this.state();
    this.current = this.read();
  }

  get context(): SecureContext {
    return this.current.context;
  }

  get texts(): PemTexts {
    return this.current.texts;
  }

  /**
   * Reads the files again if one has changed; true when their contents are in force now. Throws as the constructor,
   * with what was there before still in force; the same contents are not tried again.
   */
  refresh(): boolean {
    const state = this.state();
    if (state === this.seen) return false;
    this.seen = state;
    this.current = this.read();
    return true;
  }

  private read(): Certificates['current'] {
    const { cert, key, ca } = this.files;
    const texts = { cert: this.text(cert), key: this.text(key), ca: ca === undefined ? undefined : this.text(ca) };
    checkPair(this.files, texts, this.runtime.clock.now());
    try {
      return { texts, context: serverContext(texts) };
    } catch (error) {
      throw new Error(`certificate ${cert} with key ${key} cannot be used: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  private text(file: string): string {
    try {
      return this.runtime.readFile(file);
    } catch (error) {
      throw new Error(`file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Changes when one of the files does. */
  private state(): string {
    const { cert, key, ca } = this.files;
    return [cert, key, ...(ca === undefined ? [] : [ca])]
      .map((file) => {
        const info = this.runtime.fileInfo(file);
        return info === undefined ? 'none' : `${info.mtime} ${info.size}`;
      })
      .join(', ');
  }
}

function checkPair(
  files: CertificateFiles,
  texts: { readonly cert: string; readonly key: string },
  now: Milliseconds,
): void {
  const certificate = parsed(files.cert, 'certificate in PEM form', () => new X509Certificate(texts.cert));
  const key = parsed(files.key, 'private key in PEM form', () => createPrivateKey(texts.key));
  if (!certificate.checkPrivateKey(key))
    throw new Error(`key ${files.key} does not belong to certificate ${files.cert}`);
  // No client would take it.
  if (Date.parse(certificate.validTo) <= now)
    throw new Error(`certificate ${files.cert} has expired (${new Date(certificate.validTo).toISOString()})`);
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`file ${file} holds no ${what}`, { cause: error });
  }
}
