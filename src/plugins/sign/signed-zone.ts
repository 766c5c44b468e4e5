import { Rrset, dsData, nsecData, rrsetsOf, type SigningKey, type Validity } from '../../dnssec/index.js';
import { Class, Type, formatRr, isSubdomain, type Name, type Rr } from '../../wire/index.js';
import { soaNumbers, type NameNode, type ZoneData } from '../../zone/index.js';

/** How a zone is signed. */
export interface SigningOrder extends Validity {
  readonly keys: readonly SigningKey[];
  /** The serial that the signed zone has. */
  readonly serial: number;
}

/** A name of the zone: the zone's own, one at which it ends, or what lies below such a one. */
type NameAuthority = 'own' | 'cut' | 'below';

/**
 * Signs a zone (RFC 4035 section 2), in steps, and gives it as a master file: the SOA record first, with the serial of
 * the order, and then all names in canonical order. Keys are added at the apex, with what a parent zone wants to know of
 * them (RFC 7344). Delegations are denied DS records where they have none, and glue stays as it is.
 */
export function* signZone(zone: ZoneData, order: SigningOrder): Generator<void, Buffer, void> {
  const { minimum } = soaNumbers(zone.apex.soa);
  const text = new ZoneText();
  const signed = (records: readonly [Rr, ...Rr[]]): Rr[] => [
    ...records,
    ...signaturesOver(records, zone.origin, order),
  ];
  /** The name whose NSEC record waits for the name behind it. */
  let before: OrderedName | undefined;
  let types: readonly number[] = [];
  const deny = (next: Name): void => {
    const { name } = before!;
    text.write(signed([{ name, type: Type.NSEC, class: Class.IN, ttl: minimum, rdata: nsecData(next, types) }]));
  };
  for (const one of ownNames(zone)) {
    yield;
    const { node, name, authority } = one;
    const apex = node === zone.head;
    const sets = rrsetsOf(apex ? apexRecords(zone, order) : zone.records.all(node, name)).map(oneTtl);
    if (authority !== 'below' && before !== undefined) deny(name);
    for (const set of sets) text.write(isSigned(set[0].type, authority, apex) ? signed(set) : set);
    if (authority === 'below') continue;
    const told = authority === 'cut' ? sets.filter(([{ type }]) => type === Type.NS || type === Type.DS) : sets;
    types = [...told.map(([{ type }]) => type), Type.RRSIG, Type.NSEC];
    before = one;
  }
  deny(zone.origin);
  return text.bytes();
}

/** Lines of a master file: as octets, as a large zone is more than one string may hold. */
class ZoneText {
  private readonly done: Buffer[] = [];
  private lines: string[] = [];

  write(records: readonly Rr[]): void {
    for (const record of records) this.lines.push(formatRr(record), '\n');
    if (this.lines.length > MOST_LINES) this.flush();
  }

  bytes(): Buffer {
    this.flush();
    return Buffer.concat(this.done);
  }

  private flush(): void {
    this.done.push(Buffer.from(this.lines.join(''), 'latin1'));
    this.lines = [];
  }
}

const MOST_LINES = 2000;

interface OrderedName {
  readonly node: NameNode;
  readonly name: Name;
  readonly authority: NameAuthority;
}

/** All names with records in canonical order, the apex first; those outside the zone are left out. */
function* ownNames(zone: ZoneData): Generator<OrderedName, void, void> {
  const { tree, records, head, origin } = zone;
  yield { node: head, name: origin, authority: 'own' };
  for (const node of zone.sorted()) {
    const name = tree.name(node);
    if (node === head || !isSubdomain(origin, name)) continue;
    let authority: NameAuthority = 'own';
    for (let above = node; above !== head; above = tree.parent(above))
      if (records.hasType(above, Type.NS)) authority = above === node ? 'cut' : 'below';
    yield { node, name, authority };
  }
}

/** At a cut only what is the parent's word is signed (RFC 4035 section 2.2). */
const isSigned = (type: number, authority: NameAuthority, apex: boolean): boolean =>
  authority === 'own' ? apex || type !== Type.NS : type === Type.DS;

function apexRecords(zone: ZoneData, { keys, serial }: SigningOrder): Rr[] {
  const { head, origin, records } = zone;
  const { soa, servers } = zone.apex;
  const rdata = Buffer.from(soa.rdata);
  rdata.writeUInt32BE(serial, rdata.length - 20);
  const { ttl } = soa;
  const made = (type: number, data: Uint8Array): Rr => ({ name: origin, type, class: Class.IN, ttl, rdata: data });
  return [
    { ...soa, name: origin, rdata },
    ...servers,
    ...records.all(head, origin),
    ...keys.map((key) => made(Type.DNSKEY, key.rdata)),
    ...keys.flatMap((key) => [
      made(Type.CDS, dsData(origin, key, 'sha1')),
      made(Type.CDS, dsData(origin, key, 'sha256')),
    ]),
    ...keys.map((key) => made(Type.CDNSKEY, key.rdata)),
  ];
}

/** The records of a set have one TTL (RFC 2181 section 5.2): that of the first. */
function oneTtl(set: readonly [Rr, ...Rr[]]): [Rr, ...Rr[]] {
  const [first, ...others] = set;
  return [first, ...others.map((record) => ({ ...record, ttl: first.ttl }))];
}

function signaturesOver(records: readonly [Rr, ...Rr[]], signer: Name, { keys, ...validity }: SigningOrder): Rr[] {
  const [{ name, ttl }] = records;
  const set = new Rrset(records, ttl);
  return keys.map((key) => {
    return { name, type: Type.RRSIG, class: Class.IN, ttl, rdata: set.sign(key, signer, validity) };
  });
}
