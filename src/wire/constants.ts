/** Numbers of the IANA "Domain Name System (DNS) Parameters" registry that nodens names. */

/** Resource record types and question types (RFC 1035 section 3.2.2 and the registry). */
export const Type = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
} as const;

export const Class = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

export const Opcode = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

/** Response codes; those above 15 need an OPT record (RFC 6891 section 6.1.3). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  DSOTYPENI: 11,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const;

/** Bits of the second 16-bit word of the header (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6 for AD and CD). */
export const Flag = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  Z: 0x0040,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** The part of that word that holds the opcode, and the part that holds the low four bits of the rcode. */
export const OPCODE_MASK = 0x7800;
export const RCODE_MASK = 0x000f;

/** Largest message a client without EDNS takes over UDP, in octets (RFC 1035 section 4.2.1). */
export const MIN_MESSAGE_SIZE = 512;
/** Largest message at all, in octets (the 16-bit length field of RFC 1035 section 4.2.2). */
export const MAX_MESSAGE_SIZE = 65_535;
export const HEADER_SIZE = 12;

const names = (table: Record<string, number>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([name, value]) => [value, name]));
const TYPE_NAMES = names(Type);
const CLASS_NAMES = names(Class);
const RCODE_NAMES = names(Rcode);
const OPCODE_NAMES = names(Opcode);

/** `A`, `AAAA`, ...; `TYPE65280` for a type without a name (RFC 3597 section 5). */
export const typeName = (type: number): string => TYPE_NAMES.get(type) ?? `TYPE${type}`;
/** `IN`, `CH`, ...; `CLASS5` for a class without a name (RFC 3597 section 5). */
export const className = (value: number): string => CLASS_NAMES.get(value) ?? `CLASS${value}`;
/** `NOERROR`, `NXDOMAIN`, ...; `RCODE12` for a code without a name. */
export const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
export const opcodeName = (opcode: number): string => OPCODE_NAMES.get(opcode) ?? `OPCODE${opcode}`;

/** The number for a type's name in any case, also in the `TYPE123` form; undefined for anything else. */
export const typeFromName = (name: string): number | undefined => numberFor(Type, 'TYPE', name);
/** The number for a class's name in any case, also in the `CLASS123` form; undefined for anything else. */
export const classFromName = (name: string): number | undefined => numberFor(Class, 'CLASS', name);
/** The number for an rcode's name in any case; undefined for anything else. */
export const rcodeFromName = (name: string): number | undefined => numberFor(Rcode, 'RCODE', name);

function numberFor(table: Record<string, number>, prefix: string, name: string): number | undefined {
  const upper = name.toUpperCase();
  if (Object.hasOwn(table, upper)) return table[upper];
  const rest = upper.startsWith(prefix) ? upper.slice(prefix.length) : '';
  return /^\d{1,5}$/.test(rest) && Number(rest) <= 0xffff ? Number(rest) : undefined;
}
