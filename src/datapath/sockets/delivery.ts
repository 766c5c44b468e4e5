import type { Milliseconds } from '../../lib/units.js';
import type { NetNs } from '../netns/netns.js';
import { icmpError } from '../packet.js';
import type { Packet } from '../packet.js';
import type { PacketDraft, PacketReceiver } from './stack.js';
import { resetFor } from './tcp-listener.js';
import { ModelUdpSocket } from './udp-socket.js';

/** Runs `run` at a time: lets a lab keep the order of a real or driven clock. */
export type Schedule = (run: () => void, at: Milliseconds) => void;

/**
 * More deliveries than any exchange needs within one call; programs that answer each other for ever are stopped here.
 */
const MAX_DELIVERIES = 1_000_000;

/** Brings packets to sockets. What a packet sets off runs after the call that sent it, in order of arrival. */
export class Delivery {
  private readonly sockets = new Map<number, { readonly netns: NetNs; readonly socket: PacketReceiver }>();
  private readonly echoes = new Map<string, (reply: Packet, at: Milliseconds) => void>();
  private queue: { readonly run: () => void; readonly at: Milliseconds }[] = [];
  private depth = 0;
  private draining = false;

  constructor(
    private readonly respond: (netns: NetNs, draft: PacketDraft) => void,
    private readonly schedule: Schedule | undefined,
  ) {}

  register(netns: NetNs, socket: PacketReceiver): void {
    this.sockets.set(socket.cookie, { netns, socket });
  }

  unregister(socket: PacketReceiver): void {
    this.sockets.delete(socket.cookie);
  }

  /** Open sockets of all namespaces. */
  get size(): number {
    return this.sockets.size;
  }

  /** Runs a call of a program, then, if it is the outermost, everything that its packets set off. */
  call<T>(run: () => T): T {
    this.depth++;
    try {
      return run();
    } finally {
      this.depth--;
      if (this.depth === 0 && !this.draining) this.drain();
    }
  }

  /** Queues work for after the running call. */
  later(run: () => void, at: Milliseconds): void {
    this.queue.push({ run, at });
  }

  awaitEcho(netns: NetNs, id: number, onReply: (reply: Packet, at: Milliseconds) => void): void {
    this.echoes.set(`${netns.id}|${id}`, onReply);
  }

  /** Queues a packet for the socket it is for. False when nobody takes it; the kernel's refusal is queued then. */
  deliver(netns: NetNs, packet: Packet, at: Milliseconds): boolean {
    if (packet.icmp) return this.icmp(netns, packet, at);
    const bound = netns.ports.receiver(packet);
    if (!bound) {
      this.refuse(netns, packet, at);
      return false;
    }
    const { cookie } = bound;
    this.later(() => this.sockets.get(cookie)?.socket.receive(packet, at), at);
    return true;
  }

  /** Ends the connected UDP sockets whose backend is gone, as the agent does. */
  abortBackend(ip: string, port: number): void {
    for (const { socket } of [...this.sockets.values()]) {
      if (!(socket instanceof ModelUdpSocket) || socket.backend?.ip !== ip || socket.backend.port !== port) continue;
      socket.abort();
    }
  }

  /** Ends every socket of a namespace that goes away. */
  closeAll(netns: NetNs): void {
    for (const [cookie, entry] of [...this.sockets]) if (entry.netns === netns) this.sockets.delete(cookie);
  }

  private icmp(netns: NetNs, packet: Packet, at: Milliseconds): boolean {
    const icmp = packet.icmp!;
    if (icmp.kind === 'echo-request') {
      const reply: PacketDraft = { ...packet, src: packet.dst, dst: packet.src, icmp: { ...icmp, kind: 'echo-reply' } };
      this.later(() => this.respond(netns, reply), at);
      return true;
    }
    if (icmp.kind === 'echo-reply') {
      const handler = this.echoes.get(`${netns.id}|${icmp.id}`);
      if (handler) this.later(() => handler(packet, at), at);
      return true;
    }
    const about = icmp.about!;
    if (icmp.kind === 'frag-needed' && icmp.mtu !== undefined) netns.pathMtu.set(about.dst, icmp.mtu);
    const bound = netns.ports.receiver({
      ...about,
      src: about.dst,
      sport: about.dport,
      dst: about.src,
      dport: about.sport,
    });
    if (bound) this.later(() => this.sockets.get(bound.cookie)?.socket.fail(packet), at);
    return true;
  }

  /** A closed port answers with RST, or with ICMP port unreachable. */
  private refuse(netns: NetNs, packet: Packet, at: Milliseconds): void {
    if (packet.tcp) {
      if (!packet.tcp.flags.includes('RST')) this.later(() => this.respond(netns, resetFor(packet)), at);
      return;
    }
    this.later(() => this.respond(netns, icmpError('port-unreachable', packet, packet.dst)), at);
  }

  private drain(): void {
    this.draining = true;
    try {
      for (let done = 0; this.queue.length > 0; done++) {
        if (done > MAX_DELIVERIES)
          throw new RangeError(`more than ${MAX_DELIVERIES} packets in one call: do two programs answer each other?`);
        const batch = this.queue;
        this.queue = [];
        for (const { run, at } of batch) {
          if (this.schedule) this.schedule(() => this.call(run), at);
          else run();
        }
        done += batch.length;
      }
    } finally {
      this.draining = false;
      // What an exception left behind must not run inside an unrelated call.
      this.queue = [];
    }
  }
}
