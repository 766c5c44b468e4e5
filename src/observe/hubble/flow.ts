import { DROP_REASON, TRACE_POINT_NUMBER } from '../../datapath/events.js';
import type { DatapathEvent, DropEvent, FlowPeer, SockEvent, SockPoint, TraceEvent } from '../../datapath/events.js';
import type { Packet, IpProtocol, TcpFlag } from '../../datapath/packet.js';
import { ipFamily } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';

/** What Hubble says became of a packet: passed, dropped, looked at by the socket hook, or changed by it. */
export type FlowVerdict = 'FORWARDED' | 'DROPPED' | 'TRACED' | 'TRANSLATED';

/** Kinds of monitor messages and their numbers (cilium monitor API). */
export const MESSAGE_TYPE = { drop: 1, trace: 4, 'trace-sock': 7 } as const;
export type FlowType = keyof typeof MESSAGE_TYPE;

export const SOCK_POINT_NUMBER: Record<SockPoint, number> = {
  'pre-xlate-fwd': 1,
  'post-xlate-fwd': 2,
  'pre-xlate-rev': 3,
  'post-xlate-rev': 4,
};

/** One line of Hubble. Times are UTC. */
export interface Flow {
  readonly time: Milliseconds;
  readonly node: string;
  readonly type: FlowType;
  /** Number of the observation point, of the socket point, or of the drop reason. */
  readonly subType: number;
  /** The TYPE column: an observation point, or the reason of a drop. */
  readonly point: string;
  readonly verdict: FlowVerdict;
  readonly protocol: IpProtocol;
  readonly source: FlowPeer;
  readonly destination: FlowPeer;
  /** undefined where the direction is unknown: socket events and drops. */
  readonly isReply: boolean | undefined;
  readonly summary: string;
  readonly event: TraceEvent | SockEvent | DropEvent;
}

/**
 * What Hubble makes of an event; undefined for what it does not show: captures, losses, and socket calls of host
 * processes, whose cgroup is no pod's.
 */
export function flowOf(event: DatapathEvent): Flow | undefined {
  switch (event.kind) {
    case 'trace': {
      const { packet } = event;
      return {
        ...base(event),
        type: 'trace',
        subType: TRACE_POINT_NUMBER[event.point],
        point: event.point,
        verdict: 'FORWARDED',
        protocol: packet.protocol,
        isReply: event.isReply,
        summary: summaryOf(packet),
      };
    }
    case 'drop': {
      const { packet } = event;
      return {
        ...base(event),
        type: 'drop',
        subType: event.reason,
        point: DROP_REASON[event.reason],
        verdict: 'DROPPED',
        protocol: packet.protocol,
        isReply: undefined,
        summary: summaryOf(packet),
      };
    }
    case 'sock':
      if (event.hostNamespace) return undefined;
      return {
        ...base(event),
        type: 'trace-sock',
        subType: SOCK_POINT_NUMBER[event.point],
        point: event.point,
        verdict: event.point.startsWith('pre') ? 'TRACED' : 'TRANSLATED',
        protocol: event.protocol,
        isReply: undefined,
        summary: event.protocol,
      };
    default:
      return undefined;
  }
}

const base = <Event extends TraceEvent | SockEvent | DropEvent>(
  event: Event,
): Pick<Flow, 'time' | 'node' | 'source' | 'destination' | 'event'> => ({
  time: event.time,
  node: event.node,
  source: event.source,
  destination: event.destination,
  event,
});

const FLAG_ORDER: readonly TcpFlag[] = ['SYN', 'ACK', 'RST', 'FIN', 'PSH'];

/** Flags as flow lines and monitor print them: `SYN, ACK`, `ACK, FIN`. */
export const flagText = (flags: readonly TcpFlag[]): string =>
  FLAG_ORDER.filter((flag) => flags.includes(flag)).join(', ');

const ICMP_NAME = {
  'echo-request': ['EchoRequest', 'EchoRequest'],
  'echo-reply': ['EchoReply', 'EchoReply'],
  'port-unreachable': ['DestinationUnreachable(Port)', 'DestinationUnreachable(Port)'],
  'host-unreachable': ['DestinationUnreachable(Host)', 'DestinationUnreachable(NoRouteToDst)'],
  'frag-needed': ['DestinationUnreachable(FragmentationNeeded)', 'PacketTooBig'],
  'time-exceeded': ['TimeExceeded(TTLExceeded)', 'TimeExceeded(HopLimitExceeded)'],
} as const;

/** The SUMMARY column without its brackets. */
function summaryOf({ protocol, tcp, icmp, src }: Packet): string {
  if (tcp) return `TCP Flags: ${flagText(tcp.flags)}`;
  if (!icmp) return protocol;
  const v6 = ipFamily(src) === 6;
  return `ICMPv${v6 ? 6 : 4} ${ICMP_NAME[icmp.kind][v6 ? 1 : 0]}`;
}
