import { DROP_REASON } from '../../datapath/events.js';
import type { DatapathEvent, DropEvent, TraceEvent, TracePoint } from '../../datapath/events.js';
import type { IcmpFields, Packet } from '../../datapath/packet.js';
import { flowHash } from '../../datapath/packet.js';
import { hostPort } from '../../lib/cidr.js';
import type { World } from '../../datapath/world.js';
import { reservedName } from '../hubble/filter.js';
import { flagText } from '../hubble/flow.js';
import { OptionError } from '../option-error.js';

const ICMP_TEXT: Record<IcmpFields['kind'], string> = {
  'echo-request': 'EchoRequest',
  'echo-reply': 'EchoReply',
  'port-unreachable': 'DestinationUnreachable(Port)',
  'host-unreachable': 'DestinationUnreachable(Host)',
  'frag-needed': 'DestinationUnreachable(FragmentationNeeded)',
  'time-exceeded': 'TimeExceeded(TTLExceeded)',
};

/** Flags in the order of monitor, which leaves PSH out. */
const monitorFlags = (packet: Packet): string => flagText(packet.tcp!.flags.filter((flag) => flag !== 'PSH'));

function connection(packet: Packet): string {
  if (packet.icmp) return `${packet.src} -> ${packet.dst} icmp ${ICMP_TEXT[packet.icmp.kind]}`;
  const ends = `${hostPort(packet.src, packet.sport)} -> ${hostPort(packet.dst, packet.dport)}`;
  return packet.tcp ? `${ends} tcp ${monitorFlags(packet)}` : `${ends} udp`;
}

const identity = (number: number): string => reservedName(number) ?? String(number);

/** How a line begins: an arrow into or out of an endpoint or another place. */
function place(point: TracePoint, endpoint: number): string {
  const [direction, where] = point.split('-') as ['to' | 'from', string];
  const arrow = direction === 'to' ? '->' : '<-';
  if (where === 'endpoint') return `${arrow} endpoint ${endpoint}`;
  return direction === 'to' && where === 'host' ? '-> host from' : `${arrow} ${where}`;
}

/** A line of `cilium-dbg monitor`; undefined for what it does not show. */
export function monitorLine(event: DatapathEvent): string | undefined {
  if (event.kind === 'trace') return traceLine(event);
  return event.kind === 'drop' ? dropLine(event) : undefined;
}

function traceLine({
  point,
  endpointId,
  flow,
  source,
  destination,
  reason,
  interface: device,
  originalSource,
  packet,
}: TraceEvent): string {
  const name = device.index === 0 ? '0' : device.name;
  return (
    `${place(point, endpointId)} flow 0x${flow.toString(16)} , identity ` +
    `${identity(source.identity)}->${identity(destination.identity)} state ${reason} ifindex ` +
    `${name} orig-ip ${originalSource}: ${connection(packet)}`
  );
}

function dropLine({ reason, packet, source, destination }: DropEvent): string {
  return (
    `xx drop (${DROP_REASON[reason]}) flow 0x${flowHash(packet).toString(16)} to endpoint ` +
    `${destination.pod?.endpointId ?? 0}, ifindex 0, file unknown:0, , identity ` +
    `${identity(source.identity)}->${identity(destination.identity)}: ${connection(packet)}`
  );
}

interface MonitorOptions {
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  readonly related: ReadonlySet<number>;
  readonly types: ReadonlySet<string>;
}

const TYPES = ['drop', 'trace'];
const fail = (message: string): never => {
  throw new OptionError('cilium-dbg monitor', message);
};

function parse(args: readonly string[]): MonitorOptions {
  const sets = { from: new Set<number>(), to: new Set<number>(), 'related-to': new Set<number>() };
  const types = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const match = /^(?:--(from|to|related-to|type)|-t)(?:=(.*))?$/.exec(args[i]!);
    if (!match) fail(`unknown option ${args[i]}: want --from, --to, --related-to or --type`);
    const name = (match![1] ?? 'type') as keyof typeof sets | 'type';
    const value = match![2] ?? args[++i];
    if (value === undefined) fail(`option --${name} needs a value`);
    for (const part of value!.split(',')) {
      if (name === 'type') {
        if (!TYPES.includes(part)) fail(`unknown type "${part}": want one of ${TYPES.join(', ')}`);
        types.add(part);
      } else if (/^\d+$/.test(part)) sets[name].add(Number(part));
      else fail(`"${part}" is no endpoint number (--${name})`);
    }
  }
  return { from: sets.from, to: sets.to, related: sets['related-to'], types };
}

/**
 * `cilium-dbg monitor ARGS` on a node: hands over each line as it happens. Returns the function that ends it. Throws
 * an OptionError.
 */
export function startMonitor(
  world: World,
  node: string,
  args: readonly string[],
  onLine: (line: string) => void,
): () => void {
  const options = parse(args);
  return world.events.subscribe((event) => {
    if (event.node !== node || (event.kind !== 'trace' && event.kind !== 'drop') || !wanted(event, options)) return;
    onLine(monitorLine(event)!);
  });
}

/** The number that a message names as its source is that of the endpoint whose program sent it. */
function wanted(event: TraceEvent | DropEvent, { from, to, related, types }: MonitorOptions): boolean {
  if (types.size > 0 && !types.has(event.kind)) return false;
  // A packet is delivered by the program of the endpoint that gets it.
  const delivered = event.kind === 'trace' && event.point === 'to-endpoint' ? event.endpointId : undefined;
  const source = delivered ?? event.source.pod?.endpointId ?? 0;
  const target = delivered ?? event.destination.pod?.endpointId ?? 0;
  if (from.size + to.size + related.size === 0) return true;
  return from.has(source) || to.has(target) || related.has(source) || related.has(target);
}
