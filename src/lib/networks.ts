import { parseIp, type Cidr, type IpBytes } from './cidr.js';

/** A set of address blocks, asked by address: a look into one set per prefix length, however many blocks there are. */
export class Networks {
  /** At most one for each prefix length of each family. */
  private readonly sets: { readonly octets: number; readonly prefix: number; readonly blocks: Set<string> }[] = [];

  constructor(blocks: readonly Cidr[]) {
    for (const { bytes, prefix } of blocks) {
      let set = this.sets.find((each) => each.octets === bytes.length && each.prefix === prefix);
      if (set === undefined) this.sets.push((set = { octets: bytes.length, prefix, blocks: new Set() }));
      set.blocks.add(keyOf(bytes, prefix));
    }
  }

  /** Whether a block holds the address; never across families. */
  contains(ip: IpBytes): boolean {
    return this.sets.some(({ octets, prefix, blocks }) => octets === ip.length && blocks.has(keyOf(ip, prefix)));
  }
}

/** The leading bits as text; a byte is a character. */
function keyOf(bytes: IpBytes, prefix: number): string {
  const whole = prefix >> 3;
  let key = '';
  for (let i = 0; i < whole; i++) key += String.fromCharCode(bytes[i]!);
  const rest = prefix & 7;
  return rest === 0 ? key : key + String.fromCharCode(bytes[whole]! >> (8 - rest));
}

/**
 * The address that a packet came from, as rules name it: without the zone of a link-local address (`%eth0`), and IPv4
 * where it is IPv4 in the form of an IPv6 address (`::ffff:192.0.2.1`). undefined for text that is no address.
 */
export function sourceIp(text: string): IpBytes | undefined {
  const ip = parseIp(text.replace(/%.*$/, ''));
  const mapped =
    ip?.length === 16 && ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 255 && ip[11] === 255;
  return mapped ? ip.subarray(12) : ip;
}
