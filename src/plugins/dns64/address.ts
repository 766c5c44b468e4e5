import type { Cidr, IpBytes } from '../../lib/cidr.js';

/**
 * The IPv6 address of an IPv4 address behind `prefix`, which is 32 to 96 bits long, in whole bytes. The byte of bits 64
 * to 71 stays zero (RFC 6052 section 2.2).
 */
export function embed(prefix: Cidr, ipv4: IpBytes): IpBytes {
  const address = new Uint8Array(16);
  const length = prefix.prefix >> 3;
  address.set(prefix.bytes.subarray(0, length));
  let at = length;
  for (const byte of ipv4) {
    if (at === 8) at++;
    address[at++] = byte;
  }
  return address;
}
