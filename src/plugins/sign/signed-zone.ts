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
  const names = ownNames(zone);
  const minimum = soaNumbers(zone.apex.soa).minimum;
  const parts: string[] = [];
  const write = (records: readonly Rr[]): void => {
    for (const record of records) parts.push(formatRr(record), '\n');
  };
  const signed = (records: readonly [Rr, ...Rr[]]): Rr[] => [
    ...records,
    ...signaturesOver(records, zone.origin, order),
  ];
  const next = nextNames(names);
  for (const { node, name, authority } of names) {
    yield;
    const sets = rrsetsOf(node === zone.head ? apexRecords(zone, order) : zone.records.all(node, name)).map(oneTtl);
    if (authority === 'below') {
      for (const set of sets) write(set);
      continue;
    }
    for (const set of sets) write(isSigned(set[0].type, authority, node === zone.head) ? signed(set) : set);
    const told = authority === 'cut' ? sets.filter(([{ type }]) => type === Type.NS || type === Type.DS) : sets;
    const types = [...told.map(([{ type }]) => type), Type.RRSIG, Type.NSEC];
    const rdata = nsecData(next.get(node)!, types);
    write(signed([{ name, type: Type.NSEC, class: Class.IN, ttl: minimum, rdata }]));
  }
  return Buffer.from(parts.join(''), 'latin1');
}

interface OrderedName {
  readonly node: NameNode;
  readonly name: Name;
  readonly authority: NameAuthority;
}

/** All names with records in canonical order, those outside the zone left out. */
function ownNames({ tree, records, head, origin }: ZoneData): OrderedName[] {
  const nodes: NameNode[] = [];
  for (let node = 0; node < tree.size; node++) if (node === head || records.has(node)) nodes.push(node);
  return nodes
    .sort((a, b) => tree.compare(a, b))
    .map((node) => ({ node, name: tree.name(node) }))
    .filter(({ name }) => isSubdomain(origin, name))
    .map(({ node, name }) => {
      let above = node;
      let authority: NameAuthority = 'own';
      for (; above !== head; above = tree.parent(above))
        if (records.hasType(above, Type.NS)) authority = above === node && authority === 'own' ? 'cut' : 'below';
      return { node, name, authority };
    });
}

/** The name behind each of those that have an NSEC record; the first one behind the last. */
function nextNames(names: readonly OrderedName[]): Map<NameNode, Name> {
  const told = names.filter(({ authority }) => authority !== 'below');
  return new Map(told.map(({ node }, i) => [node, told[(i + 1) % told.length]!.name]));
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
