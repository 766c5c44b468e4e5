import type { Random } from '../../lib/random.js';
import type { Seconds } from '../../lib/units.js';
import { AffinityTable, chooseAtSocket, usableBackends } from './backend-choice.js';
import { SocketError } from '../errors.js';
import type { FlowPeer, LoopEvent, SockEvent } from '../events.js';
import { frontendKey } from './service.js';
import type { Backend, Frontend } from './service.js';

/** The process whose call is looked at. */
export interface Caller {
  /** Identifier of its network namespace. */
  readonly netns: string;
  readonly netnsCookie: number;
  readonly cgroupId: number;
  readonly hostNamespace: boolean;
  /** The caller as the events show it, with port 0. */
  readonly peer: FlowPeer;
  /** Addresses of its namespace: a redirect to one of them is a loop. */
  readonly ownAddresses: ReadonlySet<string>;
}

export interface SocketTarget {
  readonly ip: string;
  readonly port: number;
}

export interface SocketLbPort {
  /** The translation of an address on this node; undefined for an ordinary address. */
  frontend(ip: string, port: number, protocol: string): Frontend | undefined;
  /** What the events say about an address. */
  peer(ip: string, port: number): FlowPeer;
  emit(event: SockDraft | LoopDraft): void;
  now(): Seconds;
  readonly random: Random;
  readonly node: string;
  readonly loopGuard: boolean;
  readonly revNatMax: number;
}

export type SockDraft = Omit<SockEvent, 'seq' | 'time' | 'node'>;
export type LoopDraft = Omit<LoopEvent, 'seq' | 'time' | 'node'>;

interface ReverseEntry {
  readonly target: SocketTarget;
  readonly revNat: number;
}

/** Translation at the socket, one for each node: the hooks at connect, sendmsg, recvmsg and getpeername. */
export class SocketLb {
  private readonly reverseMap = new Map<string, ReverseEntry>();
  readonly affinity = new AffinityTable();

  constructor(private readonly port: SocketLbPort) {}

  /** Number of entries of the reverse map. */
  get size(): number {
    return this.reverseMap.size;
  }

  /**
   * connect, or sendmsg with an address. Returns where the packet goes. An address of no service passes without an
   * event;
   * a service without backends is EHOSTUNREACH, also without an event. A caller that a policy excepts is told (pre)
   * and left alone.
   */
  forward(
    caller: Caller,
    target: SocketTarget,
    protocol: 'UDP' | 'TCP',
    cookie: number,
  ): SocketTarget & { readonly backend?: Backend } {
    const frontend = this.port.frontend(target.ip, target.port, protocol);
    if (!frontend) return target;
    const usable = usableBackends(frontend, this.port.node);
    const now = this.port.now();
    const client = `cookie:${caller.netnsCookie}`;
    if (usable.length === 0)
      throw new SocketError(
        'EHOSTUNREACH',
        `${frontendKey(target.ip, target.port, protocol)} (${frontend.owner}) has no backend`,
      );
    const backend =
      this.affinity.get(client, frontend, usable, now) ?? chooseAtSocket(usable, protocol, cookie, this.port.random);
    if (this.port.loopGuard && this.loops(caller, frontend, backend)) this.refuse(caller, frontend, backend);
    this.tell('pre-xlate-fwd', caller, protocol, cookie, caller.peer, this.port.peer(target.ip, target.port));
    if (frontend.redirect?.skipNetns.has(caller.netns)) return target;
    this.affinity.set(client, frontend, backend, now);
    this.remember(cookie, backend, target, frontend.revNat);
    this.tell('post-xlate-fwd', caller, protocol, cookie, caller.peer, this.port.peer(backend.ip, backend.port));
    return { ip: backend.ip, port: backend.port, backend };
  }

  /** recvmsg with an address buffer, or getpeername: the address that the caller is shown for a peer. */
  reverse(caller: Caller, peer: SocketTarget, protocol: 'UDP' | 'TCP', cookie: number): SocketTarget {
    this.tell('pre-xlate-rev', caller, protocol, cookie, this.port.peer(peer.ip, peer.port), caller.peer);
    const key = reverseKey(cookie, peer.ip, peer.port);
    const entry = this.reverseMap.get(key);
    if (!entry) return peer;
    this.reverseMap.delete(key);
    this.reverseMap.set(key, entry);
    this.tell(
      'post-xlate-rev',
      caller,
      protocol,
      cookie,
      this.port.peer(entry.target.ip, entry.target.port),
      caller.peer,
    );
    return entry.target;
  }

  /** Forgets a closed socket's entries. */
  release(cookie: number, peers: Iterable<SocketTarget>): void {
    for (const peer of peers) this.reverseMap.delete(reverseKey(cookie, peer.ip, peer.port));
  }

  private remember(cookie: number, backend: Backend, target: SocketTarget, revNat: number): void {
    const key = reverseKey(cookie, backend.ip, backend.port);
    this.reverseMap.delete(key);
    if (this.reverseMap.size >= this.port.revNatMax) this.reverseMap.delete(this.reverseMap.keys().next().value!);
    this.reverseMap.set(key, { target, revNat });
  }

  private loops(caller: Caller, frontend: Frontend, backend: Backend): boolean {
    return (
      frontend.redirect !== undefined &&
      !frontend.redirect.skipNetns.has(caller.netns) &&
      caller.ownAddresses.has(backend.ip)
    );
  }

  private refuse(caller: Caller, frontend: Frontend, backend: Backend): never {
    const address = frontendKey(frontend.ip, frontend.port, frontend.protocol);
    const policy = frontend.redirect!.policy;
    this.port.emit({
      kind: 'loop',
      policy,
      frontend: address,
      backend: frontendKey(backend.ip, backend.port, backend.protocol),
      caller: caller.peer,
    });
    throw new SocketError(
      'ELOOP',
      `policy ${policy} redirects ${address} back to its own backend ${backend.ip}, which asks ` +
        'it: set skipRedirectFromBackend or ask another address',
    );
  }

  private tell(
    point: SockEvent['point'],
    caller: Caller,
    protocol: 'UDP' | 'TCP',
    cookie: number,
    source: FlowPeer,
    destination: FlowPeer,
  ): void {
    this.port.emit({
      kind: 'sock',
      point,
      protocol,
      source,
      destination,
      cookie,
      cgroupId: caller.cgroupId,
      hostNamespace: caller.hostNamespace,
    });
  }
}

const reverseKey = (cookie: number, ip: string, port: number): string => `${cookie}|${ip}|${port}`;
