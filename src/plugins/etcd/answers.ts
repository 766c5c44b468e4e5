import { lookUp, type Found, type Next, type Query } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { Milliseconds } from '../../lib/units.js';
import { Class, Type, encodeName, fqdn, isSubdomain, type Name, type Rr } from '../../wire/index.js';
import { addressOf, targetOf, type SkyService } from './service.js';
import type { ServiceStore } from './store.js';

/** Records of an answer. */
export interface SkyRecords {
  readonly answer: readonly Rr[];
  readonly additional: readonly Rr[];
  readonly truncated: boolean;
}

/** Longest chain of aliases within a zone. */
const MAX_ALIASES = 10;
/** All weights of one priority together. */
const WHOLE_WEIGHT = 100;

/** What records of one query are made from. `undefined` in place of records: there is no such name. */
export class SkyAnswers {
  constructor(
    private readonly store: ServiceStore,
    private readonly prefix: string,
    private readonly zone: Name,
    private readonly query: Query,
    private readonly ask: Next,
    private readonly timeout: Milliseconds,
  ) {}

  async answer(): Promise<SkyRecords | undefined> {
    const { type, name } = this.query;
    switch (type) {
      case Type.A:
      case Type.AAAA:
        return this.addresses(this.query.qname, type, []);
      case Type.TXT:
        return this.texts(this.query.qname, []);
      case Type.CNAME:
        return this.alias();
      case Type.PTR:
        return this.pointers();
      case Type.MX:
        return this.targets(
          (services) => services.filter(({ mail }) => mail),
          ({ priority }) => Buffer.of(priority >> 8, priority & 0xff),
        );
      case Type.SRV:
        return this.services();
      case Type.NS:
        return name === this.zone ? this.nameServers() : this.nothing();
      default:
        return this.nothing();
    }
  }

  private find(name: Name, type: number, exact = false): Promise<readonly SkyService[] | undefined> {
    return this.store.services(name, type, exact, this.timeout);
  }

  /** The zone's own addresses stand at `apex.dns` below it, or at the zone itself. */
  private async ofName(name: Name, type: number): Promise<readonly SkyService[] | undefined> {
    const lower = name.toLowerCase();
    const apex = lower === this.zone ? await this.find(under('apex.dns', this.zone), type) : undefined;
    return apex ?? this.find(lower, type);
  }

  private async addresses(owner: Name, type: number, led: readonly Name[]): Promise<SkyRecords | undefined> {
    const services = await this.ofName(owner, type);
    if (services === undefined) return undefined;
    const seen = new Set<string>();
    const answer: Rr[] = [];
    let truncated = false;
    for (const service of services) {
      const ip = addressOf(service);
      if (ip === undefined) {
        const more = await this.follow(service, owner, led, (target, all) => this.addresses(target, type, all), type);
        answer.push(...(more?.answer ?? []));
        truncated ||= more?.truncated === true;
      } else if (typeOf(ip) === type && !seen.has(service.host)) {
        seen.add(service.host);
        answer.push(rr(owner, type, service.ttl, ip));
      }
    }
    return { answer, additional: [], truncated };
  }

  private async texts(owner: Name, led: readonly Name[]): Promise<SkyRecords | undefined> {
    const services = await this.find(owner.toLowerCase(), Type.TXT);
    if (services === undefined) return undefined;
    const seen = new Set<string>();
    const answer: Rr[] = [];
    let truncated = false;
    for (const service of services) {
      if (addressOf(service) !== undefined) continue;
      if (service.text === '') {
        const more = await this.follow(service, owner, led, (target, all) => this.texts(target, all), Type.TXT);
        answer.push(...(more?.answer ?? []));
        truncated ||= more?.truncated === true;
      } else if (!seen.has(service.text)) {
        seen.add(service.text);
        answer.push(rr(owner, Type.TXT, service.ttl, strings(service.text)));
      }
    }
    return { answer, additional: [], truncated };
  }

  /** An alias, with what it leads to: in the zone, or what the server itself says of it. */
  private async follow(
    service: SkyService,
    owner: Name,
    led: readonly Name[],
    within: (target: Name, led: readonly Name[]) => Promise<SkyRecords | undefined>,
    type: number,
  ): Promise<SkyRecords | undefined> {
    const target = fqdn(service.host);
    const lower = target.toLowerCase();
    if (service.host === '' || lower === owner.toLowerCase() || led.includes(lower) || led.length > MAX_ALIASES)
      return undefined;
    const alias = rr(owner, Type.CNAME, service.ttl, encodeName(target));
    if (isSubdomain(this.zone, lower)) {
      const found = await within(target, [...led, lower]);
      if (found === undefined || found.answer.length === 0) return undefined;
      return { ...found, answer: [alias, ...found.answer] };
    }
    const found = await lookUp(this.ask, this.query, target, type);
    return found && { answer: [alias, ...found.answer], additional: [], truncated: found.truncated };
  }

