import type { ProcessPlace } from './cluster/cluster.js';
import type { DatapathConfig } from './config.js';
import type { FlowPeer } from './events.js';
import type { NetNs } from './netns/netns.js';
import type { Node } from './cluster/node.js';
import type { Caller, SocketLb } from './loadbalancer/socket-lb.js';

/** First cgroup number of modelled pods: the number only has to differ from pod to pod. */
const CGROUP_BASE = 7_000;
const NO_ADDRESSES: ReadonlySet<string> = new Set();

/** The programs of a namespace as the socket hook sees them. */
export function describeCaller(
  netns: NetNs,
  place: ProcessPlace,
  peer: (ip: string, view: Node | undefined) => FlowPeer,
): Caller {
  const node = 'node' in place ? place.node : undefined;
  const pod = 'node' in place ? place.pod?.() : undefined;
  const ip = pod?.ip ?? node?.internalIp ?? netns.addresses[0] ?? '';
  return {
    netns: netns.id,
    netnsCookie: netns.cookie,
    cgroupId: CGROUP_BASE + netns.cookie,
    hostNamespace: netns.kind === 'node',
    peer: peer(ip, node),
    ownAddresses: netns.kind === 'pod' ? new Set([ip]) : NO_ADDRESSES,
  };
}

/** The socket hook as the settings have it for this kind of namespace; undefined where there is none. */
export function hooksFor(place: ProcessPlace, config: DatapathConfig): SocketLb | undefined {
  if ('host' in place || config.socketLb === 'off') return undefined;
  const pod = place.pod?.();
  if (pod && !pod.spec.hostNetwork && (config.socketLb === 'host-only' || pod.unmanaged)) return undefined;
  return place.node.socketLb;
}
