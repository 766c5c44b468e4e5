import { NodensError } from '../lib/errors.js';
import { formatIp, parseIp } from '../lib/cidr.js';
import { Class, Type, className, classFromName, typeFromName, typeName } from './constants.js';
import type { Rr } from './message.js';
import { MAX_LABEL, MAX_NAME, encodeName, fqdn, readName } from './name.js';
import { MAX_RDATA_GROWTH, copyRdata } from './rdata.js';

/** Text that is no resource record in master-file form. */
export class RrTextError extends NodensError {
  override readonly name = 'RrTextError';

  constructor(message: string) {
    super('NODENS_RECORD', message);
  }
}

/**
 * Fields of record data in order; each knows its text form and its wire form (RFC 1035 section 5 and the RFC of each
 * type).
 */
type Field =
  'name' | 'u8' | 'u16' | 'u32' | 'ip4' | 'ip6' | 'string' | 'strings' | 'hex' | 'base64' | 'tag' | 'value' | 'time';

const FIELDS = new Map<number, readonly Field[]>([
  [Type.A, ['ip4']],
  [Type.AAAA, ['ip6']],
  ...[Type.NS, Type.CNAME, Type.PTR, Type.DNAME, Type.MB, Type.MG, Type.MR].map((type): [number, readonly Field[]] => [
    type,
    ['name'],
  ]),
  [Type.SOA, ['name', 'name', 'u32', 'time', 'time', 'time', 'time']],
  [Type.MX, ['u16', 'name']],
  [Type.AFSDB, ['u16', 'name']],
  [Type.KX, ['u16', 'name']],
  [Type.RT, ['u16', 'name']],
  [Type.RP, ['name', 'name']],
  [Type.MINFO, ['name', 'name']],
  [Type.SRV, ['u16', 'u16', 'u16', 'name']],
  [Type.TXT, ['strings']],
  [Type.SPF, ['strings']],
  [Type.HINFO, ['string', 'string']],
  [Type.CAA, ['u8', 'tag', 'value']],
  [Type.NAPTR, ['u16', 'u16', 'string', 'string', 'string', 'name']],
  [Type.DS, ['u16', 'u8', 'u8', 'hex']],
  [Type.CDS, ['u16', 'u8', 'u8', 'hex']],
  [Type.DNSKEY, ['u16', 'u8', 'u8', 'base64']],
  [Type.SSHFP, ['u8', 'u8', 'hex']],
  [Type.TLSA, ['u8', 'u8', 'u8', 'hex']],
  [Type.URI, ['u16', 'u16', 'value']],
]);

const WIDTH = { u8: 1, u16: 2, u32: 4, time: 4 } as const;

/**
 * The data of a record as text; in the generic form `\# LENGTH HEX` (RFC 3597 section 5) for types without a text
 * form and for data that does not fit its type.
 */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const data = Buffer.from(rdata);
  const fields = FIELDS.get(type);
  const words = fields === undefined || data.length === 0 ? undefined : formatFields(fields, data);
  if (words !== undefined) return words.join(' ');
  return data.length === 0 ? '\\# 0' : `\\# ${data.length} ${data.toString('hex').toUpperCase()}`;
}

/** The fields' texts; undefined when the data ends inside a field or goes on after the last one. */
function formatFields(fields: readonly Field[], data: Buffer): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (const field of fields) {
    const end = fieldEnd(field, data, at);
    if (end > data.length) return undefined;
    words.push(formatField(field, data, at, end));
    at = end;
  }
  return at === data.length ? words : undefined;
}

/** Offset after the field at `at`; past the end of the data where the field is cut short. */
function fieldEnd(field: Field, data: Buffer, at: number): number {
  switch (field) {
    case 'name':
    case 'string':
    case 'tag': {
      if (field !== 'name') return at + 1 + (data[at] ?? 0);
      let end = at;
      while (end < data.length && data[end] !== 0) end += data[end]! > MAX_LABEL ? data.length : 1 + data[end]!;
      return end + 1 - at > MAX_NAME ? data.length + 1 : end + 1;
    }
    case 'ip4':
      return at + 4;
    case 'ip6':
      return at + 16;
    case 'strings': {
      let end = at;
      while (end < data.length) end += 1 + data[end]!;
      return end;
    }
    case 'value':
    case 'hex':
    case 'base64':
      return data.length;
    default:
      return at + WIDTH[field];
  }
}

