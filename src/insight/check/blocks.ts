import { Zones } from '../../chain/index.js';
import { zonesFromText, type Corefile, type Directive, type Option, type ServerBlock } from '../../corefile/index.js';
import { canonicalIp, ipFamily, parseIp } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';
import type { RuleOver } from './finding.js';

/** What the file is for: the cluster's DNS, or the cache on a node. */
export type CorefileRole = 'server' | 'node-cache';

/** A Corefile as rules look at it. */
export interface JudgedCorefile {
  readonly corefile: Corefile;
  readonly blocks: readonly JudgedBlock[];
  readonly role: CorefileRole;
  /** How long a pod with it may take to end. */
  readonly grace: Milliseconds;
  /** Names of the directives in the order in which their handlers are asked. */
  readonly order: readonly string[];
  /** Snippets with their places, and the names that are imported. */
  readonly snippets: ReadonlyMap<string, { readonly file: string; readonly line: number }>;
  readonly imported: ReadonlySet<string>;
}

/** A rule over one Corefile. */
export type CorefileRule = RuleOver<JudgedCorefile>;

/** Port of keys that name none. */
const DNS_PORT = 53;

/** A server block, with what its directives say of where it listens. */
export class JudgedBlock {
  readonly zones: Zones;
  /** Addresses of `bind`; empty for all of the host. */
  readonly listen: readonly string[];
  readonly ports: ReadonlySet<number>;

  constructor(readonly source: ServerBlock) {
    this.zones = new Zones([...new Set(source.keys.map(({ zone }) => zone))]);
    this.listen = this.all('bind').flatMap(({ args }) => args.filter((arg) => ipFamily(arg) !== 0));
    this.ports = new Set(source.keys.map(({ port }) => port ?? DNS_PORT));
  }

  all(name: string): Directive[] {
    return this.source.directives.filter((directive) => directive.name === name);
  }

  first(name: string): Directive | undefined {
    return this.source.directives.find((directive) => directive.name === name);
  }

  has(name: string): boolean {
    return this.first(name) !== undefined;
  }

  /** Whether it listens at every address of the host. */
  get everywhere(): boolean {
    return this.listen.length === 0 || this.listen.some((address) => address === '0.0.0.0' || address === '::');
  }

  /** Whether queries to that address and port come here, as far as the Corefile tells. */
  listensAt(ip: string, port: number): boolean {
    if (!this.ports.has(port)) return false;
    return this.listen.includes(ip) || (this.everywhere && isLoopback(ip));
  }

  /** The zones that a directive is for, no larger than the block's own; none where the two have nothing in common. */
  zonesOf(directive: Directive): readonly string[] {
    const named = namedZones(directive);
    return named.length === 0 ? this.zones.list : inside(named, this.zones);
  }
}

/** Of `names` those in `zones`, and of `zones` those in `names`. */
export function inside(names: readonly string[], zones: Zones): string[] {
  const own = new Zones(names);
  return [...new Set([...names.filter((name) => zones.contains(name)), ...zones.list.filter((z) => own.contains(z))])];
}

/** Which of a directive's words are zones. */
const ZONE_WORDS: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  kubernetes: (args) => args,
  k8s_external: (args) => args,
  etcd: (args) => args,
  acl: (args) => args,
  secondary: (args) => args,
  any: () => [],
  file: (args) => args.slice(1),
  auto: (args) => args,
  hosts: (args) => args.slice(1),
  template: (args) => args.slice(2),
  forward: (args) => args.slice(0, 1),
  cache: (args) => (/^\d+$/.test(args[0] ?? '') ? args.slice(1) : args),
  autopath: (args) => args.slice(0, -1),
};

/** The zones that a directive names, in lower case with closing dot; none for all of the block's. */
export const namedZones = (directive: Directive): string[] =>
  zonesIn(Object.hasOwn(ZONE_WORDS, directive.name) ? ZONE_WORDS[directive.name]!(directive.args) : []);

/** Zones that words stand for; words that are none are left out: the loader tells of them. */
export const zonesIn = (words: readonly string[]): string[] =>
  words.flatMap((word) => {
    try {
      return zonesFromText(word);
    } catch {
      return [];
    }
  });

export const optionsOf = (directive: Directive, name: string): readonly Option[] =>
  (directive.options ?? []).filter((option) => option.name === name);

export const hasOption = (directive: Directive, name: string): boolean => optionsOf(directive, name).length > 0;

/**
 * Where `fallthrough` of a directive passes names on: all of its zones, those listed, or none without the option.
 */
export function passesOn(directive: Directive, zone: string): boolean {
  return optionsOf(directive, 'fallthrough').some(
    ({ args }) => args.length === 0 || new Zones(zonesIn(args)).contains(zone),
  );
}

export const isReverse = (zone: string): boolean => /(^|\.)(in-addr|ip6)\.arpa\.$/.test(zone);

export const isLoopback = (ip: string): boolean => ip === '::1' || /^127\./.test(ip);

/** Whether an address is reached from everywhere: none of private use, of a link, or of documentation. */
export function isPublic(text: string): boolean {
  const ip = parseIp(text);
  if (ip === undefined) return false;
  if (ip.length === 16) return (ip[0]! & 0xe0) === 0x20 && !(ip[0] === 0x20 && ip[1] === 0x01 && ip[2] === 0x0d);
  const [a, b] = [ip[0]!, ip[1]!];
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  const special = (a === 100 && b >= 64 && b < 128) || (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32);
  const documentation = (a === 192 && b === 0) || (a === 198 && b === 51) || (a === 203 && b === 0);
  return !(special || documentation || (a === 192 && b === 168) || (a === 198 && (b === 18 || b === 19)));
}

/** An upstream of `forward`, as far as it is an address. */
export interface UpstreamAddress {
  readonly text: string;
  readonly scheme: string;
  readonly ip: string;
  readonly port: number;
  /** Name of its certificate, where one stands with the address. */
  readonly serverName: string | undefined;
}

/** Upstreams that are addresses; files of addresses are of the host that serves. */
export const upstreamsOf = (forward: Directive): UpstreamAddress[] =>
  forward.args.slice(1).flatMap((text) => {
    const [, scheme = 'dns', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(text) ?? [];
    const [, address = '', serverName] = /^([^%]*)(?:%(.*))?$/.exec(rest) ?? [];
    const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(address) ?? [];
    const ip = canonicalIp(bracketed ?? plain ?? address);
    if (ip === undefined) return [];
    return [{ text, scheme, ip, port: port === undefined ? (scheme === 'tls' ? 853 : 53) : Number(port), serverName }];
  });
