import { ipBytes, isIpv4 } from '../../datapath/address.js';
import { cidrContains, parseCidr, parseIp } from '../../lib/cidr.js';
import { OptionError } from '../option-error.js';
import type { CapturedFrame } from './line.js';

/** What a filter looks at: the outermost headers of a frame. */
interface Headers {
  readonly protocol: 'udp' | 'tcp' | 'icmp' | 'arp';
  readonly src: string;
  readonly dst: string;
  /** Undefined where there are none: ICMP, ARP, and fragments after the first. */
  readonly ports: { readonly src: number; readonly dst: number } | undefined;
}

export type FrameTest = (frame: CapturedFrame) => boolean;
type FilterTest = (headers: Headers) => boolean;

const PROTOCOLS = ['udp', 'tcp', 'icmp', 'icmp6', 'arp', 'ip', 'ip6'] as const;
const KINDS = ['host', 'net', 'port', 'portrange'] as const;
type QualifierKind = (typeof KINDS)[number];
/** Words that may stand for a port; those of tcpdump's own machine would come from /etc/services. */
const PORT_NAMES: ReadonlyMap<string, number> = new Map([
  ['domain', 53],
  ['http', 80],
  ['https', 443],
  ['ssh', 22],
  ['ntp', 123],
]);

function headersOf(frame: CapturedFrame): Headers {
  if (frame.kind === 'arp') return { protocol: 'arp', src: frame.senderIp, dst: frame.targetIp, ports: undefined };
  const { packet, encapsulation, fragment } = frame;
  if (encapsulation)
    return {
      protocol: 'udp',
      src: encapsulation.src,
      dst: encapsulation.dst,
      ports: { src: encapsulation.sport, dst: encapsulation.dport },
    };
  const ports = packet.icmp || (fragment && fragment.offset > 0) ? undefined : { src: packet.sport, dst: packet.dport };
  return { protocol: packet.protocol.toLowerCase() as Headers['protocol'], src: packet.src, dst: packet.dst, ports };
}

/**
 * Compiles an expression of pcap-filter(7): hosts, nets, ports, protocols, src and dst, and, or, not, brackets.
 * Throws an OptionError.
 */
export function compileFilter(expression: string): FrameTest {
  const words = expression.match(/[()!]|&&|\|\||[^\s()!&|]+/g) ?? [];
  if (words.length === 0) return () => true;
  const test = new FilterParser(words).parse();
  return (frame) => test(headersOf(frame));
}

/** Qualifiers of a primitive; a bare value after `and` or `or` takes those of the one before. */
interface Qualifiers {
  readonly protocol: string | undefined;
  readonly direction: 'src' | 'dst' | 'both' | 'any';
  readonly kind: QualifierKind | undefined;
}

class FilterParser {
  private at = 0;
  private last: Qualifiers | undefined;

  constructor(private readonly words: readonly string[]) {}

  parse(): FilterTest {
    const test = this.expression();
    if (this.at < this.words.length) this.fail(`"${this.words[this.at]}" is not expected here`);
    return test;
  }

  /** and and or have the same precedence and associate to the left. */
  private expression(): FilterTest {
    let left = this.factor();
    for (;;) {
      const word = this.words[this.at];
      if (word !== 'and' && word !== '&&' && word !== 'or' && word !== '||') return left;
      this.at++;
      const right = this.factor();
      const first = left;
      left =
        word === 'and' || word === '&&'
          ? (headers) => first(headers) && right(headers)
          : (headers) => first(headers) || right(headers);
    }
  }

  private factor(): FilterTest {
    const word = this.words[this.at];
    if (word === undefined) this.fail('it ends where a condition is expected');
    if (word === 'not' || word === '!') {
      this.at++;
      const inner = this.factor();
      return (headers) => !inner(headers);
    }
    if (word !== '(') return this.primitive();
    this.at++;
    const inner = this.expression();
    if (this.words[this.at++] !== ')') this.fail('a bracket is not closed');
    return inner;
  }

