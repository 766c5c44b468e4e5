import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { PacketOutcome } from '../events.js';
import type { NetNs } from '../netns/netns.js';
import type { Packet } from '../packet.js';
import type { Caller, SocketLb } from '../loadbalancer/socket-lb.js';
import type { Timers } from '../timers.js';

/** A packet before it has a number and a TTL. */
export type PacketDraft = Omit<Packet, 'number' | 'ttl'>;

/** The process that owns a socket: a namespace has one stack, but its processes may be several pods' (hostNetwork). */
export interface Owner {
  readonly caller: Caller;
  /** undefined outside the cluster and where the hook is switched off. */
  readonly hooks: SocketLb | undefined;
}

/** What sockets need of the world around them. */
export interface Stack {
  readonly netns: NetNs;
  readonly owner: Owner;
  readonly random: Random;
  readonly timers: Timers;
  now(): Milliseconds;
  nextCookie(): number;
  /** Sends a packet from this namespace and forwards it to its end. */
  output(draft: PacketDraft): PacketOutcome;
  /** Runs a system call: deliveries that it causes run after it. */
  call<T>(run: () => T): T;
  /** Enters a socket so that packets find it. */
  register(socket: PacketReceiver): void;
  unregister(socket: PacketReceiver): void;
}

/** A socket that packets are delivered to. */
export interface PacketReceiver {
  readonly cookie: number;
  receive(packet: Packet, at: Milliseconds): void;
  /** An ICMP error about a packet of this socket. */
  fail(packet: Packet): void;
}
