import { isIpv4 } from '../../datapath/address.js';
import type { ArpEvent, CaptureEvent, Encapsulation } from '../../datapath/events.js';
import { PROTOCOL_NUMBER, hasFlag, ipLength } from '../../datapath/packet.js';
import type { IcmpFields, Packet, TcpFlag } from '../../datapath/packet.js';
import type { Milliseconds } from '../../lib/units.js';
import { FRAME_HEADER } from '../../wire/index.js';
import { dnsText } from './dns.js';

export interface LineStyle {
  /** The device goes before the packet, as with `-i any`. */
  readonly device: boolean;
  /** -n: ports and hardware vendors are not named. */
  readonly numeric: boolean;
  /** What stands for an address; the address itself where it is left out. */
  readonly nameOf?: (address: string) => string;
  /** -q */
  readonly quick: boolean;
  /** -S */
  readonly absolute: boolean;
  /** -t: no time. */
  readonly noTime: boolean;
  /** Minutes that the clock of the machine is ahead of UTC. */
  readonly offset: number;
}

/** What tcpdump captures: packets and ARP. */
export type CapturedFrame = CaptureEvent | ArpEvent;

const DNS_PORT = 53;
/** Ports that tcpdump takes for HTTP. */
const HTTP_PORTS = [80, 8080, 3128];
const HTTP_METHODS =
  'GET|PUT|COPY|HEAD|LOCK|MOVE|POLL|POST|BCOPY|BMOVE|MKCOL|TRACE|LABEL|MERGE|DELETE|SEARCH|UNLOCK|REPORT|UPDATE|' +
  'NOTIFY|BDELETE|CONNECT|OPTIONS|CHECKIN';
const HTTP_LINE = new RegExp(`^(?:${HTTP_METHODS}|HTTP/\\d)`);
/** Names of /etc/services for ports that turn up in a cluster. */
const SERVICES: ReadonlyMap<number, string> = new Map([
  [22, 'ssh'],
  [53, 'domain'],
  [67, 'bootps'],
  [68, 'bootpc'],
  [80, 'http'],
  [123, 'ntp'],
  [179, 'bgp'],
  [443, 'https'],
  [853, 'domain-s'],
  [8080, 'http-alt'],
  [8472, 'otv'],
]);

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:50:00.788456` */
function clock(time: Milliseconds, offset: number): string {
  const micros = Math.round(time * 1000) + offset * 60_000_000;
  const seconds = Math.floor(micros / 1e6);
  const date = new Date(seconds * 1000);
  const whole = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${whole}.${String(micros - seconds * 1e6).padStart(6, '0')}`;
}

/** First sequence numbers of a conversation, to print the following ones relative to them. */
interface InitialSequence {
  readonly seq: number;
  readonly ack: number;
}

/**
 * Prints frames as tcpdump 4.99 does. Keeps the sequence numbers that each conversation started with, so frames go
 * through one printer in order.
 */
export class LinePrinter {
  private readonly origins = new Map<string, InitialSequence>();

  constructor(private readonly style: LineStyle) {}

  /** The line of a frame; two for a packet inside a VXLAN one. */
  lines(frame: CapturedFrame): string[] {
    const { style } = this;
    const time = style.noTime ? '' : `${clock(frame.time, style.offset)} `;
    const head = time + (style.device ? `${frame.device.padEnd(5)} ${frame.direction.padEnd(3)} ` : '');
    if (frame.kind === 'arp') return [`${head}ARP, ${this.arp(frame)}, length 28`];
    const inner = this.datagram(frame);
    if (!frame.encapsulation) return [head + inner];
    const { text, separator } = tunnel(frame.encapsulation);
    const outer =
      `${head}IP ${this.socket(frame.encapsulation.src, frame.encapsulation.sport)} > ` +
      `${this.socket(frame.encapsulation.dst, frame.encapsulation.dport)}: ${text}`;
    return separator === '\n' ? [outer, inner] : [`${outer}${separator}${inner}`];
  }

  private arp({ operation, senderIp, senderMac, targetIp }: ArpEvent): string {
    if (operation === 'request') return `Request who-has ${this.name(targetIp)} tell ${this.name(senderIp)}`;
    return `Reply ${this.name(senderIp)} is-at ${senderMac}${this.style.numeric ? '' : ' (oui Unknown)'}`;
  }

  private datagram({ packet, fragment }: CaptureEvent): string {
    const family = isIpv4(packet.src) ? 'IP' : 'IP6';
    const hosts = `${this.name(packet.src)} > ${this.name(packet.dst)}`;
    if (fragment && fragment.offset > 0) {
      const name = this.style.numeric ? `ip-proto-${PROTOCOL_NUMBER[packet.protocol]}` : packet.protocol.toLowerCase();
      return `${family} ${hosts}: ${name}`;
    }
    if (packet.icmp) return `${family} ${hosts}: ${icmpText(packet, packet.icmp, (address) => this.name(address))}`;
    const ends = `${family} ${this.socket(packet.src, packet.sport)} > ${this.socket(packet.dst, packet.dport)}: `;
    return ends + (packet.tcp ? this.tcp(packet) : this.udp(packet));
  }

  private udp(packet: Packet): string {
    const { payload } = packet;
    if (this.style.quick || !uses(packet, DNS_PORT)) return `UDP, length ${payload.length}`;
    return dnsText(payload);
  }