function formatField(field: Field, data: Buffer, at: number, end: number): string {
  switch (field) {
    case 'name':
      return readName(data, at).name;
    case 'ip4':
    case 'ip6':
      return formatIp(data.subarray(at, end));
    case 'tag':
      return data.toString('latin1', at + 1, end);
    case 'string':
      return quote(data.subarray(at + 1, end));
    case 'strings': {
      const strings: string[] = [];
      for (let next = at; next < end; next += 1 + data[next]!)
        strings.push(quote(data.subarray(next + 1, next + 1 + data[next]!)));
      return strings.join(' ');
    }
    case 'value':
      return quote(data.subarray(at));
    case 'hex':
      return data.toString('hex', at).toUpperCase();
    case 'base64':
      return data.toString('base64', at);
    default:
      return String(data.readUIntBE(at, WIDTH[field]));
  }
}

/** The record on one line, fields parted by tabs: `www.example.org.\t300\tIN\tA\t192.0.2.1`. */
export function formatRr(record: Rr): string {
  return [
    record.name,
    record.ttl,
    className(record.class),
    typeName(record.type),
    formatRdata(record.type, record.rdata),
  ].join('\t');
}

function quote(text: Buffer): string {
  let quoted = '"';
  for (const octet of text) {
    if (octet === 0x22 || octet === 0x5c) quoted += `\\${String.fromCharCode(octet)}`;
    else quoted += octet < 0x20 || octet > 0x7e ? `\\${String(octet).padStart(3, '0')}` : String.fromCharCode(octet);
  }
  return `${quoted}"`;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** TTL of a record that names none, in seconds: what the reference's parser assumes. */
const DEFAULT_TTL = 3600;

/**
 * Reads one record in master-file form: `NAME [TTL] [CLASS] TYPE DATA`, TTL and class in either order. Names are
 * taken as complete;
 * parentheses are allowed, `;` starts a comment. Throws an RrTextError that says what was got and what was expected.
 */
export function parseRr(text: string): Rr {
  const words = split(text);
  const owner = words.shift();
  if (owner === undefined) throw new RrTextError('empty record');
  let ttl = DEFAULT_TTL;
  let rrClass: number = Class.IN;
  let word = words.shift();
  for (let i = 0; i < 2 && word !== undefined; i++) {
    const seconds = parseTtl(word.text);
    const named = classFromName(word.text);
    if (seconds !== undefined) ttl = seconds;
    else if (named !== undefined && typeFromName(word.text) === undefined) rrClass = named;
    else break;
    word = words.shift();
  }
  const type = word === undefined ? undefined : typeFromName(word.text);
  if (type === undefined)
    throw new RrTextError(
      `expected a record type, got ${word === undefined ? 'the end' : `'${word.text}'`} in '${text}'`,
    );
  return { name: checkedName(owner.text, text), type, class: rrClass, ttl, rdata: parseRdata(type, words, text) };
}

/**
 * Reads a TTL in seconds, or with the units w, d, h, m, s (`1h30m`); undefined for anything else or more than 2^32 -
 * 1.
 */
export function parseTtl(text: string): number | undefined {
  if (!/^(?=.)(?:\d+[wdhms])*\d*$/i.test(text)) return undefined;
  const unit: Record<string, number> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, '': 1 };
  let total = 0;
  for (const [, count, letter] of text.matchAll(/(\d+)([wdhms]?)/gi))
    total += Number(count) * unit[letter!.toLowerCase()]!;
  return total <= 0xffffffff ? total : undefined;
}

function parseRdata(type: number, words: Word[], text: string): Uint8Array {
  if (words[0]?.text === '\\#' && !words[0].quoted) return generic(type, words, text);
  const fields = FIELDS.get(type);
  if (fields === undefined)
    throw new RrTextError(`type ${typeName(type)} needs the generic form '\\# LENGTH HEX' in '${text}'`);
  const parts = fields.map((field) => encodeField(field, words, text));
  if (words.length > 0) throw new RrTextError(`unexpected '${words[0]!.text}' after the data in '${text}'`);
  return Buffer.concat(parts);
}

/**
 * Data in the generic form, also of types with a form of their own; it has to fit the type all the same (RFC 3597
 * section 5).
 */
function generic(type: number, words: Word[], text: string): Uint8Array {
  const data = digits('hex', words.slice(2), text);
  if (Number(words[1]?.text) !== data.length)
    throw new RrTextError(`length ${words[1]?.text ?? ''} does not match ${data.length} octets of data in '${text}'`);
  try {
    const target = Buffer.alloc(data.length + MAX_RDATA_GROWTH);
    return target.subarray(0, copyRdata(type, data, 0, data.length, target, 0));
  } catch (error) {
    throw new RrTextError(`${(error as Error).message} in '${text}'`);
  }
}

