import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import { byText } from '../../lib/order.js';
import { isIpv4 } from '../address.js';
import { SocketError } from '../errors.js';
import { hash32 } from '../packet.js';
import type { Packet } from '../packet.js';

/** Default range of ports for sockets that do not choose one (ip_local_port_range). */
const FIRST_EPHEMERAL = 32_768;
const LAST_EPHEMERAL = 60_999;

/** A socket as the table sees it. An empty local address is the wildcard of both families. */
export interface Bound {
  readonly cookie: number;
  readonly protocol: 'UDP' | 'TCP';
  readonly localAddress: string;
  readonly localPort: number;
  /** Set once connected: then only this peer's packets are for it. */
  readonly peer: { readonly ip: string; readonly port: number } | undefined;
  readonly reusePort: boolean;
}

export const isWildcard = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

/** Which socket of a namespace has which port. */
export class PortTable {
  private readonly bound = new Map<string, Bound[]>();

  /**
   * Enters a socket. Throws EADDRINUSE when another has the port and an address that overlaps, unless both allow
   * sharing.
   */
  add(socket: Bound): void {
    const key = keyOf(socket.protocol, socket.localPort);
    const others = this.bound.get(key) ?? [];
    const clash = others.find((other) => conflicts(other, socket));
    if (clash) throw new SocketError('EADDRINUSE', `${socket.localAddress || '*'}:${socket.localPort} is in use`);
    this.bound.set(key, [...others, socket]);
  }

  remove(socket: Bound): void {
    const key = keyOf(socket.protocol, socket.localPort);
    const rest = (this.bound.get(key) ?? []).filter((other) => other.cookie !== socket.cookie);
    if (rest.length > 0) this.bound.set(key, rest);
    else this.bound.delete(key);
  }

  /** Enters the new state of a socket that was connected or bound anew. */
  replace(old: Bound, now: Bound): void {
    this.remove(old);
    this.add(now);
  }

  /** A free port at random. Throws EADDRINUSE when the range is used up. */
  ephemeral(protocol: 'UDP' | 'TCP', random: Random): number {
    const span = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
    let place = randomBelow(random, span);
    for (let tried = 0; tried < span; tried++, place = (place + 1) % span) {
      if (!this.bound.has(keyOf(protocol, FIRST_EPHEMERAL + place))) return FIRST_EPHEMERAL + place;
    }
    throw new SocketError('EADDRINUSE', `all ports from ${FIRST_EPHEMERAL} to ${LAST_EPHEMERAL} are in use`);
  }

  /**
   * The socket a packet is for: connected to its source before bound to its destination before wildcard; sharers by
   * hash.
   */
  receiver(packet: Packet): Bound | undefined {
    const candidates = this.bound.get(keyOf(packet.protocol, packet.dport)) ?? [];
    let best = 0;
    let chosen: Bound[] = [];
    for (const socket of candidates) {
      const score = scoreOf(socket, packet);
      if (score > best) [best, chosen] = [score, [socket]];
      else if (score === best && score > 0) chosen.push(socket);
    }
    return chosen.length > 1 ? chosen[hash32(`${packet.src}:${packet.sport}`) % chosen.length] : chosen[0];
  }

  /** Sockets by protocol, port and age. */
  list(): readonly Bound[] {
    return [...this.bound.values()]
      .flat()
      .sort((a, b) => byText(a.protocol, b.protocol) || a.localPort - b.localPort || a.cookie - b.cookie);
  }
}

const keyOf = (protocol: string, port: number): string => `${protocol}/${port}`;

function conflicts(a: Bound, b: Bound): boolean {
  if (a.cookie === b.cookie || (a.reusePort && b.reusePort)) return false;
  if (a.peer && b.peer)
    return a.peer.ip === b.peer.ip && a.peer.port === b.peer.port && a.localAddress === b.localAddress;
  // A TCP connection shares the port with the listener that took it.
  if (a.protocol === 'TCP' && (a.peer !== undefined) !== (b.peer !== undefined)) return false;
  if (isWildcard(a.localAddress) || isWildcard(b.localAddress)) return sameFamily(a.localAddress, b.localAddress);
  return a.localAddress === b.localAddress;
}

const sameFamily = (a: string, b: string): boolean => a === '' || b === '' || isIpv4(a) === isIpv4(b);

function scoreOf(socket: Bound, packet: Packet): number {
  if (socket.peer && (socket.peer.ip !== packet.src || socket.peer.port !== packet.sport)) return 0;
  if (!isWildcard(socket.localAddress) && socket.localAddress !== packet.dst) return 0;
  if (
    isWildcard(socket.localAddress) &&
    socket.localAddress !== '' &&
    isIpv4(socket.localAddress) !== isIpv4(packet.dst)
  )
    return 0;
  return 1 + (socket.peer ? 2 : 0) + (isWildcard(socket.localAddress) ? 0 : 1);
}
