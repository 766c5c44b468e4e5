import { parseIp, type IpBytes } from '../../lib/cidr.js';
import { NameMap } from './name-map.js';
import { fqdn, isName, lowerName, reverseName, type Name } from '../../wire/index.js';

/** Bytes of a file that are read at once. */
const SLICE = 16 << 10;
const LINE_FEED = 0x0a;

/**
 * What a hosts file says (hosts(5)): addresses by name, a character for each byte, and names by address, in the file's
 * order, repetitions kept.
 */
export interface HostMap {
  readonly ip4: NameMap;
  readonly ip6: NameMap;
  /** Addresses of all names that have one label in place of the asterisk, by the name with it: `*.example.com.`. */
  readonly wild4: NameMap;
  readonly wild6: NameMap;
  /** Names by the name that an address is asked backwards with. */
  readonly names: NameMap;
  /** Number of addresses and names in it: an address with a name counts twice when it is also to be found backwards. */
  readonly size: number;
}

export interface HostMapOptions {
  /** Whether a name, lower-case with closing dot, is to be kept. */
  readonly accepts: (name: Name) => boolean;
  /** Whether addresses are to be found backwards. */
  readonly reverse: boolean;
}

/**
 * The name with an asterisk in place of its first label, as wildcards are written; undefined for a name of one label.
 */
export function wildcardOf(name: Name): Name | undefined {
  let dot = name.indexOf('.');
  // A dot that belongs to the label has a backslash before it, which itself has none.
  while (dot > 0 && isEscaped(name, dot)) dot = name.indexOf('.', dot + 1);
  return dot < 0 || dot === name.length - 1 ? undefined : `*${name.slice(dot)}`;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/**
 * Reads the lines `ADDRESS NAME [ALIAS...]` of a hosts file. What follows a `#`, lines without an address and names
 * that DNS cannot hold are passed over. Each step takes some milliseconds.
 */
export function* readHostMap(bytes: Buffer, options: HostMapOptions): Generator<void, HostMap, void> {
  const map = {
    ip4: new NameMap(),
    ip6: new NameMap(),
    wild4: new NameMap(),
    wild6: new NameMap(),
    names: new NameMap(),
    size: 0,
  };
  for (let start = 0; start < bytes.length;) {
    const found = start + SLICE < bytes.length ? bytes.indexOf(LINE_FEED, start + SLICE) : -1;
    const end = found === -1 ? bytes.length : found + 1;
    for (const line of bytes.toString('utf8', start, end).split('\n')) readLine(map, line, options);
    start = end;
    if (start < bytes.length) yield;
  }
  return map;
}

function readLine(
  map: { -readonly [Key in keyof HostMap]: HostMap[Key] },
  line: string,
  options: HostMapOptions,
): void {
  const { accepts, reverse } = options;
  const [word, ...hosts] = words(line);
  const ip = word === undefined ? undefined : hostAddress(word);
  if (ip === undefined) return;
  const address = String.fromCharCode(...ip);
  for (const host of hosts) {
    const name = lowerName(fqdn(host));
    if (!isName(name) || !accepts(name)) continue;
    if (name.startsWith('*.')) {
      (ip.length === 4 ? map.wild4 : map.wild6).add(name, address);
      map.size++;
      continue;
    }
    (ip.length === 4 ? map.ip4 : map.ip6).add(name, address);
    if (reverse) map.names.add(reverseName(ip), name);
    map.size += reverse ? 2 : 1;
  }
}

/**
 * The address of a hosts line: a zone (`%eth0`) is dropped, an IPv4 address that is mapped into IPv6 counts as IPv4.
 */
export function hostAddress(text: string): IpBytes | undefined {
  const ip = parseIp(text.replace(/%.*$/, ''));
  const mapped =
    ip?.length === 16 && ip.subarray(0, 10).every((octet) => octet === 0) && ip[10] === 0xff && ip[11] === 0xff;
  return mapped ? ip.slice(12) : ip;
}

function words(line: string): string[] {
  const comment = line.indexOf('#');
  const entry = (comment < 0 ? line : line.slice(0, comment)).trim();
  return entry === '' ? [] : entry.split(/\s+/);
}