/** Hexadecimal or base64 digits, perhaps in several words. */
function digits(field: 'hex' | 'base64', words: readonly Word[], text: string): Buffer {
  const joined = words.map((word) => word.text).join('');
  if (
    !(field === 'hex' ? /^(?:[\da-f]{2})*$/i : /^(?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?$/i).test(joined)
  ) {
    throw new RrTextError(
      `expected ${field === 'hex' ? 'pairs of hexadecimal digits' : 'base64 text'}, got '${joined}' in '${text}'`,
    );
  }
  return Buffer.from(joined, field);
}

function encodeField(field: Field, words: Word[], text: string): Buffer {
  if (field === 'strings' || field === 'hex' || field === 'base64') {
    const rest = words.splice(0);
    if (rest.length === 0) throw new RrTextError(`data is missing in '${text}'`);
    if (field === 'strings') return Buffer.concat(rest.flatMap((word) => chunks(unescape(word.text)).map(charString)));
    return digits(field, rest, text);
  }
  const word = words.shift();
  if (word === undefined) throw new RrTextError(`data is missing in '${text}'`);
  switch (field) {
    case 'name':
      return encodeName(checkedName(word.text, text));
    case 'ip4':
    case 'ip6': {
      const ip = parseIp(word.text);
      if (ip?.length !== (field === 'ip4' ? 4 : 16))
        throw new RrTextError(`expected an IPv${field[2]} address, got '${word.text}' in '${text}'`);
      return Buffer.from(ip);
    }
    case 'string':
    case 'tag':
      return charString(unescape(word.text));
    case 'value':
      return unescape(word.text);
    default:
      return encodeNumber(field, word.text, text);
  }
}

function encodeNumber(field: 'u8' | 'u16' | 'u32' | 'time', word: string, text: string): Buffer {
  const width = WIDTH[field];
  const value = field === 'time' ? parseTtl(word) : /^\d+$/.test(word) ? Number(word) : undefined;
  if (value === undefined || value >= 2 ** (8 * width))
    throw new RrTextError(`expected a number from 0 to ${2 ** (8 * width) - 1}, got '${word}' in '${text}'`);
  const data = Buffer.alloc(width);
  data.writeUIntBE(value, 0, width);
  return data;
}

function checkedName(name: string, text: string): string {
  try {
    encodeName(name);
  } catch (error) {
    throw new RrTextError(`${(error as Error).message} in '${text}'`);
  }
  return fqdn(name);
}

/** A character-string holds at most 255 octets (RFC 1035 section 3.3). */
function charString(text: Buffer): Buffer {
  if (text.length > 255) throw new RrTextError(`character-string of ${text.length} octets, at most 255 are allowed`);
  return Buffer.concat([Buffer.from([text.length]), text]);
}

function chunks(text: Buffer): Buffer[] {
  const list: Buffer[] = [];
  for (let i = 0; i < text.length; i += 255) list.push(text.subarray(i, i + 255));
  return list.length === 0 ? [text] : list;
}

function unescape(text: string): Buffer {
  const octets: number[] = [];
  const bytes = Buffer.from(text, 'utf8');
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x5c) octets.push(bytes[i]!);
    else {
      const digits = /^\d{3}$/.exec(bytes.toString('latin1', i + 1, i + 4))?.[0];
      if (digits !== undefined && Number(digits) <= 255) {
        octets.push(Number(digits));
        i += 3;
      } else if (i + 1 < bytes.length) octets.push(bytes[++i]!);
    }
  }
  return Buffer.from(octets);
}

/** Words of a master-file line: quotes kept together, parentheses and comments dropped, escapes left as they are. */
function split(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(/"((?:[^"\\]|\\[\s\S])*)"|(;[^\n]*)|[()]|((?:[^\s"();\\]|\\[\s\S])+)|(["\\])/g)) {
    if (match[4] !== undefined)
      throw new RrTextError(
        `${match[4] === '"' ? 'quote without end' : 'nothing after the last backslash'} in '${text}'`,
      );
    if (match[1] !== undefined) words.push({ text: match[1], quoted: true });
    else if (match[3] !== undefined) words.push({ text: match[3], quoted: false });
  }
  return words;
}
