import { formatIp, parseIp } from '../lib/cidr.js';
import { fromBase64, quote, string, wholeNumber, wrongWord, type RdataField } from './fields.js';
import { RrTextError, unescapeWord, type Words } from './words.js';

/** Keys of service parameters (RFC 9460 section 14.3.2 and the IANA registry). */
const KEYS = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
  'tls-supported-groups',
  'docpath',
];

const keyName = (key: number): string => KEYS[key] ?? `key${key}`;

function keyNumber(text: string): number | undefined {
  const known = KEYS.indexOf(text.toLowerCase());
  if (known >= 0) return known;
  const digits = /^key(0|[1-9]\d{0,4})$/i.exec(text)?.[1];
  return digits !== undefined && Number(digits) < 0xffff ? Number(digits) : undefined;
}

/** How the value of a parameter is written and read. `text` gives undefined for octets that are no such value. */
interface ParamValue {
  text(data: Buffer): string | undefined;
  octets(text: string): Uint8Array;
}

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Items of a list of strings: a comma or backslash within one has a backslash before it (RFC 9460 appendix A.1). */
function listItems(octets: Buffer): Buffer[] {
  const items: number[][] = [[]];
  for (let i = 0; i < octets.length; i++) {
    if (octets[i] === COMMA) items.push([]);
    else items.at(-1)!.push(octets[i] === BACKSLASH && i + 1 < octets.length ? octets[++i]! : octets[i]!);
  }
  return items.map((item) => Buffer.from(item));
}

const strings: ParamValue = {
  text(data) {
    const items: number[] = [];
    for (let at = 0; at < data.length; at += 1 + data[at]!) {
      if (at + 1 + data[at]! > data.length || data[at] === 0) return undefined;
      if (at > 0) items.push(COMMA);
      for (const octet of data.subarray(at + 1, at + 1 + data[at]!))
        items.push(...(octet === COMMA || octet === BACKSLASH ? [BACKSLASH, octet] : [octet]));
    }
    return items.length === 0 ? undefined : quote(Buffer.from(items));
  },
  octets: (text) =>
    Buffer.concat(
      listItems(unescapeWord(text)).map((item) => {
        if (item.length === 0 || item.length > 255) wrongWord(text, 'names of 1 to 255 bytes, separated by commas');
        return Buffer.concat([Buffer.of(item.length), item]);
      }),
    ),
};

const addresses = (length: 4 | 16): ParamValue => ({
  text(data) {
    if (data.length === 0 || data.length % length !== 0) return undefined;
    const list: string[] = [];
    for (let at = 0; at < data.length; at += length) list.push(formatIp(data.subarray(at, at + length)));
    return list.join(',');
  },
  octets: (text) =>
    Buffer.concat(
      text.split(',').map((item) => {
        const address = parseIp(item);
        return address?.length === length ? address : wrongWord(item, `an IPv${length === 4 ? 4 : 6} address`);
      }),
    ),
});

const numbers = (show: (number: number) => string, number: (text: string) => number | undefined): ParamValue => ({
  text(data) {
    if (data.length === 0 || data.length % 2 !== 0) return undefined;
    const list: string[] = [];
    for (let at = 0; at < data.length; at += 2) list.push(show(data.readUInt16BE(at)));
    return list.join(',');
  },
  octets(text) {
    const list = text.split(',').map((item) => number(item) ?? wrongWord(item, 'a key'));
    return Uint8Array.from(list.flatMap((one) => [one >> 8, one & 0xff]));
  },
});

const any: ParamValue = {
  text: (data) => (data.length === 0 ? '' : quote(data)),
  octets: (text) => unescapeWord(text),
};

const nothing: ParamValue = {
  text: (data) => (data.length === 0 ? '' : undefined),
  octets: (text) => (text === '' ? new Uint8Array(0) : wrongWord(text, 'no value')),
};

