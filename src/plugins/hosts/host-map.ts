import { parseIp, type IpBytes } from '../../lib/cidr.js';
import { fqdn, isName, lowerName, reverseName, type Name } from '../../wire/index.js';

/** What a hosts file says (hosts(5)): addresses by name and names by address, in the file's order, repetitions kept. */
export interface HostMap {
  readonly ip4: ReadonlyMap<Name, readonly IpBytes[]>;
  readonly ip6: ReadonlyMap<Name, readonly IpBytes[]>;
  /** Addresses of all names that have one label in place of the asterisk, by the name with it: `*.example.com.`. */
  readonly wild4: ReadonlyMap<Name, readonly IpBytes[]>;
  readonly wild6: ReadonlyMap<Name, readonly IpBytes[]>;
  /** Names by the name that an address is asked backwards with. */
  readonly names: ReadonlyMap<Name, readonly Name[]>;
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
 * that DNS cannot hold are passed over.
 */
export function readHostMap(text: string, { accepts, reverse }: HostMapOptions): HostMap {
  const ip4 = new Map<Name, IpBytes[]>();
  const ip6 = new Map<Name, IpBytes[]>();
  const wild4 = new Map<Name, IpBytes[]>();
  const wild6 = new Map<Name, IpBytes[]>();
  const names = new Map<Name, Name[]>();
  let size = 0;
  for (const line of text.split('\n')) {
    const [address, ...hosts] = words(line);
    const ip = address === undefined ? undefined : hostAddress(address);
    if (ip === undefined) continue;
    for (const host of hosts) {
      const name = lowerName(fqdn(host));
      if (!isName(name) || !accepts(name)) continue;
      if (name.startsWith('*.')) {
        add(ip.length === 4 ? wild4 : wild6, name, ip);
        size++;
        continue;
      }
      add(ip.length === 4 ? ip4 : ip6, name, ip);
      if (reverse) add(names, reverseName(ip), name);
      size += reverse ? 2 : 1;
    }
  }
  return { ip4, ip6, wild4, wild6, names, size };
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

function add<Value>(map: Map<Name, Value[]>, key: Name, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
