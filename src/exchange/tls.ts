import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { ipFamily } from '../lib/cidr.js';

/**
 * Token of DNS over TLS in the registry of ALPN protocol identifiers (RFC 7858; registered by RFC 9103 section
 * 7.1.1).
 */
const DNS_OVER_TLS = 'dot';

/** What a client needs for TLS; texts are PEM. */
export interface TlsSettings {
  /** What is to be spoken (ALPN, RFC 7301); `dot` when left out. */
  readonly protocol?: string | undefined;
  /**
   * The name that the server's certificate must be for, sent as server name; without it the certificate must be for
   * the address.
   */
  readonly serverName?: string | undefined;
  /** Trusted certificates; the system's when left out. */
  readonly ca?: string | undefined;
  /** The client's certificate with its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Makes TLS connections to one server. It remembers the server's last session, so that the next handshake is a short
 * one (RFC 8446 section 2.2).
 */
export class TlsClient {
  private readonly context: tls.SecureContext;
  private session: Buffer | undefined;

  /** Throws when certificate, key or CA cannot be read. */
  constructor(private readonly settings: TlsSettings) {
    this.context = tls.createSecureContext({
      ca: settings.ca,
      cert: settings.cert,
      key: settings.key,
      minVersion: 'TLSv1.2',
    });
  }

  /**
   * Does the handshake over an open connection to `address`. Rejects, and closes the connection, when it fails or
   * `signal` is aborted.
   */
  secure(stream: Duplex, address: string, signal: AbortSignal): Promise<Duplex> {
    const { serverName } = this.settings;
    const socket = tls.connect({
      socket: stream,
      secureContext: this.context,
      ALPNProtocols: [this.settings.protocol ?? DNS_OVER_TLS],
      session: this.session,
      host: address,
      // Addresses are no server names (RFC 6066 section 3); Node then checks the certificate against `host`.
      servername: serverName !== undefined && ipFamily(serverName) === 0 ? serverName : undefined,
      ...(serverName === undefined
        ? {}
        : {
            checkServerIdentity: (_host: string, certificate: tls.PeerCertificate) =>
              tls.checkServerIdentity(serverName, certificate),
          }),
    });
    socket.on('session', (session) => (this.session = session));
    return new Promise((resolve, reject) => {
      const abort = (): void => void socket.destroy(signal.reason as Error);
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        socket.off('error', fail);
        socket.off('close', closed);
      };
      const fail = (error: Error): void => {
        settle();
        // A session that the server no longer knows must not fail the next handshake too.
        this.session = undefined;
        socket.on('error', () => undefined);
        socket.destroy();
        stream.destroy();
        reject(error);
      };
      const closed = (): void => fail(new Error('tls: connection closed during the handshake'));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      socket.once('close', closed);
      socket.once('secureConnect', () => {
        settle();
        resolve(socket);
      });
    });
  }
}
