import { lookUp, type Found, type Next, type Query } from '../chain/index.js';
import { Class, Rcode, Type, encodeName, isName, labels, lowerName, type Name, type Rr } from '../wire/index.js';
import { NONE, NamePath, find, findCut, type NameNode, type ZoneData } from '../zone/index.js';
import { glue, nameIn, targetAddresses } from './records-of.js';

/**
 * What a zone comes to for a question. `empty` is an answer without records for a name that lies between others:
 * unlike `no-data` it may be asked further on.
 */
export type Result = 'success' | 'empty' | 'no-data' | 'name-error' | 'delegation' | 'failure' | 'too-long';

export interface Answer {
  readonly result: Result;
  readonly answer: readonly Rr[];
  readonly authority: readonly Rr[];
  readonly additional: readonly Rr[];
  /** Whether something outside the zone was asked: then nobody knows how long the answer stays right. */
  readonly foreign?: boolean;
}

/** Aliases of the zone that are followed one after the other, those that were asked for elsewhere not counted. */
const MAX_ALIASES = 8;
const NOTHING: readonly Rr[] = [];
const path = new NamePath();

/** Answers one question from one zone (RFC 1034 section 4.3.2, with the additions of RFC 4035 section 3.1). */
export class Answering {
  private readonly type: number;
  /** Whether signatures and denials are told (DO, RFC 3225). */
  private readonly signatures: boolean;

  /** @param ask the whole server, for aliases that the zone does not follow */
  constructor(
    private readonly zone: ZoneData,
    private readonly query: Query,
    private readonly ask: Next,
  ) {
    this.type = query.type;
    this.signatures = query.do;
  }

  answer(): Answer | Promise<Answer> {
    const { zone, query, type } = this;
    if (query.name === zone.origin) {
      if (type === Type.SOA) return this.made('success', this.soa(), this.servers());
      if (type === Type.NS) {
        const servers = this.servers();
        return this.made('success', servers, NOTHING, glue(zone, servers, this.signatures));
      }
    }
    const name = path.load(encodeName(query.name), 0);
    const found = find(zone, name, type);
    switch (found.kind) {
      case 'redirection':
        return this.redirect(found.node);
      case 'cut':
        return this.delegate(found.node);
      case 'name':
        return this.records(found.node, undefined);
      case 'wildcard':
        if (found.node === undefined) return this.made('no-data', NOTHING, [...this.soa(), ...this.denials(name)]);
        query.context.metadata?.set('zone/wildcard', zone.tree.name(found.node));
        return this.records(found.node, query.name);
      case 'none':
        return found.between ? this.between(name) : this.missing(name);
    }
  }

  private made(
    result: Result,
    answer: readonly Rr[],
    authority: readonly Rr[],
    additional: readonly Rr[] = NOTHING,
  ): Answer {
    return { result, answer, authority, additional };
  }

  private soa(): readonly Rr[] {
    const { soa, soaSignatures } = this.zone.apex;
    return this.signatures ? [soa, ...soaSignatures] : [soa];
  }

  private servers(): readonly Rr[] {
    const { servers, serverSignatures } = this.zone.apex;
    return this.signatures ? [...servers, ...serverSignatures] : servers;
  }

  private get(node: NameNode, type: number, owner?: Name): Rr[] {
    return this.zone.withSignatures(node, type, this.signatures, owner);
  }

  /** @param owner the name that a wildcard's records are told under; undefined for a name of the zone */
  private records(node: NameNode, owner: Name | undefined): Answer | Promise<Answer> {
    const { zone, type, signatures } = this;
    if (type !== Type.CNAME && zone.records.hasType(node, Type.CNAME))
      return this.follow(this.get(node, Type.CNAME, owner), this.noCloser(owner));
    const answer = this.get(node, type, owner);
    if (!answer.some((record) => record.type === type))
      return this.made('no-data', NOTHING, unique([...this.soa(), ...this.noRecords(node), ...this.noCloser(owner)]));
    const authority = [...this.servers(), ...this.noCloser(owner)];
    return this.made('success', answer, authority, targetAddresses(zone, answer, signatures));
  }

