import type { Seconds } from '../lib/units.js';
import { Type, encodeName, labels, lowerName, rdataLayout, type Name, type Rr } from '../wire/index.js';
import type { SigningKey } from './signing-key.js';

/**
 * Types whose names in the data are signed in lower case (RFC 4034 section 6.2). NSEC is none of them (RFC 6840 section
 * 5.1), nor is a type that came later (RFC 3597 section 7).
 */
const LOWERED: ReadonlySet<number> = new Set([
  ...[Type.NS, Type.MD, Type.MF, Type.CNAME, Type.SOA, Type.MB, Type.MG, Type.MR, Type.PTR, Type.MINFO, Type.MX],
  ...[Type.RP, Type.AFSDB, Type.RT, Type.SIG, Type.PX, Type.NXT, Type.NAPTR, Type.KX, Type.SRV, Type.DNAME],
]);

/** Record data as it is signed. */
function canonicalData(type: number, rdata: Uint8Array): Uint8Array {
  if (!LOWERED.has(type) || rdata.length === 0) return rdata;
  const { skip, strings, names } = rdataLayout(type)!;
  const data = Buffer.from(rdata);
  let at = skip;
  for (let i = 0; i < strings; i++) at += 1 + data[at]!;
  for (let i = 0; i < names; i++) {
    while (at < data.length && data[at] !== 0) {
      const end = at + 1 + data[at]!;
      for (at++; at < end; at++) if (data[at]! >= 0x41 && data[at]! <= 0x5a) data[at]! |= 0x20;
    }
    at++;
  }
  return data;
}

/** From when to when a signature holds, in seconds since 1970, modulo 2^32 (RFC 4034 section 3.1.5). */
export interface Validity {
  readonly inception: Seconds;
  readonly expiration: Seconds;
}

/** Records of one owner, class and type in the form that is signed (RFC 4034 sections 3.1.8.1 and 6). */
export class Rrset {
  readonly type: number;
  /** All records in canonical order, each once. */
  readonly octets: Buffer;
  private readonly labels: number;

  /**
   * @param records of one owner, class and type, at least one
   * @param ttl what signatures say the TTL was
   */
  constructor(
    records: readonly [Rr, ...Rr[]],
    readonly ttl: Seconds,
  ) {
    const [first] = records;
    const owner = encodeName(lowerName(first.name));
    this.type = first.type;
    this.labels = labelCount(first.name);
    const data = records.map((record) => canonicalData(record.type, record.rdata));
    if (data.length > 1) data.sort((a, b) => Buffer.compare(a, b));
    const parts: Uint8Array[] = [];
    data.forEach((rdata, i) => {
      if (i > 0 && Buffer.compare(rdata, data[i - 1]!) === 0) return;
      const fixed = Buffer.alloc(10);
      fixed.writeUInt16BE(first.type, 0);
      fixed.writeUInt16BE(first.class, 2);
      fixed.writeUInt32BE(ttl, 4);
      fixed.writeUInt16BE(rdata.length, 8);
      parts.push(owner, fixed, rdata);
    });
    this.octets = Buffer.concat(parts);
  }

  /** Data of an RRSIG record over the set (RFC 4034 section 3.1). */
  sign(key: SigningKey, signer: Name, { inception, expiration }: Validity): Buffer {
    const name = encodeName(signer);
    const head = Buffer.alloc(18 + name.length);
    head.writeUInt16BE(this.type, 0);
    head[2] = key.algorithm;
    head[3] = this.labels;
    head.writeUInt32BE(this.ttl, 4);
    head.writeUInt32BE(expiration >>> 0, 8);
    head.writeUInt32BE(inception >>> 0, 12);
    head.writeUInt16BE(key.tag, 16);
    head.set(name, 18);
    return Buffer.concat([head, key.sign(Buffer.concat([head, this.octets]))]);
  }
}

/** Labels without the root and without the one of a wildcard (RFC 4034 section 3.1.3). */
function labelCount(owner: Name): number {
  const all = labels(owner);
  return all[0] === '*' ? all.length - 1 : all.length;
}

/** Those of the records that are signed, by owner (its letter case included) and type, in the order in which they came. */
export function rrsetsOf(records: readonly Rr[]): [Rr, ...Rr[]][] {
  const sets = new Map<string, [Rr, ...Rr[]]>();
  for (const record of records) {
    if (record.type === Type.RRSIG || record.type === Type.OPT) continue;
    const key = `${record.type} ${record.name}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [record]);
    else set.push(record);
  }
  return [...sets.values()];
}
