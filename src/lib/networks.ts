import { parseIp, type Cidr, type IpBytes } from './cidr.js';

/** A set of address blocks, asked by address: a look into one set per prefix length, however many blocks there are. */
export class Networks {
  private readonly byLength = new Map<number, { readonly prefix: number; readonly blocks: Set<string> }>();

  constructor(blocks: readonly Cidr[]) {
    for (const { bytes, prefix } of blocks) {
      const key = slotOf(bytes.length, prefix);
      const slot = this.byLength.get(key) ?? { prefix, blocks: new Set<string>() };
      this.byLength.set(key, slot);
      slot.blocks.add(keyOf(bytes, prefix));
    }
  }

  /** Whether a block holds the address; never across families. */
  contains(ip: IpBytes): boolean {
    for (const [key, { prefix, blocks }] of this.byLength)
      if (key === slotOf(ip.length, prefix) && blocks.has(keyOf(ip, prefix))) return true;
    return false;
  }
}

const slotOf = (length: number, prefix: number): number => length * 256 + prefix;

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
  const zone = text.indexOf('%');
  const ip = parseIp(zone < 0 ? text : text.slice(0, zone));
  const mapped =
    ip?.length === 16 && ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 255 && ip[11] === 255;
  return mapped ? ip.subarray(12) : ip;
}
