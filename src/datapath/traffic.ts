import { Channel } from '../lib/channel.js';
import type { Clock } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import { describeCaller, hooksFor } from './caller.js';
import { ClusterModel } from './cluster/cluster.js';
import type { ProcessPlace } from './cluster/cluster.js';
import type { DatapathConfig } from './config.js';
import { Delivery } from './sockets/delivery.js';
import type { Schedule } from './sockets/delivery.js';
import type { Pod } from './cluster/endpoint.js';
import type { DatapathEvent, FlowPeer, PacketOutcome } from './events.js';
import type { IpamConfig } from './ipam/ipam.js';
import { MasqueradePolicy } from './conntrack/masquerade.js';
import type { Attachment } from './cluster/ipcache.js';
import { Neighbours } from './cluster/neighbours.js';
import type { NetNs } from './netns/netns.js';
import type { Node } from './cluster/node.js';
import type { Packet } from './packet.js';
import { Process } from './sockets/process.js';
import type { Caller } from './loadbalancer/socket-lb.js';
import { SocketLb } from './loadbalancer/socket-lb.js';
import type { PacketDraft } from './sockets/stack.js';
import { Timers } from './timers.js';
import { PacketContext } from './forwarding/context.js';
import type { EventDraft, NetworkModel, Latency } from './forwarding/context.js';
import { hostOutput } from './forwarding/external-host.js';
import { podOutput } from './forwarding/pod.js';
import { stackOutput } from './forwarding/kernel-stack.js';

/** What a world is made from. */
export interface WorldOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly config?: Partial<DatapathConfig>;
  readonly ipam?: IpamConfig;
  /** Added to the times of events along a packet's way. Default: none. */
  readonly latency?: Latency;
  /** Takes over when programs see their packets. Default: at once, after the call that sent them. */
  readonly schedule?: Schedule;
}

const DEFAULT_TTL = 64;

/**
 * The packets of a cluster and of the hosts around it: who sends them, how they are forwarded, and which events are reported.
 */
export class Traffic implements NetworkModel {
  readonly events = new Channel<DatapathEvent>();
  readonly random: Random;
  readonly latency: Latency;
  masquerade: MasqueradePolicy;
  readonly cluster: ClusterModel;
  readonly timers = new Timers();
  /** Sent by programs so far. */
  packets = 0;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly delivery: Delivery;
  private readonly processes = new Map<NetNs, Process>();
  private readonly outputs = new Map<Process, (context: PacketContext) => void>();
  private readonly neighbours = new Neighbours({
    timers: this.timers,
    now: () => this.clock.now(),
    emit: (time, node, draft) => this.emit(time, node, draft),
  });
  private collecting: DatapathEvent[] | undefined;
  private seq = 0;
  private cookies = 0;

  constructor(options: WorldOptions, config: DatapathConfig) {
    this.clock = options.clock;
    this.random = options.random;
    this.latency = options.latency ?? { local: 0, wire: 0 };
    this.masquerade = new MasqueradePolicy(config);
    this.delivery = new Delivery((netns, draft) => this.processes.get(netns)?.output(draft), options.schedule);
    this.cluster = new ClusterModel({
      random: options.random,
      config,
      ipam: options.ipam ?? { mode: 'cluster-pool' },
      now: () => this.clock.now(),
      makeProcess: (netns, place) => this.makeProcess(netns, place),
    });
  }

  get config(): DatapathConfig {
    return this.cluster.settings;
  }

  /** A pod is gone, and its sockets with it. */
  forget(pod: Pod): void {
    if (!pod.spec.hostNetwork) {
      this.delivery.closeAll(pod.netns);
      this.processes.delete(pod.netns);
    }
    this.outputs.delete(pod.process);
  }

  /** Ends connected UDP sockets that were led to a backend which is gone. */
  abort(ip: string, port: number): void {
    this.delivery.call(() => this.delivery.abortBackend(ip, port));
  }