  /** The record that says that a name does not exist (RFC 4035 section 3.1.3.2). */
  private denial(name: NamePath): readonly Rr[] {
    const before = this.signatures ? this.zone.previous(name) : undefined;
    return before === undefined ? NOTHING : this.get(before, Type.NSEC);
  }

  /** What says that a name has no record of a type (RFC 4035 section 3.1.3.1). */
  private noRecords(node: NameNode): readonly Rr[] {
    return this.signatures ? this.get(node, Type.NSEC) : NOTHING;
  }

  /** What says that a wildcard's records may stand for `owner`, as there is no closer name (RFC 4035 section 3.1.3.3). */
  private noCloser(owner: Name | undefined): readonly Rr[] {
    return owner === undefined ? NOTHING : this.denial(path.load(encodeName(owner), 0));
  }

  private between(name: NamePath): Answer {
    return this.made('empty', NOTHING, [...this.soa(), ...this.denial(name)]);
  }

  /** Neither the name nor a wildcard for it exists. */
  private missing(name: NamePath): Answer {
    return this.made('name-error', NOTHING, [...this.soa(), ...this.denials(name)]);
  }

  /** What says that neither the name nor a wildcard for it has records (RFC 4035 section 3.1.3.2). */
  private denials(name: NamePath): readonly Rr[] {
    const { zone } = this;
    const before = this.signatures ? zone.previous(name) : undefined;
    if (before === undefined) return NOTHING;
    const wildcard = zone.previous(this.wildcardFor(name));
    const nodes = wildcard === undefined || wildcard === before ? [before] : [before, wildcard];
    return nodes.flatMap((node) => this.get(node, Type.NSEC));
  }

  /** The wildcard at the closest name above that exists, with records or between others (RFC 4592 section 3.3.1). */
  private wildcardFor(name: NamePath): NamePath {
    const { tree, head } = this.zone;
    let closest = head;
    let node = head;
    for (let level = this.zone.labels; level < name.count && node !== NONE; level++) {
      node = tree.child(node, name.bytes, name.label(level));
      if (node !== NONE) closest = node;
    }
    const wire = new Uint8Array(260);
    wire.set([1, 0x2a]);
    tree.writeName(closest, wire, 2);
    return path.load(wire, 0);
  }

  private delegate(node: NameNode, answer: readonly Rr[] = NOTHING): Answer {
    const { zone, signatures } = this;
    const servers = zone.get(node, Type.NS);
    const authority = signatures ? [...servers, ...this.digests(node)] : servers;
    return this.made('delegation', answer, authority, glue(zone, servers, signatures));
  }

  /** The digests of a delegated zone's keys, or what says that there are none (RFC 4035 section 3.1.4). */
  private digests(node: NameNode): readonly Rr[] {
    const digests = this.get(node, Type.DS);
    return digests.length > 0 ? digests : this.get(node, Type.NSEC);
  }

  /** Answers for the name that a DNAME record makes of the one that was asked for (RFC 6672 section 3.1). */
  private redirect(node: NameNode): Answer | Promise<Answer> {
    const { zone, query, type } = this;
    const redirections = this.get(node, Type.DNAME);
    const dname = redirections[0]!;
    const kept = labels(query.name).slice(0, -labels(dname.name).length || undefined);
    const base = nameIn(dname);
    const target = `${kept.join('.')}.${base === '.' ? '' : base}`;
    if (!isName(target)) return this.made('too-long', redirections, this.servers());
    if (lowerName(target) === query.name) return this.made('failure', NOTHING, NOTHING);
    const rdata = encodeName(target);
    const alias: Rr = { name: query.name, type: Type.CNAME, class: Class.IN, ttl: dname.ttl, rdata };
    if (type === Type.CNAME) return this.made('success', [...redirections, alias], this.servers());
    const signatures = this.signatures ? zone.records.signatures(node, Type.CNAME, zone.tree.name(node)) : NOTHING;
    return after(redirections, this.follow([alias, ...signatures]));
  }