  private primitive(): FilterTest {
    const start = this.at;
    const protocol = this.take(PROTOCOLS);
    const direction = this.direction();
    const kind = this.take(KINDS);
    const said = protocol !== undefined || direction !== undefined || kind !== undefined;
    const value = this.words[this.at];
    const isValue = value !== undefined && !['and', 'or', '&&', '||', ')', '(', 'not', '!'].includes(value);
    if (!isValue) {
      if (protocol !== undefined && direction === undefined && kind === undefined) {
        this.last = { protocol, direction: 'any', kind: undefined };
        return protocolTest(protocol);
      }
      this.fail(
        value === undefined ? 'it ends where a value is expected' : `"${value}" stands where a value is expected`,
      );
    }
    this.at++;
    const qualifiers: Qualifiers =
      said || this.last === undefined ? { protocol, direction: direction ?? 'any', kind } : this.last;
    this.last = qualifiers;
    if (!said && start === 0 && !parseCidr(value))
      this.fail(`"${value}" is neither an address nor a word of pcap-filter(7)`);
    const test = this.valueTest(qualifiers, value);
    return qualifiers.protocol === undefined ? test : both(protocolTest(qualifiers.protocol), test);
  }

  private direction(): Qualifiers['direction'] | undefined {
    const word = this.words[this.at];
    if (word !== 'src' && word !== 'dst') return undefined;
    this.at++;
    const joint = this.words[this.at];
    const other = this.words[this.at + 1];
    if ((joint !== 'or' && joint !== 'and') || (other !== 'src' && other !== 'dst') || other === word) return word;
    this.at += 2;
    return joint === 'or' ? 'any' : 'both';
  }

  private valueTest({ direction, kind = 'host' }: Qualifiers, value: string): FilterTest {
    if (kind === 'port' || kind === 'portrange') {
      const [from, to] = this.ports(kind, value);
      const inside = (port: number): boolean => port >= from && port <= to;
      return ({ ports }) => ports !== undefined && sides(direction, inside(ports.src), inside(ports.dst));
    }
    const cidr = parseCidr(value);
    if (!cidr)
      this.fail(
        kind === 'net' ? `"${value}" is no address block` : `"${value}" is no address: names are not looked up`,
      );
    if (kind === 'host' && !parseIp(value)) this.fail(`"${value}" is a block: use net`);
    return ({ src, dst }) => sides(direction, cidrContains(cidr, ipBytes(src)), cidrContains(cidr, ipBytes(dst)));
  }

  private ports(kind: QualifierKind, value: string): readonly [number, number] {
    const parts = kind === 'portrange' ? value.split('-') : [value];
    const numbers = parts.map((part) => PORT_NAMES.get(part) ?? (/^\d+$/.test(part) ? Number(part) : NaN));
    const [from, to = from] = numbers;
    if (numbers.length > 2 || numbers.some((number) => !(number <= 65_535)) || from! > to!)
      this.fail(`"${value}" is no ${kind === 'port' ? 'port' : 'range of ports'}`);
    return [from!, to!];
  }

  private take<Word extends string>(words: readonly Word[]): Word | undefined {
    const word = words.find((one) => one === this.words[this.at]);
    if (word !== undefined) this.at++;
    return word;
  }

  private fail(reason: string): never {
    throw new OptionError('tcpdump', `can't parse filter expression "${this.words.join(' ')}": ${reason}`);
  }
}

function protocolTest(protocol: string): FilterTest {
  if (protocol === 'ip') return ({ protocol: own, src }) => own !== 'arp' && isIpv4(src);
  if (protocol === 'ip6') return ({ protocol: own, src }) => own !== 'arp' && !isIpv4(src);
  if (protocol === 'icmp6') return ({ protocol: own, src }) => own === 'icmp' && !isIpv4(src);
  if (protocol === 'icmp') return ({ protocol: own, src }) => own === 'icmp' && isIpv4(src);
  return ({ protocol: own }) => own === protocol;
}

const both =
  (a: FilterTest, b: FilterTest): FilterTest =>
  (headers) =>
    a(headers) && b(headers);

function sides(direction: Qualifiers['direction'], src: boolean, dst: boolean): boolean {
  switch (direction) {
    case 'src':
      return src;
    case 'dst':
      return dst;
    case 'both':
      return src && dst;
    case 'any':
      return src || dst;
  }
}
