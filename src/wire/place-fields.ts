import { formatIp, parseIp } from '../lib/cidr.js';
import { wholeNumber, wrongWord, type RdataField } from './fields.js';
import type { Sink } from './sink.js';
import type { Words } from './words.js';

/** Degrees are kept as thousandths of seconds of arc from here (RFC 1876 section 2). */
const MERIDIAN = 2 ** 31;
/** Altitudes count from 100,000 m below the reference spheroid, in centimetres (RFC 1876 section 2). */
const BELOW = 10_000_000;
/** Size 1 m, horizontal precision 10,000 m, vertical 10 m (RFC 1876 section 3). */
const DEFAULT_PRECISION = [0x12, 0x16, 0x13];

/** Metres and centimetres of a size: a digit and a power of ten, in centimetres. */
function sizeText(octet: number): string | undefined {
  const [digit, power] = [octet >> 4, octet & 15];
  return digit > 9 || power > 9 ? undefined : `${((digit * 10 ** power) / 100).toFixed(2)}m`;
}

function readSize(word: string): number {
  const match = /^(\d{1,8}(?:\.\d{0,2})?|\.\d{1,2})m?$/i.exec(word);
  const centimetres = match === null ? NaN : Math.round(Number(match[1]) * 100);
  if (!(centimetres <= 9e9)) wrongWord(word, 'metres from 0.00m to 90000000.00m');
  let power = 0;
  let digit = centimetres;
  for (; digit > 9; power++) digit = Math.floor(digit / 10);
  return (digit << 4) | power;
}

function degreesText(value: number, letters: string): string | undefined {
  const offset = value - MERIDIAN;
  const arc = Math.abs(offset);
  if (arc > (letters === 'NS' ? 90 : 180) * 3_600_000) return undefined;
  const seconds = ((arc % 60_000) / 1000).toFixed(3);
  return `${Math.floor(arc / 3_600_000)} ${Math.floor(arc / 60_000) % 60} ${seconds} ${letters[offset < 0 ? 1 : 0]}`;
}

function readDegrees(words: Words, letters: string): number {
  const limit = letters === 'NS' ? 90 : 180;
  const isLetter = (word: string): boolean => word.length === 1 && letters.includes(word.toUpperCase());
  let arc = wholeNumber(words.take(), limit) * 3_600_000;
  let word = words.take();
  if (!isLetter(word)) {
    arc += wholeNumber(word, 59) * 60_000;
    word = words.take();
    if (!isLetter(word)) {
      if (!/^\d{1,2}(\.\d{0,3})?$/.test(word) || Number(word) >= 60) wrongWord(word, 'seconds below 60');
      arc += Math.round(Number(word) * 1000);
      word = words.take();
    }
  }
  if (!isLetter(word)) wrongWord(word, `${letters[0]} or ${letters[1]}`);
  if (arc > limit * 3_600_000) wrongWord(word, `at most ${limit} degrees`);
  return word.toUpperCase() === letters[0] ? MERIDIAN + arc : MERIDIAN - arc;
}

/** A place on earth (RFC 1876 section 3). */
export const location: RdataField = {
  end: (_, at) => at + 16,
  text(data, at) {
    const precision = [data[at + 1]!, data[at + 2]!, data[at + 3]!].map(sizeText);
    const latitude = degreesText(data.readUInt32BE(at + 4), 'NS');
    const longitude = degreesText(data.readUInt32BE(at + 8), 'EW');
    if (data[at] !== 0 || latitude === undefined || longitude === undefined || precision.includes(undefined))
      return undefined;
    const altitude = ((data.readUInt32BE(at + 12) - BELOW) / 100).toFixed(2);
    return `${latitude} ${longitude} ${altitude}m ${precision.join(' ')}`;
  },
  read(words, sink) {
    const latitude = readDegrees(words, 'NS');
    const longitude = readDegrees(words, 'EW');
    const altitude = words.take();
    const metres = /^(-?\d{1,8}(?:\.\d{0,2})?)m?$/i.exec(altitude);
    const above = metres === null ? NaN : Math.round(Number(metres[1]) * 100) + BELOW;
    if (!(above >= 0 && above <= 0xffffffff)) wrongWord(altitude, 'metres from -100000.00m to 42849672.95m');
    const precision = DEFAULT_PRECISION.map((otherwise) => (words.left > 0 ? readSize(words.take()) : otherwise));
    sink.put(Uint8Array.of(0, ...precision));
    sink.uint(latitude, 4);
    sink.uint(longitude, 4);
    sink.uint(above, 4);
  },
};

/** Address families of prefixes (RFC 3123 section 4): the octets of an address. */
const FAMILIES: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

function prefixText(data: Buffer, at: number): string | undefined {
  const family = data.readUInt16BE(at);
  const length = data[at + 3]! & 0x7f;
  const octets = FAMILIES[family];
  if (octets === undefined || length > octets || data[at + 2]! > octets * 8) return undefined;
  // Zeros at the end are left out in wire form, and only there.
  if (length > 0 && data[at + 3 + length] === 0) return undefined;
  const address = Buffer.alloc(octets);
  data.copy(address, 0, at + 4, at + 4 + length);
  return `${data[at + 3]! & 0x80 ? '!' : ''}${family}:${formatIp(address)}/${data[at + 2]}`;
}

function readPrefix(word: string, sink: Sink): void {
  const match = /^(!?)([12]):([^/]+)\/(\d{1,3})$/.exec(word);
  const address = match === null ? undefined : parseIp(match[3]!);
  const octets = FAMILIES[Number(match?.[2])];
  if (match === null || octets === undefined || address?.length !== octets || Number(match[4]) > octets * 8)
    return wrongWord(word, 'a prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32');
  const length = address.findLastIndex((octet) => octet !== 0) + 1;
  sink.uint(Number(match[2]), 2);
  sink.put(Uint8Array.of(Number(match[4]), (match[1] === '!' ? 0x80 : 0) | length, ...address.subarray(0, length)));
}

/** Prefixes of addresses, to the end of the data (RFC 3123). */
export const prefixes: RdataField = {
  end(data, at) {
    let end = at;
    while (end < data.length) end += 4 + ((data[end + 3] ?? 0) & 0x7f);
    return end;
  },
  text(data, at, end) {
    const texts: (string | undefined)[] = [];
    for (let read = at; read < end; read += 4 + (data[read + 3]! & 0x7f)) texts.push(prefixText(data, read));
    return texts.includes(undefined) ? undefined : texts.join(' ');
  },
  read(words, sink) {
    if (words.left > 0) for (const word of words.rest()) readPrefix(word, sink);
  },
};
