import { NodensError } from '../lib/errors.js';
import type { Seconds } from '../lib/units.js';
import { Class, Type, encodeName, presentName, rdataLayout, type Name, type Rr } from '../wire/index.js';
import { LOWER, NamePath } from './name-path.js';
import { ZoneRecords, coveredType } from './records.js';
import { Tree, type NameNode } from './tree.js';

/** A zone that cannot be served. */
export class ZoneError extends NodensError {
  override readonly name = 'ZoneError';

  constructor(text: string) {
    super('NODENS_ZONE', text);
  }
}

/** The records at the zone's head that stand in most answers. */
export interface Apex {
  readonly soa: Rr;
  readonly soaSignatures: readonly Rr[];
  readonly servers: readonly Rr[];
  readonly serverSignatures: readonly Rr[];
}

/** Types whose names CoreDNS keeps in lower case, in the data as well. */
const LOWERED = new Set<number>([Type.NS, Type.SOA, Type.CNAME, Type.MX, Type.SVCB, Type.HTTPS]);
const path = new NamePath();

/**
 * What a zone holds. ZoneRecords are added until it is sealed; then it never changes. ZoneRecords of names outside the zone
 * are kept, as CoreDNS keeps them, and asked for by nobody but a transfer.
 */
export class ZoneData {
  readonly tree: Tree;
  readonly records: ZoneRecords;
  /** The node of the origin. */
  readonly head: NameNode;
  /** Labels of the origin, the root not counted. */
  readonly labels: number;
  private readonly originWire: Uint8Array;
  private soaRecord: Rr | undefined;
  private readonly soaSignatures: Rr[] = [];
  private readonly servers: Rr[] = [];
  private readonly serverSignatures: Rr[] = [];
  private denials = false;
  private cuts = false;
  private signatures = false;
  private outside = 0;
  /** Whether the record that was added last is an alias beside others of its name, or one of those. */
  clash = false;
  /** Names with NSEC records in canonical order, made where there are some. */
  private order: Uint32Array | undefined;

  /**
   * @param origin in lower case with closing dot
   * @param like a zone that this one will probably be as large as, such as the one before it
   */
  constructor(
    readonly origin: Name,
    like?: ZoneData,
  ) {
    this.tree = new Tree(like?.tree);
    this.records = new ZoneRecords(like?.records);
    this.originWire = encodeName(origin);
    this.head = this.tree.ensure(path.load(this.originWire, 0));
    this.labels = path.count;
  }

  get soa(): Rr | undefined {
    return this.soaRecord;
  }

  /** The serial of the SOA record (RFC 1982); undefined without one. */
  get serial(): number | undefined {
    return this.soaRecord && soaNumbers(this.soaRecord).serial;
  }

  /** Throws a ZoneError where there is no SOA record. */
  get apex(): Apex {
    const { soaRecord: soa, soaSignatures, servers, serverSignatures } = this;
    if (soa === undefined) throw new ZoneError(`zone ${this.origin} has no SOA record`);
    return { soa, soaSignatures, servers, serverSignatures };
  }

  /** Whether answers differ for who asks for signatures: there are some, or denials, or digests of other zones' keys. */
  get signed(): boolean {
    return this.signatures || this.denials || this.cuts;
  }

  /** ZoneRecords of names that the zone does not hold. */
  get strays(): number {
    return this.outside;
  }

  /** ZoneRecords, those of the head included. */
  get size(): number {
    const { soaSignatures, servers, serverSignatures } = this;
    const apex = soaSignatures.length + servers.length + serverSignatures.length;
    return this.records.count + apex + (this.soaRecord === undefined ? 0 : 1);
  }

  /**
   * Adds a record: its owner in wire form, and its data with all names written out. Throws a ZoneError for a record
   * that no zone may hold here.
   */
  add(owner: Uint8Array, type: number, ttl: Seconds, data: Uint8Array, length: number): void {
    refuse(type);
    path.load(owner, 0);
    if (LOWERED.has(type)) lowerNames(type, data, length);
    if (!this.holds(path)) this.outside++;
    this.clash = false;
    if (this.addToApex(type, ttl, data, length)) return;
    const node = this.tree.ensure(path);
    const beside = this.records.firstType(node);
    this.clash = beside !== 0 && (beside === Type.CNAME || type === Type.CNAME) && !mayStandBeside(beside, type);
    this.denials ||= type === Type.NSEC;
    this.signatures ||= type === Type.RRSIG;
    this.cuts ||= type === Type.DS;
    this.records.add(node, type, ttl, data, length, type === Type.SRV ? spelling(owner) : undefined);
  }

  /** Whether a name is the origin or below it. */
  holds(name: NamePath): boolean {
    const { originWire, labels } = this;
    if (name.count < labels) return false;
    const start = labels === 0 ? name.length - 1 : name.label(labels - 1);
    if (name.length - start !== originWire.length) return false;
    for (let i = 0; i < originWire.length; i++) if (name.bytes[start + i] !== originWire[i]) return false;
    return true;
  }

