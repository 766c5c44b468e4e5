import { nsecData } from '../../dnssec/index.js';
import { Class, Type, lowerName, type Name, type Rr } from '../../wire/index.js';

/** Types that may exist at any name; those of CoreDNS, so that nobody sees a difference. */
const ANYWHERE: readonly number[] = [
  ...[Type.A, Type.HINFO, Type.TXT, Type.AAAA, Type.LOC, Type.SRV, Type.CERT, Type.SSHFP, Type.RRSIG, Type.NSEC],
  ...[Type.TLSA, Type.HIP, Type.OPENPGPKEY, Type.SPF],
];

/** Types that would make another thing of the name: an alias, or the end of the zone (RFC 4035 section 5.4). */
export const NEVER_TOLD: readonly number[] = [Type.NS, Type.SOA, Type.CNAME, Type.DNAME, Type.DS, Type.NXNAME];

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

/** Makes the records that deny. */
export class BlackLies {
  private readonly anywhere: readonly number[];
  private readonly atApex: readonly number[];
  private readonly atCut: readonly number[];

  /** @param more types that may exist at any name too */
  constructor(more: readonly number[] = []) {
    this.anywhere = [...ANYWHERE, ...more];
    this.atApex = [...this.anywhere, Type.NS, Type.SOA, Type.MX, Type.DNSKEY];
    this.atCut = [...this.anywhere, Type.NS];
  }

  /**
   * Says that the name exists and has no record of the type, up to the name right behind it. A name that does not exist
   * is denied in the same way: so no other name of the zone is told, and one signature is enough.
   */
  denial({ qname, name, type, zone }: Denied, ttl: number): Rr {
    const types = name === zone ? this.atApex : type === Type.DS ? this.atCut : this.anywhere;
    const told = type === Type.NSEC ? types : types.filter((one) => one !== type);
    return nsec(qname, name === '.' ? '\\000.' : `\\000.${name}`, told, ttl);
  }

  /** Says that a delegated name has no DS record, and nothing of what lies below it. */
  unsignedCut(cut: Name, ttl: number): Rr {
    const dot = /(?:\\\d{3}|\\[^\d]|[^.\\])+/.exec(cut)![0].length;
    return nsec(cut, `${lowerName(cut.slice(0, dot))}\\000${lowerName(cut.slice(dot))}`, this.atCut, ttl);
  }
}
