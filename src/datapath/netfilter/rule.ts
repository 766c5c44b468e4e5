import { formatCidr, parseCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import type { Random } from '../../lib/random.js';
import type { Octets } from '../../lib/units.js';
import { inPrefix } from '../address.js';
import type { IpProtocol } from '../packet.js';

/** What rules can see of a packet. */
export interface PacketFacts {
  readonly src: string;
  readonly dst: string;
  readonly protocol: IpProtocol;
  readonly sport: number;
  readonly dport: number;
  readonly inDevice: string;
  readonly outDevice: string;
  readonly mark: number;
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED' | 'INVALID';
  readonly bytes: Octets;
  /** Whether the destination is an address of this namespace (`--dst-type LOCAL`). */
  readonly localDestination: boolean;
}

export interface RuleMatch {
  readonly source?: { readonly cidr: Cidr; readonly not: boolean };
  readonly destination?: { readonly cidr: Cidr; readonly not: boolean };
  readonly protocol?: IpProtocol;
  readonly sport?: number;
  readonly dport?: number;
  /** Device name; a trailing + stands for any ending. */
  readonly inDevice?: string;
  readonly outDevice?: string;
  readonly outDeviceNot?: boolean;
  readonly marks?: readonly { readonly value: number; readonly mask: number; readonly not: boolean }[];
  readonly states?: readonly string[];
  readonly localDestination?: boolean;
  /** Asks for something that no packet of the model has, such as a transparent socket. */
  readonly never?: boolean;
  /** Share of packets, 0 to 1 (`-m statistic --mode random`). */
  readonly probability?: number;
}

export type RuleTarget =
  | { readonly kind: 'accept' | 'drop' | 'reject' }
  | { readonly kind: 'return' }
  | { readonly kind: 'jump'; readonly chain: string }
  /** `NOTRACK` and `CT --notrack`; the kernel goes on with the next rule. */
  | { readonly kind: 'notrack' }
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number }
  | { readonly kind: 'dnat'; readonly ip: string; readonly port: number }
  /** `randomFully`: the port is drawn even where the own one is free. */
  | { readonly kind: 'masquerade'; readonly randomFully: boolean };

/** One rule: what it matches, what it does, and how iptables-save prints it after `-A CHAIN `. */
export interface NetfilterRule {
  readonly match: RuleMatch;
  readonly target: RuleTarget;
  readonly text: string;
}

export function matches(match: RuleMatch, facts: PacketFacts, random: Random): boolean {
  if (match.never) return false;
  if (match.source && inPrefix(match.source.cidr, facts.src) === match.source.not) return false;
  if (match.destination && inPrefix(match.destination.cidr, facts.dst) === match.destination.not) return false;
  if (match.protocol && match.protocol !== facts.protocol) return false;
  if (match.sport !== undefined && match.sport !== facts.sport) return false;
  if (match.dport !== undefined && match.dport !== facts.dport) return false;
  if (match.inDevice !== undefined && !deviceMatches(match.inDevice, facts.inDevice)) return false;
  if (
    match.outDevice !== undefined &&
    deviceMatches(match.outDevice, facts.outDevice) === (match.outDeviceNot ?? false)
  )
    return false;
  if (match.states && !match.states.includes(facts.state)) return false;
  if (match.localDestination && !facts.localDestination) return false;
  for (const mark of match.marks ?? []) if (((facts.mark & mark.mask) >>> 0 === mark.value) === mark.not) return false;
  return match.probability === undefined || random.uint32() / 2 ** 32 < match.probability;
}

const deviceMatches = (pattern: string, device: string): boolean =>
  pattern.endsWith('+') ? device.startsWith(pattern.slice(0, -1)) : pattern === device;

/** Words of a rule in the order of iptables-save, from which both the text and the match are made. */
export class RuleBuilder {
  private readonly words: string[] = [];
  private match: RuleMatch = {};

  source(cidr: string, not = false): this {
    return this.address('-s', 'source', cidr, not);
  }

  destination(cidr: string, not = false): this {
    return this.address('-d', 'destination', cidr, not);
  }

  inDevice(name: string): this {
    this.words.push('-i', name);
    this.match = { ...this.match, inDevice: name };
    return this;
  }

  outDevice(name: string, not = false): this {
    if (not) this.words.push('!');
    this.words.push('-o', name);
    this.match = { ...this.match, outDevice: name, outDeviceNot: not };
    return this;
  }

  protocol(protocol: 'udp' | 'tcp'): this {
    this.words.push('-p', protocol);
    this.match = { ...this.match, protocol: protocol === 'udp' ? 'UDP' : 'TCP' };
    return this;
  }

  /** `-m udp --dport 53`; kube-proxy puts it after the comment, node-cache before. */
  port(protocol: 'udp' | 'tcp', side: 'sport' | 'dport', port: number): this {
    this.words.push('-m', protocol, `--${side}`, String(port));
    this.match = { ...this.match, [side]: port };
    return this;
  }

  comment(text: string): this {
    this.words.push('-m', 'comment', '--comment', /^[\w-]+$/.test(text) ? text : `"${text}"`);
    return this;
  }

  mark(value: number, mask: number, not = false): this {
    this.words.push('-m', 'mark', ...(not ? ['!'] : []), '--mark', `0x${value.toString(16)}/0x${mask.toString(16)}`);
    this.match = { ...this.match, marks: [...(this.match.marks ?? []), { value, mask, not }] };
    return this;
  }

  states(...states: string[]): this {
    this.words.push('-m', 'conntrack', '--ctstate', states.join(','));
    this.match = { ...this.match, states };
    return this;
  }

  localDestination(): this {
    this.words.push('-m', 'addrtype', '--dst-type', 'LOCAL');
    this.match = { ...this.match, localDestination: true };
    return this;
  }

  probability(share: number): this {
    this.words.push('-m', 'statistic', '--mode', 'random', '--probability', share.toFixed(11));
    this.match = { ...this.match, probability: share };
    return this;
  }

  /** Words that match every packet of the model, such as `-m nfacct`. */
  literal(...words: string[]): this {
    this.words.push(...words);
    return this;
  }

  /** Words that match no packet of the model. */
  never(...words: string[]): this {
    this.words.push(...words);
    this.match = { ...this.match, never: true };
    return this;
  }

  to(target: RuleTarget, ...words: string[]): NetfilterRule {
    return { match: this.match, target, text: [...this.words, ...words].join(' ') };
  }

  jump(chain: string): NetfilterRule {
    return this.to({ kind: 'jump', chain }, '-j', chain);
  }

  accept(): NetfilterRule {
    return this.to({ kind: 'accept' }, '-j', 'ACCEPT');
  }

  drop(): NetfilterRule {
    return this.to({ kind: 'drop' }, '-j', 'DROP');
  }

  return(): NetfilterRule {
    return this.to({ kind: 'return' }, '-j', 'RETURN');
  }

  notrack(): NetfilterRule {
    return this.to({ kind: 'notrack' }, '-j', 'NOTRACK');
  }

  private address(option: string, field: 'source' | 'destination', text: string, not: boolean): this {
    const cidr = parseCidr(text);
    if (!cidr) throw new RangeError(`"${text}" is no address block`);
    this.words.push(...(not ? ['!'] : []), option, formatCidr(cidr));
    this.match = { ...this.match, [field]: { cidr, not } };
    return this;
  }
}

export const rule = (): RuleBuilder => new RuleBuilder();
