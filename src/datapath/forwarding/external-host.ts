import type { Interface } from '../netns/interface.js';
import type { ExternalHost } from '../cluster/external-host.js';
import { fragmentsFor } from '../packet.js';
import type { Attachment } from '../cluster/ipcache.js';
import type { PacketContext } from './context.js';
import { transmitTo } from './node.js';
import { loopback } from './pod.js';

/** A packet that a process outside the cluster sends. */
export function hostOutput(context: PacketContext, host: ExternalHost): void {
  if (host.netns.hasAddress(context.packet.dst)) return loopback(context, host.name, host.netns);
  context.fragments = fragmentsFor(context.packet, host.netns.mtuTo(context.packet.dst));
  send(context, host);
}

/** A packet comes in at a machine outside the cluster: it is for it, or is passed on if the machine is a router. */
export function hostInput(context: PacketContext, host: ExternalHost, at: Attachment, from: Interface): void {
  context.capture(host.name, host.netns, at.device, 'In', from.mac, at.device.mac);
  context.time += context.network.latency.local;
  if (!context.encapsulation && host.netns.hasAddress(context.packet.dst))
    return context.deliver(host.name, host.netns);
  if (!host.spec.forward)
    return context.lose(host.name, `${host.name} does not forward and does not have ${context.routedTo}`);
  if (!context.decrementTtl()) return context.lose(host.name, 'time to live exceeded');
  send(context, host);
}

function send(context: PacketContext, host: ExternalHost): void {
  const route = host.netns.routes.lookup(context.routedTo);
  if (!route) return context.lose(host.name, `${host.name} has no route to ${context.routedTo}`);
  transmitTo(context, host, route);
}
