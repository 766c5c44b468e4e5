import type { Interface } from '../netns/interface.js';
import type { OutsideHost } from '../cluster/external-host.js';
import { fragmentsFor } from '../packet.js';
import type { Attachment } from '../cluster/ipcache.js';
import type { Walk } from './context.js';
import { transmitTo } from './node.js';
import { loopback } from './pod.js';

/** A packet that a process outside the cluster sends. */
export function hostOutput(walk: Walk, host: OutsideHost): void {
  if (host.netns.hasAddress(walk.packet.dst)) return loopback(walk, host.name, host.netns);
  walk.fragments = fragmentsFor(walk.packet, host.netns.mtuTo(walk.packet.dst));
  send(walk, host);
}

/** A packet comes in at a machine outside the cluster: it is for it, or is passed on if the machine is a router. */
export function hostInput(walk: Walk, host: OutsideHost, at: Attachment, from: Interface): void {
  walk.capture(host.name, host.netns, at.device, 'In', from.mac, at.device.mac);
  walk.time += walk.fabric.latency.local;
  if (!walk.encapsulation && host.netns.hasAddress(walk.packet.dst)) return walk.arrive(host.name, host.netns);
  if (!host.spec.forward)
    return walk.lose(host.name, `${host.name} does not forward and does not have ${walk.routedTo}`);
  if (!walk.decrementTtl()) return walk.lose(host.name, 'time to live exceeded');
  send(walk, host);
}

function send(walk: Walk, host: OutsideHost): void {
  const route = host.netns.routes.lookup(walk.routedTo);
  if (!route) return walk.lose(host.name, `${host.name} has no route to ${walk.routedTo}`);
  transmitTo(walk, host, route);
}
