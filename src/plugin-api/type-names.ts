import type { RecordType } from 'dns-packet';
import { NodensError } from '../lib/errors.js';
import { Type, typeFromName } from '../wire/index.js';

/** A type by its name, as dns-packet spells it; `UNKNOWN_65` for one that dns-packet does not name. */
export type TypeName = RecordType | `UNKNOWN_${number}`;

const KNOWN: readonly string[] = (
  'A AAAA AFSDB APL AXFR CAA CDNSKEY CDS CERT CNAME DNAME DHCID DLV DNSKEY DS HINFO HIP IXFR IPSECKEY KEY KX LOC MX ' +
  'NAPTR NS NSEC NSEC3 NSEC3PARAM NULL OPT PTR RRSIG RP SIG SOA SPF SRV SSHFP TA TKEY TLSA TSIG TXT ANY'
).split(' ');
const NAMES = new Map<number, TypeName>(KNOWN.map((name) => [Type[name as keyof typeof Type], name as TypeName]));

export const publicTypeName = (type: number): TypeName => NAMES.get(type) ?? `UNKNOWN_${type}`;

/**
 * The number of a type from its name in any case: dns-packet's, the registry's (`HTTPS`), `TYPE65` (RFC 3597 section 5)
 * or `UNKNOWN_65`. Throws a NodensError at `path`.
 */
export function typeNumber(name: unknown, path: string): number {
  const number = typeof name === 'string' ? typeFromName(name.replace(/^UNKNOWN_/i, 'TYPE')) : undefined;
  if (number !== undefined) return number;
  const got = typeof name === 'string' ? `'${name}'` : typeof name;
  throw new NodensError('NODENS_RECORD', `${path}: got ${got}, allowed: a record type such as 'A', or 'TYPE65'`);
}
