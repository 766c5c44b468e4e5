import { parseIp, type IpBytes } from '../../lib/cidr.js';
import { fqdn, isName, lowerName, type Name } from '../../wire/index.js';

/** Weights from 1 to 255 by owner name (lower-case) and address. */
export type Weights = ReadonlyMap<Name, ReadonlyMap<string, number>>;

/** An address as a key: its octets as characters. */
export const addressKey = (ip: IpBytes): string => String.fromCharCode(...ip);

const MAX_WEIGHT = 255;

/**
 * Reads a weight file: a name on a line of its own, then lines `ADDRESS WEIGHT` for it. Empty lines and lines that
 * begin with `#` are passed over.
 * Throws a RangeError that names file, line, what was got and what is allowed.
 */
export function readWeights(text: string, file: string): Weights {
  const domains = new Map<Name, Map<string, number>>();
  let current: Map<string, number> | undefined;
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const refuse = (allowed: string): never => {
      throw new RangeError(`weight file ${file}:${i + 1}: got '${line}', allowed: ${allowed}`);
    };
    const [first, weight, more] = line.split(/\s+/) as [string, string?, string?];
    if (more !== undefined) refuse('NAME, or ADDRESS WEIGHT');
    const ip = parseIp(first);
    if (weight === undefined) {
      const name = lowerName(fqdn(first));
      if (ip !== undefined || !isName(name)) refuse('a domain name, or an address with its weight');
      current = domains.get(name) ?? new Map<string, number>();
      domains.set(name, current);
      return;
    }
    if (ip === undefined) return refuse('an IPv4 or IPv6 address before the weight');
    if (!/^\d+$/.test(weight) || Number(weight) < 1 || Number(weight) > MAX_WEIGHT)
      refuse(`a weight from 1 to ${MAX_WEIGHT}`);
    if (current === undefined) return refuse('a line with a domain name before the first address');
    // The first weight of an address counts, as in the reference.
    if (!current.has(addressKey(ip))) current.set(addressKey(ip), Number(weight));
  });
  return domains;
}
