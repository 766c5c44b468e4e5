import { Type, typeName } from './constants.js';
import {
  base64,
  hex,
  ip4,
  ip6,
  name,
  recordType,
  string,
  strings,
  tag,
  time,
  u16,
  u32,
  u8,
  value,
  wholeNumber,
  fromHex,
  wrongWord,
  type RdataField,
} from './fields.js';
import {
  a6,
  eui48,
  eui64,
  gateway,
  hostIdentity,
  locator64,
  nsap,
  optionalKey,
  relayType,
  services,
  u64,
} from './host-fields.js';
import { location, prefixes } from './place-fields.js';
import { MAX_RDATA_GROWTH, copyRdata } from './rdata.js';
import {
  algorithm,
  certificateType,
  date,
  hashedName,
  oldTypeBitmap,
  salt,
  syncScheme,
  typeBitmap,
} from './security-fields.js';
import { objectData, oneOrTwoStrings, serviceParams } from './service-fields.js';
import type { Sink } from './sink.js';
import { RrTextError, type Words } from './words.js';

const each = (types: readonly number[], fields: readonly RdataField[]): [number, readonly RdataField[]][] =>
  types.map((type) => [type, fields]);

const SIGNATURE = [recordType, algorithm, u8, u32, date, date, u16, name, base64];
const DIGEST = [u16, algorithm, u8, hex];
const KEY = [u16, u8, algorithm, base64];
const CERTIFICATE = [u8, u8, u8, hex];

/** The fields of each type that has a text form of its own (the RFCs that the IANA registry names for it). */
const FIELDS = new Map<number, readonly RdataField[]>([
  [Type.A, [ip4]],
  [Type.AAAA, [ip6]],
  ...each(
    [Type.NS, Type.MD, Type.MF, Type.CNAME, Type.PTR, Type['NSAP-PTR'], Type.DNAME, Type.MB, Type.MG, Type.MR],
    [name],
  ),
  [Type.SOA, [name, name, u32, time, time, time, time]],
  ...each([Type.MX, Type.AFSDB, Type.KX, Type.RT, Type.LP], [u16, name]),
  ...each([Type.RP, Type.MINFO, Type.TALINK], [name, name]),
  [Type.PX, [u16, name, name]],
  [Type.SRV, [u16, u16, u16, name]],
  ...each([Type.TXT, Type.SPF, Type.NINFO, Type.AVC, Type.RESINFO, Type.WALLET, Type.CLA], [strings]),
  [Type.HINFO, [string, string]],
  ...each([Type.X25, Type.UINFO], [string]),
  [Type.ISDN, [oneOrTwoStrings]],
  [Type.GPOS, [string, string, string]],
  [Type.WKS, [ip4, services]],
  [Type.A6, [a6]],
  [Type.NSAP, [nsap]],
  [Type.LOC, [location]],
  [Type.APL, [prefixes]],
  ...each([Type.EID, Type.NIMLOC], [hex]),
  [Type.SINK, [u8, u8, u8, optionalKey]],
  [Type.NAPTR, [u16, u16, string, string, string, name]],
  [Type.CAA, [u8, tag, value]],
  [Type.URI, [u16, u16, value]],
  ...each([Type.SVCB, Type.HTTPS], [u16, name, serviceParams]),
  [Type.DSYNC, [recordType, syncScheme, u16, name]],
  [Type.CERT, [certificateType, u16, algorithm, base64]],
  ...each([Type.SIG, Type.RRSIG], SIGNATURE),
  ...each([Type.DS, Type.CDS, Type.TA, Type.DLV], DIGEST),
  ...each([Type.KEY, Type.DNSKEY, Type.CDNSKEY, Type.RKEY], KEY),
  ...each([Type.TLSA, Type.SMIMEA], CERTIFICATE),
  [Type.SSHFP, [u8, u8, hex]],
  [Type.NXT, [name, oldTypeBitmap]],
  [Type.NSEC, [name, typeBitmap]],
  [Type.NSEC3, [u8, u8, u16, salt, hashedName, typeBitmap]],
  [Type.NSEC3PARAM, [u8, u8, u16, salt]],
  [Type.CSYNC, [u32, u16, typeBitmap]],
  [Type.ZONEMD, [u32, u8, u8, hex]],
  ...each([Type.DHCID, Type.OPENPGPKEY, Type.HHIT, Type.BRID], [base64]),
  [Type.IPSECKEY, [u8, u8, u8, gateway, optionalKey]],
  [Type.AMTRELAY, [u8, relayType, gateway]],
  [Type.HIP, [hostIdentity]],
  [Type.NID, [u16, locator64]],
  [Type.L64, [u16, locator64]],
  [Type.L32, [u16, ip4]],
  [Type.EUI48, [eui48]],
  [Type.EUI64, [eui64]],
  ...each([Type.UID, Type.GID], [u32]),
  [Type.DOA, [u32, u32, u8, string, objectData]],
  [Type.IPN, [u64]],
]);

/**
 * The data of a record as text; in the generic form `\# LENGTH HEX` (RFC 3597 section 5) for types without a text
 * form and for data that does not fit its type.
 */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const data = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  const fields = FIELDS.get(type);
  const text =
    fields === undefined || (data.length === 0 && type !== Type.APL) ? undefined : formatFields(fields, data);
  if (text !== undefined) return text;
  return data.length === 0 ? '\\# 0' : `\\# ${data.length} ${data.toString('hex').toUpperCase()}`;
}

/** The fields' texts; undefined when the data ends inside a field, goes on after the last one, or has no text form. */
function formatFields(fields: readonly RdataField[], data: Buffer): string | undefined {
  const texts: string[] = [];
  let at = 0;
  for (const field of fields) {
    const end = field.end(data, at);
    if (end > data.length) return undefined;
    const text = field.text(data, at, end);
    if (text === undefined) return undefined;
    if (text !== '') texts.push(text);
    at = end;
  }
  return at === data.length ? texts.join(' ') : undefined;
}

/**
 * Reads the words that are left as the data of a record into `sink`: in the form of its type, or in the generic form
 * (RFC 3597 section 5). Throws an RrTextError or a WireError that says what was got and what was expected.
 */
export function readRdata(type: number, words: Words, sink: Sink): void {
  sink.clear();
  if (words.next === '\\#') return readGeneric(type, words, sink);
  const fields = FIELDS.get(type);
  if (fields === undefined) throw new RrTextError(`type ${typeName(type)} needs the generic form '\\# LENGTH HEX'`);
  for (let i = 0; i < fields.length; i++) fields[i]!.read(words, sink);
  if (words.left > 0) throw new RrTextError(`unexpected '${words.take()}' after the data`);
}

/** Data in the generic form, also of types with a form of their own; it has to fit the type all the same. */
function readGeneric(type: number, words: Words, sink: Sink): void {
  words.take();
  const length = words.left === 0 ? wrongWord('', 'a length') : wholeNumber(words.take(), 0xffff);
  const data = words.left === 0 ? Buffer.alloc(0) : fromHex(words.rest());
  if (length !== data.length) throw new RrTextError(`length ${length} does not match ${data.length} octets of data`);
  const target = Buffer.alloc(data.length + MAX_RDATA_GROWTH);
  sink.put(target.subarray(0, copyRdata(type, data, 0, data.length, target, 0)));
}