const VALUES: Readonly<Record<number, ParamValue>> = {
  // Keys in ascending order (RFC 9460 section 8).
  0: {
    text: (data) => numbers(keyName, keyNumber).text(data),
    octets: (text) => {
      const keys = text.split(',').map((item) => keyNumber(item) ?? wrongWord(item, 'a key'));
      return Uint8Array.from(keys.sort((a, b) => a - b).flatMap((key) => [key >> 8, key & 0xff]));
    },
  },
  1: strings,
  2: nothing,
  3: {
    text: (data) => (data.length === 2 ? String(data.readUInt16BE(0)) : undefined),
    octets: (text) => {
      const port = wholeNumber(text, 0xffff);
      return Uint8Array.of(port >> 8, port & 0xff);
    },
  },
  4: addresses(4),
  5: {
    text: (data) => (data.length === 0 ? undefined : data.toString('base64')),
    octets: (text) => fromBase64([text]),
  },
  6: addresses(16),
  7: { ...any, text: (data) => (data.length === 0 ? undefined : quote(data)) },
  8: nothing,
  9: numbers(String, (text) => wholeNumber(text, 0xffff)),
};

const valueOf = (key: number): ParamValue => VALUES[key] ?? any;

function paramText(key: number, data: Buffer): string | undefined {
  const text = valueOf(key).text(data);
  return text === undefined ? undefined : text === '' ? keyName(key) : `${keyName(key)}=${text}`;
}

/** A parameter: its key, and its value as it is written, escapes left in. */
function takeParam(words: Words): { key: number; text: string } {
  const word = words.take();
  const equals = word.indexOf('=');
  const key = keyNumber(equals < 0 ? word : word.slice(0, equals)) ?? wrongWord(word, 'a parameter such as alpn=h2');
  if (equals === word.length - 1 && words.nextIsGlued) return { key, text: words.take() };
  return { key, text: equals < 0 ? '' : word.slice(equals + 1) };
}

/** Parameters of a service, to the end of the data, by key in ascending order (RFC 9460 section 2.2). */
export const serviceParams: RdataField = {
  end(data, at) {
    let end = at;
    while (end < data.length) end += end + 4 > data.length ? data.length : 4 + data.readUInt16BE(end + 2);
    return end;
  },
  text(data, at, end) {
    const texts: (string | undefined)[] = [];
    let previous = -1;
    for (let read = at; read < end;) {
      const key = data.readUInt16BE(read);
      const next = read + 4 + data.readUInt16BE(read + 2);
      texts.push(key > previous ? paramText(key, data.subarray(read + 4, next)) : undefined);
      previous = key;
      read = next;
    }
    return texts.includes(undefined) ? undefined : texts.join(' ');
  },
  read(words, sink) {
    const params = new Map<number, Uint8Array>();
    while (words.left > 0) {
      const { key, text } = takeParam(words);
      if (params.has(key)) throw new RrTextError(`parameter ${keyName(key)} stands twice`);
      params.set(key, valueOf(key).octets(text));
    }
    for (const [key, octets] of [...params].sort(([a], [b]) => a - b)) {
      sink.uint(key, 2);
      sink.uint(octets.length, 2);
      sink.put(octets);
    }
  },
};

/** Octets to the end of the data in base64, `-` for none (the DOA type). */
export const objectData: RdataField = {
  end: (data) => data.length,
  text: (data, at) => (at === data.length ? '-' : data.toString('base64', at)),
  read(words, sink) {
    const list = words.rest();
    if (list.length !== 1 || list[0] !== '-') sink.put(fromBase64(list));
  },
};

/** One or two character-strings (RFC 1183 section 3.2). */
export const oneOrTwoStrings: RdataField = {
  end(data, at) {
    const end = string.end(data, at);
    return end < data.length ? string.end(data, end) : end;
  },
  text(data, at, end) {
    const first = string.end(data, at);
    const texts = [quote(data.subarray(at + 1, first))];
    if (first < end) texts.push(quote(data.subarray(first + 1, end)));
    return texts.join(' ');
  },
  read(words, sink) {
    string.read(words, sink);
    if (words.left > 0) string.read(words, sink);
  },
};
