import type { FlowPeer } from '../../datapath/events.js';
import { hostPort } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Flow } from './flow.js';
import { reservedName } from './filter.js';
import type { HubbleOptions } from './options.js';
import { flowJson } from './json.js';
import type { JsonContext } from './json.js';
import { layOut } from '../table.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SEPARATOR = '------------';
const TABLE = { minWidth: 2, padding: 3 };
const two = (value: number): string => String(value).padStart(2, '0');

/** `Jul 30 14:57:36.751`: UTC, the day padded with a blank (Go's StampMilli). */
export function stamp(time: Milliseconds): string {
  const date = new Date(Math.floor(time));
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return (
    `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ` +
    `${clock}.${String(date.getUTCMilliseconds()).padStart(3, '0')}`
  );
}

type Style = Pick<HubbleOptions, 'nodeName' | 'translate'>;

/** `namespace/pod:port`, or the address; a port that is not known is left out. */
function name({ ip, port, pod }: FlowPeer, translate: boolean): string {
  const host = translate && pod ? `${pod.namespace}/${pod.name}` : ip;
  return port === 0 ? host : hostPort(host, port);
}

const identity = (number: number): string => `(${reservedName(number) ?? `ID:${number}`})`;

/** The line of the compact output. The sides of a reply are exchanged, so that the client stays on the left. */
export function compactLine(flow: Flow, { nodeName, translate }: Style): string {
  const arrow = flow.isReply === undefined ? '<>' : flow.isReply ? '<-' : '->';
  const [left, right] = flow.isReply ? [flow.destination, flow.source] : [flow.source, flow.destination];
  const node = nodeName ? ` [${flow.node}]` : '';
  return (
    `${stamp(flow.time)}${node}: ${name(left, translate)} ${identity(left.identity)} ` +
    `${arrow} ${name(right, translate)} ${identity(right.identity)} ${flow.point} ` +
    `${flow.verdict} (${flow.summary})`
  );
}

function columns(flow: Flow, { nodeName, translate }: Style): string[] {
  return [
    stamp(flow.time),
    ...(nodeName ? [flow.node] : []),
    name(flow.source, translate),
    name(flow.destination, translate),
    flow.point,
    flow.verdict,
    flow.summary,
  ];
}

function dictLines(flow: Flow, style: Style): string[] {
  const keys = [
    'TIMESTAMP',
    ...(style.nodeName ? ['NODE'] : []),
    'SOURCE',
    'DESTINATION',
    'TYPE',
    'VERDICT',
    'SUMMARY',
  ];
  return columns(flow, style).map((value, i) => `${keys[i]!.padStart('DESTINATION'.length)}: ${value}`);
}

/** Turns flows into lines of one output form. A table is laid out over all flows that are given at once. */
export class FlowPrinter {
  private printed = 0;

  constructor(
    private readonly options: Pick<HubbleOptions, 'output' | 'nodeName' | 'translate'>,
    private readonly context: JsonContext,
  ) {}

  lines(flows: readonly Flow[]): string[] {
    const { output } = this.options;
    if (output === 'table') return this.table(flows);
    return flows.flatMap((flow) => {
      const first = this.printed++ === 0;
      if (output === 'compact') return [compactLine(flow, this.options)];
      if (output === 'dict') return [...(first ? [] : [SEPARATOR]), ...dictLines(flow, this.options)];
      return [JSON.stringify(flowJson(flow, this.context))];
    });
  }

  private table(flows: readonly Flow[]): string[] {
    const head = [
      'TIMESTAMP',
      ...(this.options.nodeName ? ['NODE'] : []),
      'SOURCE',
      'DESTINATION',
      'TYPE',
      'VERDICT',
      'SUMMARY',
    ];
    const rows = flows.map((flow) => columns(flow, this.options));
    const first = this.printed === 0;
    this.printed += flows.length;
    if (flows.length === 0) return [];
    return layOut(first ? [head, ...rows] : rows, TABLE);
  }
}