  /** Goes on from an alias, its signatures behind it, to what it leads to. */
  private follow(aliases: readonly Rr[], proof: readonly Rr[] = NOTHING): Answer | Promise<Answer> {
    const { zone, type } = this;
    const answer = [...aliases];
    let alias = aliases[0]!;
    for (let count = 0; ; count++) {
      path.load(alias.rdata, 0);
      const inside = zone.holds(path);
      const cut = inside ? findCut(zone, path, type) : undefined;
      if (cut !== undefined) return withProof(this.delegate(cut, answer), proof);
      const node = inside ? zone.tree.find(path) : NONE;
      const known = node !== NONE && zone.records.has(node);
      if (!known || type === Type.NS || (type === Type.SOA && node === zone.head))
        return withProof(this.askFor(nameIn(alias), answer), proof);
      if (count > MAX_ALIASES) return withProof(this.ended(answer), proof);
      const further = this.get(node, Type.CNAME);
      if (further.length === 0) return withProof(this.ended(answer, node), proof);
      answer.push(...further);
      alias = further[0]!;
    }
  }

  private target(node: NameNode): Rr[] {
    const found = this.get(node, this.type);
    return found.some((record) => record.type === this.type) ? found : [];
  }

  /** @param node the target of the last alias, where that was found */
  private ended(aliases: readonly Rr[], node?: NameNode): Answer {
    const found = node === undefined ? NOTHING : this.target(node);
    const answer = [...aliases, ...found];
    const missing = node !== undefined && found.length === 0 ? this.noRecords(node) : NOTHING;
    const authority = missing.length === 0 ? this.servers() : [...this.soa(), ...missing];
    return this.made('success', answer, authority, targetAddresses(this.zone, answer, this.signatures));
  }

  /** Asks the server for a name that the zone itself does not answer. */
  private askFor(target: Name, before: readonly Rr[]): Answer | Promise<Answer> {
    const found = lookUp(this.ask, this.query, target, this.type);
    return found instanceof Promise
      ? found.then((settled) => this.joined(before, settled))
      : this.joined(before, found);
  }

  private joined(before: readonly Rr[], found: Found | undefined): Answer {
    const { zone, signatures } = this;
    const result = found === undefined ? 'failure' : resultOf(found);
    const answer = [...before, ...(found?.answer ?? NOTHING)];
    const negative = result === 'name-error' || result === 'no-data';
    // Where it was denied with signatures, those are worth more than our own word.
    const denied = signatures && found?.authority.some(({ type }) => type === Type.NSEC || type === Type.NSEC3);
    const authority = !negative ? this.servers() : denied === true ? found!.authority : this.soa();
    return { result, answer, authority, additional: targetAddresses(zone, answer, signatures), foreign: true };
  }
}

function resultOf({ rcode, answer }: Found): Result {
  if (rcode === Rcode.NXDOMAIN) return 'name-error';
  if (rcode === Rcode.SERVFAIL) return 'failure';
  return rcode === Rcode.NOERROR && answer.length === 0 ? 'no-data' : 'success';
}

/** Adds what proves that a wildcard may stand for the name that was asked for. */
function withProof(answer: Answer | Promise<Answer>, proof: readonly Rr[]): Answer | Promise<Answer> {
  if (proof.length === 0) return answer;
  const add = (one: Answer): Answer => ({ ...one, authority: unique([...one.authority, ...proof]) });
  return answer instanceof Promise ? answer.then(add) : add(answer);
}

/** Each record once. */
const unique = (records: readonly Rr[]): Rr[] =>
  records.filter((record, i) =>
    records.slice(0, i).every((other) => {
      const same = other.type === record.type && other.name === record.name;
      return !same || Buffer.compare(other.rdata, record.rdata) !== 0;
    }),
  );

function after(records: readonly Rr[], answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
  const join = (one: Answer): Answer => ({ ...one, answer: [...records, ...one.answer] });
  return answer instanceof Promise ? answer.then(join) : join(answer);
}
