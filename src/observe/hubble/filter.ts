import { cidrContains, parseCidr, parseIp } from '../../lib/cidr.js';
import type { FlowPeer } from '../../datapath/events.js';
import { RESERVED_IDENTITY } from '../../datapath/cluster/identity.js';
import { MESSAGE_TYPE } from './flow.js';
import type { Flow } from './flow.js';
import { OptionError } from '../option-error.js';

export type FlowTest = (flow: Flow) => boolean;

/** A service of the cluster as far as filters need it. */
export interface ServiceAddresses {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What filters may look up beside the flow itself. */
export interface FilterContext {
  services(): readonly ServiceAddresses[];
}

const NONE: FilterContext = { services: () => [] };
const VERDICTS = ['FORWARDED', 'DROPPED', 'AUDIT', 'REDIRECTED', 'ERROR', 'TRACED', 'TRANSLATED'];
/**
 * What `--protocol` takes. The model has no L7 proxy, so the L7 names match nothing, as on a cluster without L7
 * policy.
 */
const PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmpv4', 'icmpv6', 'sctp', 'http', 'dns', 'kafka'];
const TYPES = ['capture', 'drop', 'l7', 'policy-verdict', 'trace', 'trace-sock'];
const TRACE_POINTS = [
  'to-endpoint',
  'to-proxy',
  'to-host',
  'to-stack',
  'to-overlay',
  'from-endpoint',
  'from-proxy',
  'from-host',
  'from-stack',
  'from-overlay',
  'from-network',
  'to-network',
];

type Side = 'any' | 'from' | 'to';
type Make = (value: string, context: FilterContext) => FlowTest;

const fail = (message: string): never => {
  throw new OptionError('hubble observe', message);
};

const either = (side: Side, test: (peer: FlowPeer) => boolean): FlowTest => {
  if (side === 'from') return (flow) => test(flow.source);
  if (side === 'to') return (flow) => test(flow.destination);
  return (flow) => test(flow.source) || test(flow.destination);
};

const pod =
  (flag: string, side: Side): Make =>
  (value) => {
    const slash = value.indexOf('/');
    const namespace = slash < 0 ? 'default' : value.slice(0, slash);
    const prefix = slash < 0 ? value : value.slice(slash + 1);
    if (namespace === '' && prefix === '')
      fail(`invalid argument "${value}" for "--${flag}": want [NAMESPACE/]POD-PREFIX`);
    return either(
      side,
      (peer) =>
        peer.pod !== undefined &&
        (namespace === '' || peer.pod.namespace === namespace) &&
        peer.pod.name.startsWith(prefix),
    );
  };

const namespace =
  (side: Side): Make =>
  (value) =>
    either(side, (peer) => peer.pod?.namespace === value);

const port =
  (flag: string, side: Side): Make =>
  (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number > 65_535)
      fail(`invalid argument "${value}" for "--${flag}": want a port number from 0 to 65535`);
    return either(side, (peer) => peer.port === number);
  };

const address =
  (flag: string, side: Side): Make =>
  (value) => {
    const cidr = parseCidr(value);
    if (!cidr) return fail(`invalid argument "${value}" for "--${flag}": want an IP address or CIDR`);
    return either(side, (peer) => cidrContains(cidr, parseIp(peer.ip)!));
  };

const identity =
  (flag: string, side: Side): Make =>
  (value) => {
    const reserved = RESERVED_IDENTITY[value.replace(/^reserved:/, '') as keyof typeof RESERVED_IDENTITY] as
      number | undefined;
    const number = reserved ?? Number(value);
    if (reserved === undefined && !/^\d+$/.test(value))
      fail(
        `invalid argument "${value}" for "--${flag}": want a number or one of ${Object.keys(RESERVED_IDENTITY).join(', ')}`,
      );
    return either(side, (peer) => peer.identity === number);
  };

/** A label of a pod with its source, `k8s:app=curl`; `app=curl` and `app` match any source and any value. */
const label =
  (side: Side): Make =>
  (value) => {
    const wanted = value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    if (wanted.length === 0) fail(`invalid argument "${value}" for "--label": want KEY[=VALUE]`);
    const has = (labels: readonly string[], part: string): boolean =>
      labels.some((text) =>
        [text, text.slice(text.indexOf(':') + 1)].some((form) => form === part || form.startsWith(`${part}=`)),
      );
    return either(side, (peer) =>
      wanted.every((part) => has(peer.pod?.labels ?? [`reserved:${reservedName(peer.identity) ?? ''}`], part)),
    );
  };