  private tcp(packet: Packet): string {
    const { payload } = packet;
    const tcp = packet.tcp!;
    if (this.style.quick) return `tcp ${payload.length}`;
    const { seq, ack } = this.relative(packet);
    const parts = [`Flags [${flagLetters(tcp.flags)}]`];
    if (payload.length > 0) parts.push(`seq ${seq}:${seq + payload.length}`);
    else if (['SYN', 'FIN', 'RST'].some((flag) => hasFlag(packet, flag as TcpFlag))) parts.push(`seq ${seq}`);
    if (hasFlag(packet, 'ACK')) parts.push(`ack ${ack}`);
    parts.push(`win ${tcp.window}`, `options [${optionText(packet)}]`, `length ${payload.length}`);
    return parts.join(', ') + content(packet);
  }

  /** The first segment that carries an ACK is printed as it is, those after it relative to it. */
  private relative(packet: Packet): InitialSequence {
    const { seq, ack, flags } = packet.tcp!;
    if (this.style.absolute || !flags.includes('ACK')) return { seq, ack };
    const forward = `${packet.src}:${packet.sport}`;
    const back = `${packet.dst}:${packet.dport}`;
    const reversed = packet.sport > packet.dport || (packet.sport === packet.dport && packet.src > packet.dst);
    const key = reversed ? `${back} ${forward}` : `${forward} ${back}`;
    const origin = this.origins.get(key);
    if (!origin || flags.includes('SYN')) {
      this.origins.set(key, reversed ? { seq: ack - 1, ack: seq } : { seq, ack: ack - 1 });
      return { seq, ack };
    }
    const [own, other] = reversed ? [origin.ack, origin.seq] : [origin.seq, origin.ack];
    return { seq: (seq - own) >>> 0, ack: (ack - other) >>> 0 };
  }

  private name(ip: string): string {
    return this.style.nameOf?.(ip) ?? ip;
  }

  private socket(ip: string, port: number): string {
    return `${this.name(ip)}.${this.style.numeric ? port : (SERVICES.get(port) ?? port)}`;
  }
}

const uses = ({ sport, dport }: Packet, port: number): boolean => sport === port || dport === port;

const LETTERS: readonly (readonly [TcpFlag, string])[] = [
  ['FIN', 'F'],
  ['SYN', 'S'],
  ['RST', 'R'],
  ['PSH', 'P'],
  ['ACK', '.'],
];
const flagLetters = (flags: readonly TcpFlag[]): string =>
  LETTERS.filter(([flag]) => flags.includes(flag))
    .map(([, letter]) => letter)
    .join('') || 'none';

/** Options in the order in which Linux writes them. */
function optionText({ tcp }: Packet): string {
  const { mss, sackOk, windowScale, tsVal, tsEcr } = tcp!.options;
  const stamps = `TS val ${tsVal} ecr ${tsEcr}`;
  if (mss === undefined) return `nop,nop,${stamps}`;
  return [
    `mss ${mss}`,
    ...(sackOk ? ['sackOK'] : []),
    stamps,
    ...(windowScale === undefined ? [] : ['nop', `wscale ${windowScale}`]),
  ].join(',');
}

function content(packet: Packet): string {
  const { payload } = packet;
  if (payload.length === 0) return '';
  if (uses(packet, DNS_PORT)) {
    if (payload.length < FRAME_HEADER) return ` [DNS over TCP: length ${payload.length} < ${FRAME_HEADER}] (invalid)`;
    // A segment is read only when it holds one message and nothing else.
    const size = (payload[0]! << 8) | payload[1]!;
    const rest = payload.length - FRAME_HEADER;
    return size === rest
      ? ` ${dnsText(payload.subarray(FRAME_HEADER))}`
      : ` [prefix length(${size}) != length(${rest})] (invalid)`;
  }
  if (!HTTP_PORTS.some((port) => uses(packet, port))) return '';
  const line = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1').split(/\r?\n/, 1)[0]!;
  return HTTP_LINE.test(line) ? `: HTTP: ${line}` : ': HTTP';
}

function icmpText(packet: Packet, icmp: IcmpFields, nameOf: (address: string) => string): string {
  const v6 = !isIpv4(packet.src);
  const size = ipLength(packet) - (v6 ? 40 : 20);
  const { about } = icmp;
  const to = about ? nameOf(about.dst) : '';
  const end = `length ${size}`;
  const name = v6 ? 'ICMP6, ' : 'ICMP ';
  switch (icmp.kind) {
    case 'echo-request':
    case 'echo-reply':
      return `${name}${icmp.kind.replace('-', ' ')}, id ${icmp.id}, seq ${icmp.seq}, ${end}`;
    case 'port-unreachable':
      return v6
        ? `${name}destination unreachable, unreachable port, ${to} ${about!.protocol.toLowerCase()} port ${about!.dport}, ${end}`
        : `${name}${to} ${about!.protocol.toLowerCase()} port ${about!.dport} unreachable, ${end}`;
    case 'host-unreachable':
      return v6
        ? `${name}destination unreachable, unreachable route ${to}, ${end}`
        : `${name}host ${to} unreachable, ${end}`;
    case 'frag-needed':
      return v6
        ? `${name}packet too big, mtu ${icmp.mtu ?? 0}, ${end}`
        : `${name}${to} unreachable - need to frag (mtu ${icmp.mtu ?? 0}), ${end}`;
    case 'time-exceeded':
      return `${name}time exceeded in-transit${v6 ? ` for ${to}` : ''}, ${end}`;
  }
}

/** Port 8472 is OTV's too, whose header looks the same: that is the name tcpdump prints. */
function tunnel({ type, vni }: Encapsulation): { text: string; separator: string } {
  if (type === 'vxlan') return { text: `OTV, flags [I] (0x08), overlay 0, instance ${vni}`, separator: '\n' };
  return { text: `Geneve, Flags [none], vni 0x${vni.toString(16)}`, separator: ': ' };
}
