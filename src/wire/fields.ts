import { formatIp, parseIp } from '../lib/cidr.js';
import { typeFromName, typeName } from './constants.js';
import { MAX_LABEL, MAX_NAME, readName } from './name.js';
import type { Sink } from './sink.js';
import { RrTextError, unescapeWord, type Words } from './words.js';

/** A part of record data: how long it is, how it is written, and how it is read (the RFC of each type). */
export interface RdataField {
  /** Offset after the field at `at`; past the end of the data where the field is cut short. */
  end(data: Buffer, at: number): number;
  /** The field's words; undefined where the octets have no text form. */
  text(data: Buffer, at: number, end: number): string | undefined;
  /** Takes its words and writes its octets. Throws an RrTextError or a WireError. */
  read(words: Words, sink: Sink): void;
}

/** Throws the error for a word that is not what is allowed there. */
export function wrongWord(word: string, expected: string): never {
  throw new RrTextError(`expected ${expected}, got '${word}'`);
}

/** A whole number in decimal digits from 0 to `max`. Throws an RrTextError. */
export function wholeNumber(word: string, max: number): number {
  const value = /^\d{1,10}$/.test(word) ? Number(word) : NaN;
  return value <= max ? value : wrongWord(word, `a number from 0 to ${max}`);
}

const rest = (data: Buffer): number => data.length;

/** A number of `width` octets. */
const uint = (width: number): RdataField => ({
  end: (_, at) => at + width,
  text: (data, at) => String(data.readUIntBE(at, width)),
  read: (words, sink) => sink.uint(wholeNumber(words.take(), 2 ** (8 * width) - 1), width),
});

export const u8 = uint(1);
export const u16 = uint(2);
export const u32 = uint(4);

/** Seconds, also with units. */
export const time: RdataField = {
  ...u32,
  read: (words, sink) => {
    const word = words.take();
    sink.uint(parseTtl(word) ?? wrongWord(word, `a number from 0 to ${0xffffffff}`), 4);
  },
};

/**
 * Reads a TTL in seconds, or with the units w, d, h, m, s (`1h30m`); undefined for anything else or more than 2^32 -
 * 1.
 */
export function parseTtl(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^(?=.)(?:\d+[wdhms])*\d*$/i.test(text)) return undefined;
  const unit: Record<string, number> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, '': 1 };
  let total = 0;
  for (const [, count, letter] of text.matchAll(/(\d+)([wdhms]?)/gi))
    total += Number(count) * unit[letter!.toLowerCase()]!;
  return total <= 0xffffffff ? total : undefined;
}

export const name: RdataField = {
  end(data, at) {
    let end = at;
    while (end < data.length && data[end] !== 0) end += data[end]! > MAX_LABEL ? data.length : 1 + data[end]!;
    return end + 1 - at > MAX_NAME ? Infinity : end + 1;
  },
  text: (data, at) => readName(data, at).name,
  read: (words, sink) => sink.name(words.take()),
};

/** The four numbers of an IPv4 address in one; undefined for any other text. */
function ip4Number(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (part < 0 || ++dots > 3) return undefined;
      value = value * 256 + part;
      part = -1;
    } else {
      if (code < 0x30 || code > 0x39 || part === 0) return undefined;
      part = (part < 0 ? 0 : part * 10) + code - 0x30;
      if (part > 255) return undefined;
    }
  }
  return part < 0 || dots !== 3 ? undefined : value * 256 + part;
}

export const ip4: RdataField = {
  end: (_, at) => at + 4,
  text: (data, at, end) => formatIp(data.subarray(at, end)),
  read(words, sink) {
    const word = words.take();
    sink.uint(ip4Number(word) ?? wrongWord(word, 'an IPv4 address'), 4);
  },
};

export const ip6: RdataField = {
  end: (_, at) => at + 16,
  text: (data, at, end) => formatIp(data.subarray(at, end)),
  read(words, sink) {
    const word = words.take();
    const ip = parseIp(word);
    sink.put(ip?.length === 16 ? ip : wrongWord(word, 'an IPv6 address'));
  },
};

/** The octets in quotes, as the word of a string. */
export function quote(octets: Uint8Array): string {
  let quoted = '"';
  for (const octet of octets) {
    if (octet === 0x22 || octet === 0x5c) quoted += `\\${String.fromCharCode(octet)}`;
    else quoted += octet < 0x20 || octet > 0x7e ? `\\${String(octet).padStart(3, '0')}` : String.fromCharCode(octet);
  }
  return `${quoted}"`;
}

const stringEnd = (data: Buffer, at: number): number => at + 1 + (data[at] ?? 0);

/** A character-string (RFC 1035 section 3.3). */
export const string: RdataField = {
  end: stringEnd,
  text: (data, at, end) => quote(data.subarray(at + 1, end)),
  read: (words, sink) => sink.string(unescapeWord(words.take())),
};

/** A character-string that is written without quotes: a word of letters and digits. */
export const tag: RdataField = {
  ...string,
  text: (data, at, end) => {
    const text = data.toString('latin1', at + 1, end);
    return /^[\w-]+$/.test(text) ? text : undefined;
  },
};

/** Character-strings to the end of the data; longer words are split. */
export const strings: RdataField = {
  end(data, at) {
    let end = at;
    while (end < data.length) end += 1 + data[end]!;
    return end;
  },
  text(data, at, end) {
    const texts: string[] = [];
    for (let next = at; next < end; next += 1 + data[next]!)
      texts.push(quote(data.subarray(next + 1, next + 1 + data[next]!)));
    return texts.join(' ');
  },
  read(words, sink) {
    for (const word of words.rest()) {
      const octets = unescapeWord(word);
      for (let at = 0; at < octets.length || at === 0; at += 255) sink.string(octets.subarray(at, at + 255));
    }
  },
};

/** Octets to the end of the data as one string without a length (RFC 7553 section 4.4, RFC 8659 section 4.1). */
export const value: RdataField = {
  end: rest,
  text: (data, at) => quote(data.subarray(at)),
  read: (words, sink) => sink.put(unescapeWord(words.take())),
};

/** Hexadecimal digits of perhaps several words. Throws an RrTextError. */
export function fromHex(words: readonly string[]): Buffer {
  const digits = words.join('');
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) wrongWord(digits, 'pairs of hexadecimal digits');
  return Buffer.from(digits, 'hex');
}

/** Base64 digits of perhaps several words. Throws an RrTextError. */
export function fromBase64(words: readonly string[]): Buffer {
  const digits = words.join('');
  if (!/^(?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?$/i.test(digits)) wrongWord(digits, 'base64 text');
  return Buffer.from(digits, 'base64');
}

export const toHex = (octets: Buffer): string => octets.toString('hex').toUpperCase();

export const hex: RdataField = {
  end: rest,
  text: (data, at) => (at === data.length ? undefined : toHex(data.subarray(at))),
  read: (words, sink) => sink.put(fromHex(words.rest())),
};

export const base64: RdataField = {
  end: rest,
  text: (data, at) => (at === data.length ? undefined : data.toString('base64', at)),
  read: (words, sink) => sink.put(fromBase64(words.rest())),
};

/** A record type by its name (RFC 4034 section 3.2). */
export const recordType: RdataField = {
  end: (_, at) => at + 2,
  text: (data, at) => typeName(data.readUInt16BE(at)),
  read(words, sink) {
    const word = words.take();
    sink.uint(typeFromName(word) ?? wrongWord(word, 'a record type'), 2);
  },
};
