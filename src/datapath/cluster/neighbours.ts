import type { Milliseconds } from '../../lib/units.js';
import type { Pod } from './endpoint.js';
import type { ArpEvent } from '../events.js';
import type { Timers } from '../timers.js';

/** How long a stale entry is used before it is asked for (delay_first_probe_time of Linux). */
const DELAY: Milliseconds = 5_000;
/** How long an answer holds; Linux draws from half to one and a half of it (base_reachable_time). */
const REACHABLE: Milliseconds = 30_000;

export type ArpDraft = Omit<ArpEvent, 'seq' | 'time' | 'node'>;

export interface NeighbourPort {
  readonly timers: Timers;
  now(): Milliseconds;
  emit(time: Milliseconds, node: string, draft: ArpDraft): void;
}

/**
 * The neighbour entries of pods. A pod knows its router's hardware address from its start; once it uses the entry,
 * its kernel asks
 * for it again a while later (RFC 4861 section 7.3.3 describes the states, Linux keeps ARP's the same way). The host
 * side of the
 * veth pair answers all such questions with its own address.
 */
export class Neighbours {
  /** By pod: until when nothing is asked. Infinity while a question is due. */
  private readonly quiet = new WeakMap<Pod, Milliseconds>();

  constructor(private readonly port: NeighbourPort) {}

  /** A pod sends something to its router. */
  used(pod: Pod): void {
    const now = this.port.now();
    if ((this.quiet.get(pod) ?? -Infinity) > now) return;
    this.quiet.set(pod, Infinity);
    this.port.timers.set(now + DELAY, () => this.ask(pod));
  }

  private ask(pod: Pod): void {
    const { endpoint, node, netns } = pod;
    const eth0 = netns.interface('eth0');
    const router = node.ciliumNode?.routerIp;
    // The pod is gone, or has lost its agent: nobody answers.
    if (!endpoint || !eth0 || router === undefined) return;
    const now = this.port.now();
    this.quiet.set(pod, now + REACHABLE);
    const inside = { netns: netns.id, device: 'eth0', deviceIndex: eth0.index };
    const outside = { netns: node.netns.id, device: endpoint.device, deviceIndex: endpoint.ifindex };
    const request = {
      kind: 'arp' as const,
      operation: 'request' as const,
      senderIp: pod.ip,
      senderMac: endpoint.mac,
      targetIp: router,
      targetMac: '00:00:00:00:00:00',
    };
    const reply = {
      kind: 'arp' as const,
      operation: 'reply' as const,
      senderIp: router,
      senderMac: endpoint.nodeMac,
      targetIp: pod.ip,
      targetMac: endpoint.mac,
    };
    this.port.emit(now, node.name, { ...request, ...inside, direction: 'Out' });
    this.port.emit(now, node.name, { ...request, ...outside, direction: 'In' });
    this.port.emit(now, node.name, { ...reply, ...outside, direction: 'Out' });
    this.port.emit(now, node.name, { ...reply, ...inside, direction: 'In' });
  }
}
