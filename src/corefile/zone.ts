import { domainToASCII } from 'node:url';
import { parseCidr } from '../lib/cidr.js';
import type { Cidr } from '../lib/cidr.js';
import { isScheme, schemeList, type Scheme } from './scheme.js';

/** Longest text of a zone, in characters. */
const MAX_ZONE = 255;
/** Longest label, in octets (RFC 1035 section 2.3.4). */
const MAX_LABEL = 63;

/**
 * Normalises one zone: lower case with a trailing dot, `.` for the root. An address block in CIDR notation becomes
 * the reverse zones
 * that make it up: one on an octet boundary (IPv4) or a nibble boundary (IPv6), otherwise the several of the next
 * boundary below.
 * Host bits are ignored. A `dns://` before it and a port behind it are dropped, as plugin arguments may repeat a
 * server block's key.
 *
 * @throws RangeError saying what was got and what is allowed
 */
export function zonesFromText(text: string): string[] {
  return zonesFromKey(splitKey(text).zone);
}

/** A server block's key cut into its parts; `port` is 0 to 65535, undefined when none is written. */
export interface KeyParts {
  readonly scheme: Scheme;
  readonly zone: string;
  readonly port: number | undefined;
}

/**
 * Cuts `[SCHEME://]ZONE[:PORT]`. Port 0 lets the operating system choose. Digits behind the last colon are the port, so
 * an IPv6 block
 * needs its `/LENGTH` before the port.
 *
 * @throws RangeError for other schemes and bad ports
 */
export function splitKey(text: string): KeyParts {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  const name = scheme === null ? 'dns' : scheme[1]!;
  if (!isScheme(name))
    throw new RangeError(`got scheme '${name}://' in '${text}', allowed: ${schemeList()}, or no scheme`);
  const rest = scheme ? text.slice(scheme[0].length) : text;
  const colon = rest.lastIndexOf(':');
  if (colon < 0 || rest.includes('/', colon)) return { scheme: name, zone: rest, port: undefined };
  const port = rest.slice(colon + 1);
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    throw new RangeError(`got port '${port}' in '${text}', allowed: a number from 1 to 65535, or 0 for any free port`);
  return { scheme: name, zone: rest.slice(0, colon), port: Number(port) };
}

/** As `zonesFromText`, for the zone part of a key. */
export function zonesFromKey(zone: string): string[] {
  if (zone.length <= MAX_ZONE && /^[\d.]+\/\d*$|^[0-9a-f:.]*:[0-9a-f:.]*(\/\d*)?$/i.test(zone))
    return reverseZones(zone);
  checkName(zone);
  const lower = zone.toLowerCase();
  return [isFullyQualified(lower) ? lower : `${lower}.`];
}

function checkName(zone: string): void {
  const problem = nameProblem(zone);
  if (problem) throw new RangeError(`got zone '${zone}', ${problem}`);
}

function nameProblem(zone: string): string | undefined {
  if (zone === '')
    return 'allowed: a domain name such as example.org, . for the root, or an address block such as 10.0.0.0/8';
  if (/[^\x21-\x7e]/.test(zone)) {
    const ascii = /[^\0-\x7f]/.test(zone) ? domainToASCII(zone) : '';
    return `allowed: printable ASCII without white space${ascii === '' ? '' : `; write it as '${ascii}'`}`;
  }
  if (/[,:(){}]/.test(zone)) return `allowed: a domain name without , : ( ) { }; several zones are separated by spaces`;
  if (zone.length > MAX_ZONE) return `${zone.length} characters, allowed: at most ${MAX_ZONE}`;
  if (zone === '.') return undefined;
  const labels: string[] =
    (isFullyQualified(zone) ? zone.slice(0, -1) : zone).match(/(?:\\\d{3}|\\.|[^.\\])+|\.|\\/g) ?? [];
  if (labels.includes('\\')) return 'allowed: a backslash only before the character it escapes';
  // Labels and dots take turns: a dot in an even place has no label before it.
  if (labels.length % 2 === 0 || labels.some((part, i) => (part === '.') !== (i % 2 === 1)))
    return 'allowed: no empty label (a dot at the start, or two in a row)';
  const long = labels.find((part) => part.replaceAll(/\\(\d{3}|.)/g, 'x').length > MAX_LABEL);
  return long === undefined ? undefined : `allowed: labels of at most ${MAX_LABEL} octets`;
}

function isFullyQualified(name: string): boolean {
  // An even number of backslashes before the last dot escape each other, not the dot.
  return name.endsWith('.') && /\\*$/.exec(name.slice(0, -1))![0].length % 2 === 0;
}

function reverseZones(text: string): string[] {
  const block = text.includes('/') ? parseCidr(text) : undefined;
  // The reference takes no block that begins with zeros written as `::` or `0:`; its reading of them is not settled.
  if (!block || /^:|^0.*:/.test(text)) {
    throw new RangeError(
      `got '${text}', allowed: an address block such as 10.0.0.0/8 or 2001:db8::/32, with all ` +
        'four octets of an IPv4 address and a length of at most 32 (IPv4) or 128 (IPv6)',
    );
  }
  const unit = block.bytes.length === 4 ? 8 : 4;
  const labels = Math.ceil(block.prefix / unit);
  const zones = 1 << (labels * unit - block.prefix);
  return Array.from({ length: zones }, (_, i) => reverseZone(block, labels, i));
}

/** The `index`th zone of `labels` labels in the block (RFC 1035 section 3.5, RFC 3596 section 2.5). */
function reverseZone(block: Cidr, labels: number, index: number): string {
  const ipv4 = block.bytes.length === 4;
  const parts = ipv4 ? [...block.bytes] : [...block.bytes].flatMap((octet) => [octet >> 4, octet & 15]);
  const kept = parts.slice(0, labels);
  if (labels > 0) kept[labels - 1]! += index;
  const names = kept.reverse().map((part) => part.toString(ipv4 ? 10 : 16));
  return [...names, ipv4 ? 'in-addr' : 'ip6', 'arpa', ''].join('.');
}
