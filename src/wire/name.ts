import { copyOctets } from '../lib/octets.js';
import { WireError } from './error.js';

/**
 * A domain name in presentation form with its closing dot (`www.example.org.`, `.` for the root), RFC 1035 section 5.1:
 * a character that master files give a meaning (dot, backslash, space, quotes, parentheses, `;`, `@`) has a backslash
 * before it inside a label, an octet
 * outside 0x20 to 0x7e is written `\DDD`.
 */
export type Name = string;

/** Longest name in wire form, in octets (RFC 1035 section 2.3.4). */
export const MAX_NAME = 255;
/** Longest label, in octets (RFC 1035 section 2.3.4). */
export const MAX_LABEL = 63;
/**
 * More pointers than a name of 255 octets can use: each must lead to an earlier place, and each but the last adds a
 * label.
 */
const MAX_POINTERS = 127;

const POINTER = 0xc0;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

/**
 * Offset behind the name at `at`, which nobody has judged: a pointer ends it wherever it leads. Beyond the message's end
 * where the name runs past it.
 */
export function behindName(message: Uint8Array, at: number): number {
  for (;;) {
    const length = message[at];
    if (length === undefined || length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += length + 1;
  }
}

/** What `readName` found: the name, and where the octets after it start. */
export interface NameAt {
  name: Name;
  end: number;
}

const wire = Buffer.alloc(MAX_NAME + 1);

/**
 * Copies the name at `offset`, pointers followed, to `target` in uncompressed wire form.
 * Returns the offset after the name in `bytes`; the copied length is in `copied.length`.
 * Throws a WireError for a name past the end, over 255 octets, with a reserved label type, or with a pointer that
 * does not lead back.
 */
export function copyName(bytes: Uint8Array, offset: number, target: Uint8Array, at: number): number {
  let read = offset;
  let write = at;
  let end = -1;
  let pointers = 0;
  for (;;) {
    const length = bytes[read];
    if (length === undefined) throw new WireError('name runs past the end of the message', read);
    if (length === 0) break;
    if (length > MAX_LABEL) {
      if ((length & POINTER) !== POINTER) throw new WireError('label of a reserved type', read);
      const low = bytes[read + 1];
      if (low === undefined) throw new WireError('name runs past the end of the message', read);
      const goal = ((length & 0x3f) << 8) | low;
      // RFC 1035 section 4.1.4 speaks of a prior occurrence; leading forward would allow loops.
      if (goal >= read || ++pointers > MAX_POINTERS)
        throw new WireError('compression pointer that does not lead back', read);
      if (end < 0) end = read + 2;
      read = goal;
      continue;
    }
    if (read + 1 + length > bytes.length) throw new WireError('name runs past the end of the message', read);
    if (write - at + length + 2 > MAX_NAME) throw new WireError(`name of more than ${MAX_NAME} octets`, offset);
    target[write++] = length;
    for (let i = 1; i <= length; i++) target[write++] = bytes[read + i]!;
    read += length + 1;
  }
  target[write++] = 0;
  copied.length = write - at;
  return end < 0 ? read + 1 : end;
}

/**
 * Length of what the last `copyName` wrote: beside the return value, so that a copy allocates nothing. Read it before
 * the next call.
 */
export const copied = { length: 0 };

/** Reads the name at `offset`. Throws as `copyName`. */
export function readName(bytes: Uint8Array, offset: number): NameAt {
  const end = copyName(bytes, offset, wire, 0);
  return { name: presentName(wire, 0, copied.length), end };
}

const text = Buffer.alloc(MAX_NAME + 1);

/** The presentation form of an uncompressed wire name of `length` octets at `offset`. Octets must be valid. */
export function presentName(bytes: Uint8Array, offset: number, length: number): Name {
  if (length === 1) return '.';
  return plainName(bytes, offset, PLAIN) ?? presentEscaped(bytes, offset);
}

/**
 * The name at `offset` in lower case (RFC 4343): the same as `lowerName(readName(bytes, offset).name)` but in one
 * pass, for the query path.
 * Throws as `copyName`.
 */
export function readLowerName(bytes: Uint8Array, offset: number): Name {
  const plain = plainName(bytes, offset, PLAIN_LOWER);
  if (plain === undefined) return lowerName(readName(bytes, offset).name);
  return plain === '' ? '.' : plain;
}

/**
 * The text of a name without pointers whose octets all stand for themselves, mapped by `table`; undefined for every
 * other name, malformed ones too.
 */
function plainName(bytes: Uint8Array, offset: number, table: Uint8Array): string | undefined {
  let read = offset;
  let write = 0;
  for (;;) {
    const length = bytes[read];
    if (length === 0) break;
    if (length === undefined || length > MAX_LABEL || write + length + 2 > MAX_NAME) return undefined;
    const end = read + length;
    if (end >= bytes.length) return undefined;
    while (read < end) {
      const octet = table[bytes[++read]!]!;
      if (octet === 0) return undefined;
      text[write++] = octet;
    }
    text[write++] = DOT;
    read++;
  }
  return text.toString('latin1', 0, write);
}

/** Characters that master files give a meaning (RFC 1035 section 5.1) and that are therefore escaped inside labels. */
const SPECIAL = new Uint8Array(256);
for (const character of '"\'().;@\\ ') SPECIAL[character.charCodeAt(0)] = 1;

/** The octet itself, or in lower case, where it is written unescaped; 0 for all others. */
const PLAIN = new Uint8Array(256);
const PLAIN_LOWER = new Uint8Array(256);
for (let octet = 0x21; octet < 0x7f; octet++) {
  if (SPECIAL[octet]) continue;
  PLAIN[octet] = octet;
  PLAIN_LOWER[octet] = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

function presentEscaped(bytes: Uint8Array, offset: number): Name {
  let name = '';
  let next = offset;
  while (bytes[next] !== 0) {
    const end = next + 1 + bytes[next]!;
    for (next++; next < end; next++) {
      const octet = bytes[next]!;
      if (octet < 0x20 || octet >= 0x7f) name += `\\${String(octet).padStart(3, '0')}`;
      else if (SPECIAL[octet]) name += `\\${String.fromCharCode(octet)}`;
      else name += String.fromCharCode(octet);
    }
    name += '.';
  }
  return name;
}

/** Lower-cases A to Z and nothing else (RFC 4343): what names are compared by. */
export function lowerName(name: Name): Name {
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name;
}

/**
 * Writes a name uncompressed at `at` and returns the offset after it.
 * Throws a WireError for an empty label, a label over 63, a name over 255 octets or a broken escape.
 */
export function writeName(name: Name, target: Uint8Array, at: number): number {
  if (name === '.' || name === '') {
    target[at] = 0;
    return at + 1;
  }
  let write = at + 1;
  let label = at;
  for (let i = 0; i < name.length; i++) {
    let octet = name.charCodeAt(i);
    if (octet === DOT) {
      label = closeLabel(name, target, label, write, at);
      write = label + 1;
      continue;
    }
    if (octet === BACKSLASH) {
      const escape = /^\\(\d{3}|[^\d])/.exec(name.slice(i, i + 4))?.[1];
      if (escape === undefined || (escape.length === 3 && Number(escape) > 255))
        throw new WireError(`name ${name} has a broken escape`, at);
      octet = escape.length === 3 ? Number(escape) : escape.charCodeAt(0);
      i += escape.length;
    }
    if (octet > 255) throw new WireError(`name ${name} has a character outside Latin-1`, at);
    if (write - at >= MAX_NAME) throw new WireError(`name ${name} has more than ${MAX_NAME} octets`, at);
    target[write++] = octet;
  }
  if (write !== label + 1) {
    label = closeLabel(name, target, label, write, at);
    write = label + 1;
  }
  target[label] = 0;
  if (write - at > MAX_NAME) throw new WireError(`name ${name} has more than ${MAX_NAME} octets`, at);
  return write;
}

function closeLabel(name: Name, target: Uint8Array, label: number, write: number, at: number): number {
  const length = write - label - 1;
  if (length === 0) throw new WireError(`name ${name} has an empty label`, at);
  if (length > MAX_LABEL)
    throw new WireError(`name ${name} has a label of ${length} octets, at most ${MAX_LABEL} are allowed`, at);
  target[label] = length;
  return write;
}

/** The uncompressed wire form of a name. Throws as `writeName`. */
export function encodeName(name: Name): Buffer {
  return copyOctets(scratch, 0, writeName(name, scratch, 0));
}

// A label and its closing octet may be written past the limit before the check that refuses them.
const scratch = Buffer.alloc(2 * MAX_NAME + 2);

/** Length of a name in uncompressed wire form, in octets. The name must be valid. */
export function nameLength(name: Name): number {
  if (name === '.' || name === '') return 1;
  if (!name.includes('\\')) return name.length + 1;
  return writeName(name, scratch, 0);
}

/** Adds the closing dot where it is missing; an escaped dot at the end does not count as one. */
export function fqdn(name: string): Name {
  if (!name.endsWith('.')) return `${name}.`;
  const backslashes = /(\\*)\.$/.exec(name)![1]!.length;
  return backslashes % 2 === 0 ? name : `${name}.`;
}

/** Whether the text is a name that can be written. */
export function isName(name: string): boolean {
  try {
    writeName(name, scratch, 0);
    return true;
  } catch {
    return false;
  }
}

/** The labels of a name, still escaped; none for the root. */
export function labels(name: Name): string[] {
  if (name === '.' || name === '') return [];
  if (!name.includes('\\')) return name.replace(/\.$/, '').split('.');
  return name.match(/(?:\\\d{3}|\\[^\d]|[^.\\])+/g) ?? [];
}

/** Offset of the label after the one that starts at `offset` in the presentation form, or -1 after the last one. */
export function nextLabel(name: Name, offset: number): number {
  for (let i = offset; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === DOT) return i + 1 < name.length ? i + 1 : -1;
  }
  return -1;
}

/** Whether `name` is `zone` or below it; both lower-case with closing dot. */
export function isSubdomain(zone: Name, name: Name): boolean {
  if (zone === '.') return true;
  if (!name.endsWith(zone)) return false;
  const before = name.length - zone.length;
  if (before === 0) return true;
  if (name.charCodeAt(before - 1) !== DOT) return false;
  let backslashes = 0;
  for (let i = before - 2; i >= 0 && name.charCodeAt(i) === BACKSLASH; i--) backslashes++;
  return backslashes % 2 === 0;
}

/**
 * The name under which an address is asked backwards: `10.0.96.10.in-addr.arpa.` (RFC 1035 section 3.5), nibbles
 * under `ip6.arpa.` (RFC 3596 section 2.5).
 */
export function reverseName(ip: Uint8Array): Name {
  if (ip.length === 4) return `${[...ip].reverse().join('.')}.in-addr.arpa.`;
  return `${[...ip]
    .reverse()
    .map((octet) => `${(octet & 15).toString(16)}.${(octet >> 4).toString(16)}`)
    .join('.')}.ip6.arpa.`;
}

/** The address that a lower-case reverse name stands for; undefined for any other name and for a part of an address. */
export function addressOfReverseName(name: Name): Uint8Array | undefined {
  if (name.endsWith('.in-addr.arpa.')) {
    const octets = name.slice(0, -'.in-addr.arpa.'.length).split('.').reverse();
    return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)
      ? Uint8Array.from(octets, Number)
      : undefined;
  }
  if (name.endsWith('.ip6.arpa.')) {
    const nibbles = name.slice(0, -'.ip6.arpa.'.length).split('.').reverse();
    if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
    return Uint8Array.from({ length: 16 }, (_, i) => parseInt(nibbles[2 * i]! + nibbles[2 * i + 1]!, 16));
  }
  return undefined;
}
