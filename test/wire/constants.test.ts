import { describe, expect, it } from 'vitest';
import { Class, Flag, OPCODE_MASK, Opcode, RCODE_MASK, Rcode, Type } from '../../src/wire/index.js';
import { ExtendedErrorCode, ednsWith, explained, extendedError } from '../../src/wire/extended-error.js';

/** The registry "Domain Name System (DNS) Parameters": names in a row, from a number on. */
const TYPES = [
  {
    from: 1,
    names:
      'A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP ' +
      'NSAP-PTR SIG KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT APL ' +
      'DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA',
  },
  {
    from: 55,
    names: 'HIP NINFO RKEY TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID',
  },
  { from: 99, names: 'SPF UINFO UID GID UNSPEC NID L32 L64 LP EUI48 EUI64' },
  { from: 128, names: 'NXNAME' },
  {
    from: 249,
    names: 'TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC DOA AMTRELAY RESINFO WALLET CLA IPN',
  },
  { from: 32768, names: 'TA DLV' },
];
const RCODES = [
  {
    from: 0,
    names: 'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI',
  },
  { from: 16, names: 'BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE' },
];
const CLASSES = [
  { from: 1, names: 'IN' },
  { from: 3, names: 'CH HS' },
  { from: 254, names: 'NONE ANY' },
];
const OPCODES = [
  { from: 0, names: 'QUERY IQUERY STATUS' },
  { from: 4, names: 'NOTIFY UPDATE DSO' },
];

/** "Extended DNS Error Codes", as far as they are given here. */
const EXTENDED_ERRORS = [
  { from: 0, names: 'Other' },
  { from: 3, names: 'StaleAnswer' },
  { from: 13, names: 'CachedError NotReady Blocked' },
  { from: 17, names: 'Filtered Prohibited StaleNxdomain NotAuthoritative NotSupported NoReachableAuthority' },
  { from: 23, names: 'NetworkError InvalidData' },
];

describe('numbers of the registry', () => {
  it.each([
    { name: 'types', own: Type, registry: TYPES },
    { name: 'response codes', own: Rcode, registry: RCODES },
    { name: 'classes', own: Class, registry: CLASSES },
    { name: 'opcodes', own: Opcode, registry: OPCODES },
    { name: 'extended errors', own: ExtendedErrorCode, registry: EXTENDED_ERRORS },
  ])('of $name', ({ own, registry }) => {
    const named = registry.flatMap(({ from, names }) => names.split(' ').map((name, i) => [name, from + i] as const));
    expect(own).toEqual(Object.fromEntries(named));
  });
});

it('the second word of a header has its bits in the order of RFC 1035 section 4.1.1 and RFC 2535 section 6.1', () => {
  const bit = (at: number): number => 1 << (15 - at);
  const names = ['AA', 'TC', 'RD', 'RA', 'Z', 'AD', 'CD'].map((name, i) => [name, bit(5 + i)] as const);
  expect(Flag).toEqual(Object.fromEntries([['QR', bit(0)], ...names]));
  expect([OPCODE_MASK, RCODE_MASK]).toEqual([bit(1) | bit(2) | bit(3) | bit(4), 15]);
});

describe('an extended error', () => {
  it.each([
    { name: 'has a code and a text', code: 258, text: 'no', want: '01026e6f' },
    { name: 'has no text', code: 24, text: undefined, want: '0018' },
    { name: 'has 200 bytes of a longer text', code: 0, text: 'x'.repeat(201), want: `0000${'78'.repeat(200)}` },
  ])('$name', ({ code, text, want }) => {
    const option = extendedError(code, text);
    expect([option.code, Buffer.from(option.data).toString('hex')]).toEqual([15, want]);
    const edns = { udpSize: 0, version: 0, do: false, options: [option] };
    expect([ednsWith(option), explained(code, text ?? '')]).toEqual([edns, edns]);
  });
});