const service =
  (side: Side): Make =>
  (value, context) => {
    const slash = value.indexOf('/');
    const space = slash < 0 ? 'default' : value.slice(0, slash);
    const prefix = slash < 0 ? value : value.slice(slash + 1);
    const matching = (ip: string): boolean =>
      context
        .services()
        .some((one) => one.namespace === space && one.name.startsWith(prefix) && one.addresses.includes(ip));
    return either(side, (peer) => matching(peer.ip));
  };

const verdict: Make = (value) => {
  const wanted = value.toUpperCase();
  if (!VERDICTS.includes(wanted))
    fail(`invalid argument "${value}" for "--verdict": want one of ${VERDICTS.join(', ')}`);
  return (flow) => flow.verdict === wanted;
};

const protocol: Make = (value) => {
  const wanted = value.toLowerCase();
  if (!PROTOCOLS.includes(wanted))
    fail(`invalid argument "${value}" for "--protocol": want one of ${PROTOCOLS.join(', ')}`);
  if (wanted === 'icmpv4' || wanted === 'icmpv6')
    return (flow) => flow.protocol === 'ICMP' && flow.source.ip.includes(':') === (wanted === 'icmpv6');
  return (flow) => flow.protocol.toLowerCase() === wanted;
};

const type: Make = (value) => {
  const [name = '', sub] = value.split(':', 2);
  if (!TYPES.includes(name))
    fail(`invalid argument "${value}" for "--type": want one of ${TYPES.join(', ')}, with a sub type after a colon`);
  if (name === 'trace' && sub !== undefined && !TRACE_POINTS.includes(sub) && !/^\d+$/.test(sub))
    fail(`invalid argument "${value}" for "--type": the points of trace are ${TRACE_POINTS.join(', ')}`);
  if (!(name in MESSAGE_TYPE)) return () => false;
  return (flow) => flow.type === name && (sub === undefined || flow.point === sub || String(flow.subType) === sub);
};

const tcpFlags: Make = (value) => {
  const wanted = value.toUpperCase().split(',');
  const known = ['SYN', 'ACK', 'RST', 'FIN', 'PSH', 'URG', 'ECE', 'CWR', 'NS'];
  for (const flag of wanted)
    if (!known.includes(flag)) fail(`invalid argument "${value}" for "--tcp-flags": want some of ${known.join(', ')}`);
  return ({ event }) =>
    'packet' in event &&
    event.packet.tcp !== undefined &&
    wanted.every((flag) => (event.packet.tcp!.flags as readonly string[]).includes(flag));
};

const sides = (name: string, make: (flag: string, side: Side) => Make): [string, Make][] => [
  [name, make(name, 'any')],
  [`from-${name}`, make(`from-${name}`, 'from')],
  [`to-${name}`, make(`to-${name}`, 'to')],
];

/** The filter options of `hubble observe` by name. */
export const FILTERS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ...sides('pod', pod),
  ...sides('port', port),
  ...sides('ip', address),
  ...sides('identity', identity),
  ...sides('namespace', (_, side) => namespace(side)),
  ...sides('label', (_, side) => label(side)),
  ...sides('service', (_, side) => service(side)),
  ['verdict', verdict],
  ['protocol', protocol],
  ['type', type],
  ['tcp-flags', tcpFlags],
  ['node-name', (value) => nodeName(value)],
]);

/** `k8s-*` and `cluster/k8s-ctr`, as Hubble's node name patterns. */
function nodeName(value: string): FlowTest {
  const name = value.slice(value.indexOf('/') + 1);
  const pattern = new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  return (flow) => name === '' || pattern.test(flow.node);
}

/** Conditions of one list: values of the same option are alternatives, different options must all hold. */
export class FilterList {
  private readonly byFlag = new Map<string, FlowTest[]>();

  add(flag: string, value: string, context: FilterContext = NONE): void {
    const tests = this.byFlag.get(flag) ?? [];
    tests.push(FILTERS.get(flag)!(value, context));
    this.byFlag.set(flag, tests);
  }

  get isEmpty(): boolean {
    return this.byFlag.size === 0;
  }

  matches(flow: Flow): boolean {
    for (const tests of this.byFlag.values()) if (!tests.some((test) => test(flow))) return false;
    return true;
  }
}

const RESERVED_NAMES = new Map<number, string>(
  Object.entries(RESERVED_IDENTITY).map(([name, number]) => [number, name]),
);

/** The word for a reserved identity; undefined for the others. */
export const reservedName = (number: number): string | undefined => RESERVED_NAMES.get(number);
