import type { Client } from '../chain/index.js';
import type { Scheme } from '../corefile/index.js';
import type { Clock } from '../lib/clock.js';
import type { Served } from './routes.js';
import { inTheClear, type Accept } from './tcp.js';
import { secureConnection } from './tls.js';

/**
 * A way for queries to come in, chosen by the scheme of a server block's key. Every message goes to the responder,
 * which judges its header in one place, whatever the way.
 */
export interface ListenerKind {
  /** Whether blocks have to say by `tls` which certificate to show. */
  readonly encrypted: boolean;
  /** Whether datagrams are taken at the port too. */
  readonly datagrams: boolean;
  /** What a connection goes through before its first message. */
  accept(served: Served, clock: Clock): Accept;
}

/** Plain DNS: UDP and TCP at one port (RFC 7766 section 5). */
const plain: ListenerKind = { encrypted: false, datagrams: true, accept: () => inTheClear };

/** DNS over TLS (RFC 7858). Token of its ALPN: RFC 9103 section 7.1.1. */
const overTls: ListenerKind = {
  encrypted: true,
  datagrams: false,
  accept: (served, clock) => async (connection) => {
    const { tls } = served.routes;
    if (tls === undefined) throw new Error('no block at this address has a certificate');
    const secured = await secureConnection(connection, tls, ['dot'], clock);
    const facts: Pick<Client, 'transport' | 'tls'> = { transport: 'tls', tls: secured.facts };
    return { connection: secured.connection, facts };
  },
};

/** What can be listened with, by the scheme of a key. */
export const LISTENER_KINDS: Readonly<Partial<Record<Scheme, ListenerKind>>> = { dns: plain, tls: overTls };
