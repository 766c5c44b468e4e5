import { typeFromName, typeName } from './constants.js';
import { fromHex, toHex, u16, u8, wholeNumber, wrongWord, type RdataField } from './fields.js';
import type { Words } from './words.js';

/** DNSSEC algorithms by number (RFC 8624 section 3.1 and the IANA registry). */
const ALGORITHMS: Readonly<Record<string, number>> = {
  DELETE: 0,
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  NSEC3DSA: 6,
  'RSASHA1-NSEC3-SHA1': 7,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  'ECC-GOST': 12,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
};

/** Types of certificates (RFC 4398 section 2.1). */
const CERTIFICATES: Readonly<Record<string, number>> = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
};

const known = (table: Readonly<Record<string, number>>, word: string): number | undefined =>
  Object.hasOwn(table, word.toUpperCase()) ? table[word.toUpperCase()] : undefined;

/** An algorithm: a number, also read by its name. */
export const algorithm: RdataField = {
  ...u8,
  read: (words, sink) => {
    const word = words.take();
    sink.uint(known(ALGORITHMS, word) ?? wholeNumber(word, 0xff), 1);
  },
};

/** A certificate's type, by its name where it has one. */
export const certificateType: RdataField = {
  ...u16,
  text: (data, at) => {
    const number = data.readUInt16BE(at);
    return Object.keys(CERTIFICATES).find((name) => CERTIFICATES[name] === number) ?? String(number);
  },
  read: (words, sink) => {
    const word = words.take();
    sink.uint(known(CERTIFICATES, word) ?? wholeNumber(word, 0xffff), 2);
  },
};

/** The scheme of DSYNC that has a name (RFC 9859 section 2.1). */
const NOTIFY = 1;

/** How a child's change is told: a number, or the name of the only scheme there is. */
export const syncScheme: RdataField = {
  ...u8,
  text: (data, at) => (data[at] === NOTIFY ? 'NOTIFY' : String(data[at])),
  read: (words, sink) => {
    const word = words.take();
    sink.uint(word.toUpperCase() === 'NOTIFY' ? NOTIFY : wholeNumber(word, 0xff), 1);
  },
};

/** A point in time: `YYYYMMDDHHmmSS` in UTC, or seconds since 1970 (RFC 4034 section 3.2). */
export const date: RdataField = {
  end: (_, at) => at + 4,
  text: (data, at) => new Date(data.readUInt32BE(at) * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14),
  read(words, sink) {
    const word = words.take();
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(word)?.slice(1).map(Number);
    if (parts === undefined) return sink.uint(wholeNumber(word, 0xffffffff), 4);
    const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
    const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
    // A 13th month or a 25th hour would be carried over into another date.
    if (at.toISOString().replace(/[-:T]/g, '').slice(0, 14) !== word) wrongWord(word, 'a date as YYYYMMDDHHmmSS');
    // Later dates wrap around (RFC 1982).
    sink.uint((at.getTime() / 1000) % 2 ** 32, 4);
  },
};

/** Whether all windows of a type bitmap are well-formed (RFC 4034 section 4.1.2). */
function wellFormed(data: Buffer, at: number): boolean {
  let previous = -1;
  let read = at;
  while (read < data.length) {
    const window = data[read]!;
    const length = data[read + 1] ?? 0;
    if (window <= previous || length < 1 || length > 32 || read + 2 + length > data.length) return false;
    if (data[read + 1 + length] === 0) return false;
    previous = window;
    read += 2 + length;
  }
  return true;
}

/** The types that exist at a name, to the end of the data (RFC 4034 section 4.1.2). */
export const typeBitmap: RdataField = {
  end: (data) => data.length,
  text(data, at) {
    if (!wellFormed(data, at)) return undefined;
    const types: string[] = [];
    for (let read = at; read < data.length; read += 2 + data[read + 1]!) {
      for (let bit = 0; bit < data[read + 1]! * 8; bit++)
        if (data[read + 2 + (bit >> 3)]! & (0x80 >> (bit & 7))) types.push(typeName(data[read]! * 256 + bit));
    }
    return types.join(' ');
  },
  read(words, sink) {
    const windows = new Map<number, Uint8Array>();
    const types = typesIn(words).sort((a, b) => a - b);
    for (const type of types) {
      const bits = windows.get(type >> 8) ?? new Uint8Array(32);
      windows.set(type >> 8, bits);
      bits[(type & 0xff) >> 3]! |= 0x80 >> (type & 7);
    }
    for (const [window, bits] of windows) {
      const length = bits.findLastIndex((octet) => octet !== 0) + 1;
      sink.put(Uint8Array.of(window, length, ...bits.subarray(0, length)));
    }
  },
};

const typesIn = (words: Words): number[] =>
  words.left === 0 ? [] : words.rest().map((word) => typeFromName(word) ?? wrongWord(word, 'a record type'));

/** The older bitmap of types up to 127 (RFC 2535 section 5.2). */
export const oldTypeBitmap: RdataField = {
  end: (data) => data.length,
  text(data, at) {
    if (at === data.length || data.length - at > 16 || data[data.length - 1] === 0) return undefined;
    const types: string[] = [];
    for (let bit = 0; bit < (data.length - at) * 8; bit++)
      if (data[at + (bit >> 3)]! & (0x80 >> (bit & 7))) types.push(typeName(bit));
    return types.join(' ');
  },
  read(words, sink) {
    const bits = new Uint8Array(16);
    for (const type of typesIn(words)) {
      if (type > 127) wrongWord(typeName(type), 'a record type up to 127');
      bits[type >> 3]! |= 0x80 >> (type & 7);
    }
    sink.put(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
};

/** The salt of NSEC3: a length and its octets, `-` for none (RFC 5155 section 3.3). */
export const salt: RdataField = {
  end: (data, at) => at + 1 + (data[at] ?? 0),
  text: (data, at, end) => (end === at + 1 ? '-' : toHex(data.subarray(at + 1, end))),
  read(words, sink) {
    const word = words.take();
    sink.string(word === '-' ? new Uint8Array(0) : fromHex([word]));
  },
};

const BASE32 = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** A hashed name: a length and its octets in base32 with the extended hex alphabet (RFC 5155 section 3.3). */
export const hashedName: RdataField = {
  end: (data, at) => at + 1 + (data[at] ?? 0),
  text(data, at, end) {
    let text = '';
    let bits = 0;
    let count = 0;
    for (let i = at + 1; i < end; i++) {
      bits = ((bits << 8) | data[i]!) & 0xfff;
      for (count += 8; count >= 5; count -= 5) text += BASE32[(bits >> (count - 5)) & 31]!;
    }
    if (text === '') return undefined;
    return count > 0 ? text + BASE32[(bits << (5 - count)) & 31]! : text;
  },
  read(words, sink) {
    const word = words.take();
    const octets: number[] = [];
    let bits = 0;
    let count = 0;
    for (const digit of word.toUpperCase()) {
      const number = BASE32.indexOf(digit);
      if (number < 0) wrongWord(word, 'base32 digits (0 to 9, A to V)');
      bits = ((bits << 5) | number) & 0xfff;
      count += 5;
      if (count >= 8) octets.push((bits >> (count -= 8)) & 0xff);
    }
    if (octets.length === 0 || count >= 5) wrongWord(word, 'base32 digits (0 to 9, A to V)');
    sink.string(Uint8Array.from(octets));
  },
};
