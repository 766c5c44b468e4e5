import { DROP_REASON } from '../../datapath/events.js';
import type { FlowPeer, PodRef, SockPoint } from '../../datapath/events.js';
import { hash32 } from '../../datapath/packet.js';
import type { Milliseconds } from '../../lib/units.js';
import { ICMP_TYPE_AND_CODE } from '../icmp-types.js';
import { MESSAGE_TYPE } from './flow.js';
import type { Flow } from './flow.js';
import { reservedName } from './filter.js';

export interface Workload {
  readonly name: string;
  readonly kind: string;
}

/** What the JSON form prints beside the event. */
export interface JsonContext {
  readonly clusterName: string;
  /** The controllers of a pod; none for a pod of its own. */
  workloads?(pod: PodRef): readonly Workload[];
  /** The service behind an address. */
  service?(ip: string): { readonly namespace: string; readonly name: string } | undefined;
  /** The address that masquerading gave a packet on its way out. */
  translatedSource?(flow: Flow): string | undefined;
}

const SOCK_POINT: Record<SockPoint, string> = {
  'pre-xlate-fwd': 'SOCK_XLATE_POINT_PRE_DIRECTION_FWD',
  'post-xlate-fwd': 'SOCK_XLATE_POINT_POST_DIRECTION_FWD',
  'pre-xlate-rev': 'SOCK_XLATE_POINT_PRE_DIRECTION_REV',
  'post-xlate-rev': 'SOCK_XLATE_POINT_POST_DIRECTION_REV',
};

/** Names of the drop reasons in the flow API, where they are not the reason's text in capitals. */
const DROP_NAME: Partial<Record<number, string>> = {
  155: 'CT_MAP_INSERTION_FAILED',
  160: 'NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT',
  169: 'FIB_LOOKUP_FAILED',
};

/** The name of a drop reason in the flow API. */
export const dropName = (reason: number, text: string): string =>
  DROP_NAME[reason] ??
  text
    .toUpperCase()
    .replace(/[^A-Z]+/g, '_')
    .replace(/_$/, '');

/** `2025-07-30T14:57:36.751234Z`: RFC 3339 with as many digits as are not zero. */
export function rfc3339(time: Milliseconds): string {
  const whole = Math.floor(time / 1000);
  const micros = Math.round((time - whole * 1000) * 1000);
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`.replace(/(?:000)$/, '');
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

/**
 * One line of `hubble observe -o json`: the names of the flow API in snake case, what is zero left out, 64-bit
 * numbers as text.
 */
export function flowJson(flow: Flow, context: JsonContext): Record<string, unknown> {
  const { event } = flow;
  const time = rfc3339(flow.time);
  const node = `${context.clusterName}/${flow.node}`;
  const translated = context.translatedSource?.(flow);
  const shared = {
    time,
    uuid: uuidOf(flow),
    verdict: flow.verdict,
    ...(event.kind === 'drop' && { drop_reason: flow.subType }),
    IP: {
      source: flow.source.ip,
      ...(translated !== undefined && { source_xlated: translated }),
      destination: flow.destination.ip,
      ipVersion: flow.source.ip.includes(':') ? 'IPv6' : 'IPv4',
    },
    l4: layer4(flow),
    source: endpoint(flow.source, context),
    destination: endpoint(flow.destination, context),
    Type: event.kind === 'sock' ? 'SOCK' : 'L3_L4',
    node_name: node,
    event_type: { type: MESSAGE_TYPE[flow.type], ...(flow.subType !== 0 && { sub_type: flow.subType }) },
    ...service('source_service', flow.source, context),
    ...service('destination_service', flow.destination, context),
  };
  return { flow: { ...shared, ...details(flow), Summary: flow.summary }, node_name: node, time };
}

function details({ event, isReply, subType }: Flow): Record<string, unknown> {
  if (event.kind === 'sock')
    return {
      sock_xlate_point: SOCK_POINT[event.point],
      socket_cookie: String(event.cookie),
      cgroup_id: String(event.cgroupId),
    };
  if (event.kind === 'drop') return { drop_reason_desc: dropName(subType, DROP_REASON[event.reason]) };
  return {
    ...(isReply !== undefined && {
      traffic_direction: directionOf(event.point, isReply),
      is_reply: isReply,
      ...(isReply && { reply: true }),
    }),
    trace_observation_point: event.point.toUpperCase().replaceAll('-', '_'),
    ...(event.reason !== 'unknown' && { trace_reason: event.reason.toUpperCase() }),
    ...(event.interface.index !== 0 && { interface: { index: event.interface.index, name: event.interface.name } }),
  };
}

/**
 * What is handed to an endpoint is ingress, what leaves one egress; a reply belongs to the direction of its request.
 */
function directionOf(point: string, isReply: boolean): string {
  const ingress = point === 'to-endpoint';
  return ingress !== isReply ? 'INGRESS' : 'EGRESS';
}

function layer4(flow: Flow): Record<string, unknown> {
  const ports = {
    ...(flow.source.port !== 0 && { source_port: flow.source.port }),
    ...(flow.destination.port !== 0 && { destination_port: flow.destination.port }),
  };
  const tcp = 'packet' in flow.event ? flow.event.packet.tcp : undefined;
  if (flow.protocol === 'TCP')
    return { TCP: { ...ports, ...(tcp && { flags: Object.fromEntries(tcp.flags.map((flag) => [flag, true])) }) } };
  if (flow.protocol === 'UDP') return { UDP: ports };
  const kind = 'packet' in flow.event ? flow.event.packet.icmp?.kind : undefined;
  const v6 = flow.source.ip.includes(':');
  const [type, code] = ICMP_TYPE_AND_CODE[kind ?? 'echo-request'][v6 ? 'v6' : 'v4'];
  return {
    [v6 ? 'ICMPv6' : 'ICMPv4']: { ...(type !== 0 && { type }), ...(code !== 0 && { code }) },
  };
}

function endpoint({ identity, pod }: FlowPeer, context: JsonContext): Record<string, unknown> {
  if (!pod) return { ...(identity !== 0 && { identity }), labels: [`reserved:${reservedName(identity) ?? 'unknown'}`] };
  const workloads = context.workloads?.(pod) ?? [];
  return {
    ID: pod.endpointId,
    identity,
    cluster_name: context.clusterName,
    namespace: pod.namespace,
    labels: pod.labels,
    pod_name: pod.name,
    ...(workloads.length > 0 && { workloads }),
  };
}

function service(key: string, { ip, pod }: FlowPeer, context: JsonContext): Record<string, unknown> {
  const found = pod ? undefined : context.service?.(ip);
  return found ? { [key]: { name: found.name, namespace: found.namespace } } : {};
}

/**
 * An identifier that is the same in each run, in the form of RFC 9562 version 8 (made by the application's own rule).
 */
function uuidOf({ event, node }: Flow): string {
  const words = [0, 1, 2, 3]
    .map((salt) =>
      hash32(`${node}|${event.seq}|${event.time}`, salt + 1)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  return `${words.slice(0, 8)}-${words.slice(8, 12)}-8${words.slice(13, 16)}-a${words.slice(17, 20)}-${words.slice(20, 32)}`;
}