  private async alias(): Promise<SkyRecords | undefined> {
    const services = await this.find(this.query.name, Type.CNAME, true);
    if (services === undefined) return undefined;
    const [first] = services;
    const answer =
      first === undefined || addressOf(first) !== undefined
        ? []
        : [rr(this.query.qname, Type.CNAME, first.ttl, encodeName(fqdn(first.host)))];
    return { answer, additional: [], truncated: false };
  }

  private async pointers(): Promise<SkyRecords | undefined> {
    const services = await this.find(this.query.name, Type.PTR, true);
    if (services === undefined) return undefined;
    const names = new Map(services.filter((each) => addressOf(each) === undefined).map((each) => [each.host, each]));
    const answer = [...names.values()].map(({ host, ttl }) =>
      rr(this.query.qname, Type.PTR, ttl, encodeName(fqdn(host))),
    );
    return { answer, additional: [], truncated: false };
  }

  private async services(): Promise<SkyRecords | undefined> {
    const weights = new Map<number, number>();
    return this.targets(
      (services) => {
        for (const { priority, weight } of services)
          weights.set(priority, (weights.get(priority) ?? 0) + (weight === 0 ? WHOLE_WEIGHT : weight));
        return services.filter(({ port }) => port !== -1);
      },
      ({ priority, weight, port }) => {
        const share = ((weight === 0 ? WHOLE_WEIGHT : weight) * WHOLE_WEIGHT) / weights.get(priority)!;
        const fixed = Buffer.alloc(6);
        [priority, Math.max(1, Math.floor(share)), port].forEach((value, i) =>
          fixed.writeUInt16BE(value & 0xffff, 2 * i),
        );
        return fixed;
      },
    );
  }

  /** SRV or MX records, and the addresses of what they lead to. */
  private async targets(
    choose: (services: readonly SkyService[]) => readonly SkyService[],
    fixed: (service: SkyService) => Buffer,
  ): Promise<SkyRecords | undefined> {
    const services = await this.find(this.query.name, this.query.type);
    if (services === undefined) return undefined;
    const answer = new Map<string, Rr>();
    const additional = new Map<string, readonly Rr[]>();
    for (const service of choose(services)) {
      const target = targetOf(service, this.prefix);
      const rdata = Buffer.concat([fixed(service), encodeName(target)]);
      const key = `${rdata.toString('latin1')}`;
      if (!answer.has(key)) answer.set(key, rr(this.query.qname, this.query.type, service.ttl, rdata));
      const ip = addressOf(service);
      const place = ip === undefined ? target : `${target} ${service.host}`;
      if (additional.has(place)) continue;
      additional.set(place, ip === undefined ? await this.glue(target) : [rr(target, typeOf(ip), service.ttl, ip)]);
    }
    return { answer: [...answer.values()], additional: [...additional.values()].flat(), truncated: false };
  }

  private async glue(target: Name): Promise<readonly Rr[]> {
    if (isSubdomain(this.zone, target.toLowerCase())) return (await this.addresses(target, Type.A, []))?.answer ?? [];
    const found: (Found | undefined)[] = [];
    for (const type of [Type.A, Type.AAAA]) found.push(await lookUp(this.ask, this.query, target, type));
    const [ipv4, ipv6] = found;
    // Aliases come with the first answer.
    return [...(ipv4?.answer ?? []), ...(ipv6?.answer ?? []).filter(({ type }) => type !== Type.CNAME)];
  }

  /** The zone's name servers stand at `ns.dns` below it. */
  private async nameServers(): Promise<SkyRecords | undefined> {
    const services = await this.find(under('ns.dns', this.zone), Type.NS);
    if (services === undefined) return undefined;
    const answer = new Map<Name, Rr>();
    const additional = services.map((service) => {
      const ip = addressOf(service);
      if (ip === undefined) throw new Error(`NS record must be an IP address: ${service.host}`);
      const target = targetOf(service, this.prefix);
      answer.set(target, answer.get(target) ?? rr(this.query.qname, Type.NS, service.ttl, encodeName(target)));
      return rr(target, typeOf(ip), service.ttl, ip);
    });
    return { answer: [...answer.values()], additional, truncated: false };
  }

  /** Whether the name exists, and no records. */
  private async nothing(): Promise<SkyRecords | undefined> {
    const services = await this.ofName(this.query.name, Type.A);
    return services && { answer: [], additional: [], truncated: false };
  }
}

const rr = (name: Name, type: number, ttl: number, rdata: Uint8Array): Rr => ({
  name,
  type,
  class: Class.IN,
  ttl,
  rdata,
});
const typeOf = (ip: IpBytes): number => (ip.length === 4 ? Type.A : Type.AAAA);
const under = (label: string, zone: Name): Name => (zone === '.' ? `${label}.` : `${label}.${zone}`);

/** A text in pieces of 255 bytes (RFC 1035 section 3.3). */
function strings(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.of(piece.length), piece);
  }
  return Buffer.concat(pieces);
}
