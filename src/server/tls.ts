import tls from 'node:tls';
import type { TlsFacts, TlsListening } from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { TcpConnection } from '../net/network.js';

/** A handshake that has not ended after this time is given up. */
const HANDSHAKE: Milliseconds = 3000;

/** A connection whose handshake has ended well. */
interface SecureConnection {
  readonly connection: TcpConnection;
  readonly facts: TlsFacts;
  /** What the client chose to speak, if it named anything. */
  readonly protocol: string | undefined;
}

/**
 * Does the server's part of the handshake on a connection. Rejects, with the connection closed, when it fails or takes
 * too long.
 *
 * @param protocols what may be spoken inside, as ALPN names it (RFC 7301); a client that names none is taken
 */
export function secureConnection(
  connection: TcpConnection,
  { context, clientCertificate, keylog }: TlsListening,
  protocols: readonly string[],
  clock: Clock,
): Promise<SecureConnection> {
  return new Promise((resolve, reject) => {
    const stream = new tls.TLSSocket(connection.stream, {
      isServer: true,
      secureContext: context(),
      requestCert: clientCertificate !== 'none',
      // OpenSSL would turn away who gives none where one need not be given: `refusal` decides.
      rejectUnauthorized: false,
      ALPNProtocols: [...protocols],
    });
    if (keylog !== undefined) stream.on('keylog', keylog);
    const fail = (error: Error): void => {
      timer.cancel();
      stream.destroy();
      connection.stream.destroy();
      reject(error);
    };
    const timer = clock.setTimeout(() => fail(new Error('the TLS handshake took too long')), HANDSHAKE);
    stream.once('error', fail);
    stream.once('close', () => fail(new Error('the client ended the TLS handshake')));
    stream.once('secure', () => {
      const fault = refusal(stream, clientCertificate);
      if (fault !== undefined) return fail(fault);
      timer.cancel();
      stream.removeAllListeners('error');
      stream.removeAllListeners('close');
      // As Node's own server does; HTTP/2 would wait for the end of a handshake that has ended.
      Object.assign(stream, { secureConnecting: false });
      const protocol = typeof stream.alpnProtocol === 'string' ? stream.alpnProtocol : undefined;
      resolve({ connection: { ...connection, stream }, facts: factsOf(stream), protocol });
    });
  });
}

/** Why the client's certificate is not enough; undefined when it is. */
function refusal(stream: tls.TLSSocket, wanted: TlsListening['clientCertificate']): Error | undefined {
  const given = Object.keys(stream.getPeerCertificate()).length > 0;
  if (!given) return wanted === 'any' || wanted === 'verify' ? new Error('the client gave no certificate') : undefined;
  if (wanted !== 'verify' && wanted !== 'verify-if-given') return undefined;
  // Node's own server asks the same handle; there is no other way to it.
  const { ssl } = stream as unknown as { ssl: { verifyError(): Error | null } };
  return ssl.verifyError() ?? undefined;
}

function factsOf(stream: tls.TLSSocket): TlsFacts {
  const { servername } = stream as { servername?: string | false };
  const subject = stream.getPeerCertificate().subject as { CN?: string } | undefined;
  return {
    version: stream.getProtocol() ?? '',
    serverName: typeof servername === 'string' ? servername : undefined,
    subject: subject?.CN,
  };
}
