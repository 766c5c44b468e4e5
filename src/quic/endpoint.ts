import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.js';
import type { Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { PACKET, QuicConnection, type ConnectionHost, type ConnectionReader } from './connection.js';
import type { QuicConfig, QuicLibrary } from './library.js';
import { RetryTokens } from './retry-tokens.js';

/** Length of our connection ids: the longest there is (RFC 9000 section 17.2). */
const ID: Octets = 20;

/** A client's first packet is at least so long (RFC 9000 section 14.1). */
const FIRST: Octets = 1200;

/** Handshakes that may be under way; the one that takes longest goes. */
const HANDSHAKES = 1000;
/** With more than so many under way, clients have to show that packets reach them. */
const TRUSTED_HANDSHAKES = 100;

/** What an endpoint is made with. */
export interface EndpointParts {
  readonly library: QuicLibrary;
  readonly clock: Clock;
  /** How connections that come now are made; undefined where none can be. */
  readonly config: () => QuicConfig | undefined;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** Called for each connection whose handshake is through; one that is not to be is closed by it. */
  readonly accept: (connection: QuicConnection) => ConnectionReader | undefined;
}

/** Packets of one UDP socket, and the connections that they belong to. */
export class QuicEndpoint {
  private readonly connections = new Map<string, QuicConnection>();
  private readonly arriving = new Set<QuicConnection>();
  private readonly tokens: RetryTokens;
  private readonly host: ConnectionHost;
  private closed = false;

  constructor(private readonly parts: EndpointParts) {
    const { clock, send, accept } = parts;
    this.tokens = new RetryTokens(clock);
    this.host = {
      clock,
      send,
      arrived: (connection) => {
        this.arriving.delete(connection);
        return accept(connection);
      },
      gone: (connection) => this.forget(connection),
    };
  }

  /** Connections, those included that are not through yet. */
  get open(): number {
    return new Set(this.connections.values()).size;
  }

  /**
   * Takes a packet.
   *
   * @param client who has sent it, where it came through a proxy
   */
  receive(packet: Buffer, remote: Endpoint, client: Endpoint = remote): void {
    const id = destination(packet);
    if (id === undefined) return;
    const connection = this.connections.get(id) ?? this.first(packet, remote, client);
    if (connection === undefined || !samePlace(connection.remote, remote)) return;
    connection.receive(packet, wayOf(remote));
  }

  /** Takes no more connections; those whose handshake is not through are given up. */
  close(): void {
    this.closed = true;
    for (const connection of this.arriving) connection.close(0);
  }

  /** What a packet that belongs to no connection begins, if anything. */
  private first(packet: Buffer, remote: Endpoint, client: Endpoint): QuicConnection | undefined {
    const { library } = this.parts;
    if (this.closed || (packet[0]! & 0x80) === 0 || packet.length < FIRST) return undefined;
    let head: ReturnType<QuicLibrary['Header']['fromSlice']>;
    try {
      head = library.Header.fromSlice(packet, ID);
    } catch {
      return undefined;
    }
    const reply = (make: (out: Buffer) => number): undefined => {
      const out = Buffer.allocUnsafe(PACKET);
      this.parts.send(out.subarray(0, make(out)), remote);
    };
    if (!library.versionIsSupported(head.version))
      return reply((out) => library.negotiateVersion(head.scid, head.dcid, out));
    if (head.ty !== library.Type.Initial) return undefined;
    const firstId = head.token?.length ? this.tokens.firstId(head.token, remote) : undefined;
    if (firstId === undefined && this.arriving.size >= TRUSTED_HANDSHAKES) {
      const token = this.tokens.mint(head.dcid, remote);
      return reply((out) => library.retry(head.scid, head.dcid, randomBytes(ID), token, head.version, out));
    }
    return this.begin(Buffer.from(head.dcid), firstId, remote, client);
  }

  private begin(
    asked: Buffer,
    firstId: Buffer | undefined,
    remote: Endpoint,
    client: Endpoint,
  ): QuicConnection | undefined {
    const { library } = this.parts;
    const config = this.parts.config();
    if (config === undefined) return undefined;
    // Behind a retry the client's packets have the id that it was told by then.
    const id = firstId === undefined ? randomBytes(ID) : asked;
    const { from, to } = wayOf(remote);
    const state = library.Connection.accept(id, firstId ?? null, to, from, config);
    const connection = new QuicConnection(state, [...new Set([keyOf(asked), keyOf(id)])], remote, client, this.host);
    for (const key of connection.ids) this.connections.set(key, connection);
    this.arriving.add(connection);
    const [oldest] = this.arriving;
    if (this.arriving.size > HANDSHAKES) oldest!.close(0);
    return connection;
  }

  private forget(connection: QuicConnection): void {
    this.arriving.delete(connection);
    for (const key of connection.ids) this.connections.delete(key);
  }
}

const keyOf = (id: Buffer): string => id.toString('latin1');

/** The connection id that a packet goes to (RFC 8999 section 5); undefined for what is no packet. */
function destination(packet: Buffer): string | undefined {
  if (packet.length <= ID) return undefined;
  if ((packet[0]! & 0x80) === 0) return packet.toString('latin1', 1, 1 + ID);
  const length = packet[5]!;
  return length > ID || packet.length < 6 + length ? undefined : packet.toString('latin1', 6, 6 + length);
}

const samePlace = (one: Endpoint, other: Endpoint): boolean => one.port === other.port && one.address === other.address;

/** The ends of a packet's way. The library is told one local address for all: a connection never changes its path. */
function wayOf({ address, port }: Endpoint): Parameters<QuicConnection['receive']>[1] {
  const [host = ''] = address.split('%');
  return { from: { host, port }, to: { host: host.includes(':') ? '::1' : '127.0.0.1', port: 853 } };
}