  private addToApex(type: number, ttl: Seconds, data: Uint8Array, length: number): boolean {
    const signs = type === Type.RRSIG ? coveredType(data) : 0;
    const ofSoa = type === Type.SOA || signs === Type.SOA;
    const ofServers = (type === Type.NS || signs === Type.NS) && this.isOrigin();
    if (!ofSoa && !ofServers) return false;
    const name = presentName(path.bytes, 0, path.length);
    const record: Rr = { name, type, class: Class.IN, ttl, rdata: Uint8Array.prototype.slice.call(data, 0, length) };
    if (type === Type.SOA) this.soaRecord = record;
    else if (type === Type.NS) this.servers.push(record);
    else (ofSoa ? this.soaSignatures : this.serverSignatures).push(record);
    this.signatures ||= signs !== 0;
    return true;
  }

  private isOrigin(): boolean {
    return path.length === this.originWire.length && this.holds(path);
  }

  /** The records that are kept apart from others, but for the SOA record. */
  apexRecords(): readonly Rr[] {
    return [...this.soaSignatures, ...this.servers, ...this.serverSignatures];
  }

  /** All records but the SOA record: those of the head first, then by name, in the order in which the names came. */
  *others(): Generator<Rr, void, void> {
    const { tree, records } = this;
    yield* this.apexRecords();
    for (let node = 0; node < tree.size; node++) if (records.has(node)) yield* records.all(node, tree.name(node));
  }

  /** Ends the adding. */
  seal(): this {
    this.records.trim();
    if (this.denials) this.order = this.sorted().filter((node) => this.records.hasType(node, Type.NSEC));
    return this;
  }

  /** Names with records in canonical order (RFC 4034 section 6.1). */
  sorted(): Uint32Array {
    const { tree, records } = this;
    const nodes = Uint32Array.from({ length: tree.size }, (_, node) => node).filter((node) => records.has(node));
    let inOrder = true;
    for (let i = 1; i < nodes.length && inOrder; i++) inOrder = tree.compare(nodes[i - 1]!, nodes[i]!) < 0;
    return inOrder ? nodes : nodes.sort((a, b) => tree.compare(a, b));
  }

  /**
   * The last name with an NSEC record that is not behind `name` in canonical order; undefined where there is none.
   */
  previous(name: NamePath): NameNode | undefined {
    const { order, tree } = this;
    if (order === undefined) return undefined;
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tree.comparePath(name, order[middle]!) < 0) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? undefined : order[low - 1]!;
  }

  get(node: NameNode, type: number, owner?: Name): Rr[] {
    return this.records.get(node, type, owner ?? this.tree.name(node), owner);
  }

  /** The records of a type, with the signatures over them where they are asked for. */
  withSignatures(node: NameNode, type: number, signatures: boolean, owner?: Name): Rr[] {
    const found = this.get(node, type, owner);
    if (!signatures || !this.signatures) return found;
    return [...found, ...this.records.signatures(node, type, owner ?? this.tree.name(node), owner)];
  }
}

/** The name as it is spelt where that is not lower case; undefined otherwise. */
function spelling(owner: Uint8Array): Name | undefined {
  for (let i = 0; i < path.length; i++) if (owner[i] !== path.bytes[i]) return presentName(owner, 0, path.length);
  return undefined;
}

/** What may stand beside an alias: what signs and denies it (RFC 4034 section 2.5, RFC 4035 section 2.5). */
const DENIALS: readonly number[] = [Type.RRSIG, Type.NSEC, Type.KEY, Type.SIG, Type.NXT];
const mayStandBeside = (a: number, b: number): boolean => DENIALS.includes(a) || DENIALS.includes(b);

function refuse(type: number): void {
  if (type === Type.NSEC3 || type === Type.NSEC3PARAM) throw new ZoneError('zones with NSEC3 cannot be served');
  // Types of questions and of messages, of which there are no records (RFC 6895 section 3.1; NXNAME is 128).
  if (type === 0 || type === Type.OPT || (type >= 128 && type <= 255))
    throw new ZoneError(`no record in a zone has type ${type}`);
}

/** Record data as a zone keeps it: a copy in lower case where that is how its names are kept. */
export function keptData(type: number, data: Uint8Array): Uint8Array {
  if (!LOWERED.has(type)) return data;
  const copy = Uint8Array.from(data);
  lowerNames(type, copy, copy.length);
  return copy;
}

function lowerNames(type: number, data: Uint8Array, length: number): void {
  const layout = rdataLayout(type)!;
  let at = layout.skip;
  for (let i = 0; i < layout.names; i++) {
    for (let left = data[at]!; left !== 0 && at < length; left = data[at]!)
      for (at++; left > 0; left--, at++) data[at] = LOWER[data[at]!]!;
    at++;
  }
}

/** The numbers of a SOA record (RFC 1035 section 3.3.13). */
export interface SoaNumbers {
  readonly serial: number;
  readonly refresh: Seconds;
  readonly retry: Seconds;
  readonly expire: Seconds;
  readonly minimum: Seconds;
}

export function soaNumbers({ rdata }: Rr): SoaNumbers {
  const data = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  const [serial, refresh, retry, expire, minimum] = [20, 16, 12, 8, 4].map((back) =>
    data.readUInt32BE(data.length - back),
  ) as [number, number, number, number, number];
  return { serial, refresh, retry, expire, minimum };
}

/** Whether serial `a` is before `b` (RFC 1982 section 3.2). */
export const isBefore = (a: number, b: number): boolean => a !== b && (b - a) >>> 0 <= 0x7fffffff;
