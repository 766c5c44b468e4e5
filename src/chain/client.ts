import type { ServerAddress } from './server-address.js';

/**
 * How a query came in: over plain UDP or TCP, DNS over TLS (RFC 7858), over HTTPS (RFC 8484), over QUIC (RFC 9250) or
 * gRPC.
 */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https' | 'quic' | 'grpc';

/** The `proto` of logs and metrics: `udp` also for QUIC, which runs over it. */
export const protocolOf = (transport: Transport): 'udp' | 'tcp' =>
  transport === 'udp' || transport === 'quic' ? 'udp' : 'tcp';

/** One end of a query's way. */
export interface Address {
  /** IPv4 or IPv6 address, the latter as RFC 5952 writes it, a zone index (`%eth0`) included. */
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
  /** Version of the Internet Protocol, where that can be told without making the text of the address. */
  readonly ipVersion?: 4 | 6;
}

/** What the handshake of an encrypted connection settled. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The name that the client asked for (SNI, RFC 6066 section 3), if it did. */
  readonly serverName: string | undefined;
  /** Subject of the client's certificate, if it was asked for, given and verified. */
  readonly subject: string | undefined;
}

/** What an HTTP request says beside its DNS message. */
export interface HttpFacts {
  readonly method: string;
  /** Path and query: `/dns-query?dns=AAAB`. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Who asks, and how: plain data, so that a copy with a spread keeps all of it. It says nothing about the question.
 */
export interface Client {
  readonly transport: Transport;
  /** Where the query came from. */
  readonly remote: Address;
  /** The address and port it was sent to; unspecified (`::`) where the socket listens on all and does not know. */
  readonly local: Address;
  /** The listening address that took it. */
  readonly server: ServerAddress;
  /** Only over `tls`, `https`, `quic` and `grpc`. */
  readonly tls?: TlsFacts | undefined;
  /** Only over `https`. */
  readonly http?: HttpFacts | undefined;
}

/** Whether nobody between client and server can read the messages. */
export const isEncrypted = ({ tls }: Client): boolean => tls !== undefined;
