import type { Duplex } from 'node:stream';
import type { Losses } from './losses.js';

/**
 * A place to listen at or to send to. `address` is an IPv4 or IPv6 address in text form, empty for all of the host's;
 * `port` is 0 to 65535.
 */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where to send to. */
export interface Destination extends Endpoint {
  /** The local address to send from, which must be one of the host's; the system's choice when left out. */
  readonly from?: string | undefined;
}

/** Called for each datagram. `bytes` belongs to the receiver. */
export type OnDatagram = (bytes: Buffer, peer: Endpoint) => void;

/** A bound UDP socket. */
export interface UdpSocket {
  /** Where the socket is bound, with the port that it got. */
  readonly local: Endpoint;
  /**
   * Sends the first `length` octets of `bytes`. What cannot be sent is lost, as datagrams are; `onError` of a
   * connected socket is told.
   */
  send(bytes: Uint8Array, length: number, to: Endpoint): void;
  /**
   * Has what comes from now on go to sockets of other processes at the same place; what has come is still taken. False
   * where that is not to be had.
   */
  turnAway?(): boolean;
  /** Whether datagrams have come that were not taken yet. */
  waits?(): boolean;
  /**
   * Takes no more datagrams, and resolves when all that were taken have been delivered. Where it is missing, taking
   * ends with `close`, and not before.
   */
  pause?(): Promise<void>;
  /** Gives the port back. What was taken and not delivered is lost. */
  close(): void;
}

/**
 * A UDP socket that talks to one peer only: datagrams from elsewhere are not delivered, and an ICMP refusal arrives
 * as an error.
 */
export interface ConnectedUdpSocket {
  readonly local: Endpoint;
  /** `send` has made a copy of the bytes when it returns; else they are the socket's from then on. */
  readonly copies?: boolean;
  /** What cannot be sent is lost; the socket's error callback is told. */
  send(bytes: Uint8Array): void;
  /** Gives the port back. */
  close(): void;
}

/** An address that takes connections. */
export interface TcpListener {
  readonly local: Endpoint;
  /**
   * Has connections that come from now on go to sockets of other processes at the same place; what has come is still
   * taken. False where there are none, or that is not to be had.
   */
  turnAway?(): boolean;
  /** Stops taking connections; those that are open stay. */
  close(): void;
}

/** An open TCP connection as a stream of octets. */
export interface TcpConnection {
  readonly stream: Duplex;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /**
   * Acknowledges what has come at once: a peer that gathers small writes (RFC 1122 section 4.2.3.4) sends nothing
   * more until then, which is up to 40 ms otherwise. Missing where the system gives no way to do so.
   */
  readonly acknowledge?: (() => void) | undefined;
}

/** One address of one device. */
export interface InterfaceAddress {
  /** Device name: `eth0`, `nodelocaldns`. */
  readonly device: string;
  readonly address: string;
  readonly loopback: boolean;
}

/**
 * The only way to the wire. Every packet of servers, probes and clients goes through one of these: the operating
 * system's sockets (`HostNetwork`) or a
 * modelled network namespace. Promises reject with a NodeJS.ErrnoException (`EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`,
 * `ECONNREFUSED`, ...).
 */
export interface Network {
  /**
   * Binds a UDP socket. Port 0 draws a free one. At all addresses, peers of both families arrive, each under its own
   * family's address.
   */
  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket>;
  /** Opens a UDP socket at a free port, drawn unpredictably (RFC 5452 section 9.2), for one peer. */
  connectUdp(
    to: Destination,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket>;
  /** Takes connections at an address. Port 0 draws a free one. Rejects with the error of the system, such as EADDRINUSE. */
  listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener>;
  /** Opens a connection. Aborting `signal` before it is open rejects and leaves nothing behind. */
  connectTcp(to: Destination, signal?: AbortSignal): Promise<TcpConnection>;
  /** Counts of datagrams of its bound sockets that could not be sent, where it keeps them. */
  readonly losses?: Losses | undefined;
  /** The addresses that can be bound to. */
  interfaces(): readonly InterfaceAddress[];
}
