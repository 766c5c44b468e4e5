import { nsecData } from '../../dnssec/index.js';
import { Class, Type, lowerName, type Name, type Rr } from '../../wire/index.js';

/** Types that may exist at any name; those of CoreDNS, so that nobody sees a difference. */
const ANYWHERE: readonly number[] = [
  ...[Type.A, Type.HINFO, Type.TXT, Type.AAAA, Type.LOC, Type.SRV, Type.CERT, Type.SSHFP, Type.RRSIG, Type.NSEC],
  ...[Type.TLSA, Type.HIP, Type.OPENPGPKEY, Type.SPF],
];
const AT_APEX: readonly number[] = [...ANYWHERE, Type.NS, Type.SOA, Type.MX, Type.DNSKEY];
const AT_CUT: readonly number[] = [...ANYWHERE, Type.NS];

/** A question that is answered with what there is not. */
export interface Denied {
  /** As it was asked. */
  readonly qname: Name;
  readonly name: Name;
  readonly type: number;
  readonly zone: Name;
}

const nsec = (name: Name, next: Name, types: readonly number[], ttl: number): Rr => ({
  name,
  type: Type.NSEC,
  class: Class.IN,
  ttl,
  rdata: nsecData(next, types),
});

/**
 * Says that the name exists and has no record of the type, up to the name right behind it. A name that does not exist
 * is denied in the same way: so no other name of the zone is told, and one signature is enough.
 */
export function denial({ qname, name, type, zone }: Denied, ttl: number): Rr {
  const atApex = name === zone;
  const types = atApex ? AT_APEX : type === Type.DS ? AT_CUT : ANYWHERE;
  const told = type === Type.NSEC ? types : types.filter((one) => one !== type);
  return nsec(qname, name === '.' ? '\\000.' : `\\000.${name}`, told, ttl);
}

/** Says that a delegated name has no DS record, and nothing of what lies below it. */
export function unsignedCut(cut: Name, ttl: number): Rr {
  const dot = /(?:\\\d{3}|\\[^\d]|[^.\\])+/.exec(cut)![0].length;
  return nsec(cut, `${lowerName(cut.slice(0, dot))}\\000${lowerName(cut.slice(dot))}`, AT_CUT, ttl);
}