  /** Runs the timers that are due by the clock; returns how many. */
  runTimers(): number {
    return this.delivery.call(() => this.timers.runUntil(this.clock.now()));
  }

  emit(time: Milliseconds, node: string, draft: EventDraft): void {
    // A draft is made for this call alone, so it may become the event: a copy of each would be the dearest step of a
    // packet.
    const event = draft as { seq?: number; time?: Milliseconds; node?: string };
    event.seq = this.seq++;
    event.time = time;
    event.node = node;
    this.collecting?.push(event as DatapathEvent);
    this.events.emit(event as DatapathEvent);
  }

  peer(ip: string, port: number, view: Node | undefined): FlowPeer {
    return this.cluster.ipcache.peer(ip, port, view);
  }

  tunnelEndpoint(ip: string): Node | undefined {
    const node = this.cluster.ipcache.nodeByAddress(ip);
    return this.cluster.ipcache.podByIp(ip)?.node ?? (node?.ciliumNode?.routerIp === ip ? node : undefined);
  }

  isNodeAddress(ip: string): boolean {
    return this.cluster.ipcache.nodeByAddress(ip) !== undefined;
  }

  attached(segment: string, ip: string): Attachment | undefined {
    return this.cluster.ipcache.attached(segment, ip);
  }

  deliver(netns: NetNs, packet: Packet, at: Milliseconds): boolean {
    return this.delivery.deliver(netns, packet, at);
  }

  respond(netns: NetNs, draft: PacketDraft): void {
    this.delivery.later(() => this.processes.get(netns)?.output(draft), this.clock.now());
  }

  neighbourUsed(pod: Pod): void {
    if (this.config.neighbourProbes) this.neighbours.used(pod);
  }

  frontendById(node: Node, id: number): { readonly ip: string; readonly port: number } | undefined {
    return this.cluster.services.frontendById(id) ?? node.redirectList().find((frontend) => frontend.id === id);
  }

  private output(process: Process, draft: PacketDraft): PacketOutcome {
    return this.delivery.call(() => {
      const events: DatapathEvent[] = [];
      const outer = this.collecting;
      this.collecting = events;
      const context = new PacketContext(this, { ...draft, number: ++this.packets, ttl: DEFAULT_TTL }, this.clock.now());
      try {
        this.outputs.get(process)?.(context);
      } finally {
        this.collecting = outer;
      }
      return { verdict: context.verdict ?? 'lost', reason: context.reason, events, packet: context.packet };
    });
  }

  private makeProcess(netns: NetNs, place: ProcessPlace): Process {
    const port = {
      random: this.random,
      timers: this.timers,
      delivery: this.delivery,
      now: () => this.clock.now(),
      nextCookie: () => ++this.cookies,
      output: (process: Process, draft: PacketDraft) => this.output(process, draft),
    };
    const describe = (): Caller => describeCaller(netns, place, (ip, view) => this.peer(ip, 0, view));
    const process = new Process(netns, port, describe, () => hooksFor(place, this.config));
    if ('host' in place) this.outputs.set(process, (context) => hostOutput(context, place.host()));
    else if (netns.kind === 'node') this.outputs.set(process, (context) => stackOutput(context, place.node));
    else this.outputs.set(process, (context) => podOutput(context, place.pod!()));
    if (!this.processes.has(netns)) this.processes.set(netns, process);
    if ('node' in place && !place.pod) place.node.socketLb = this.makeSocketLb(place.node);
    return process;
  }

  private makeSocketLb(node: Node): SocketLb {
    const settings = (): DatapathConfig => this.config;
    return new SocketLb({
      frontend: (ip, port, protocol) => node.frontend(ip, port, protocol),
      peer: (ip, port) => this.peer(ip, port, node),
      emit: (draft) => this.emit(this.clock.now(), node.name, draft),
      now: () => node.uptime(this.clock.now()),
      random: this.random,
      node: node.name,
      get loopGuard() {
        return settings().loopGuard;
      },
      revNatMax: this.config.sockRevNatMax,
    });
  }
}
