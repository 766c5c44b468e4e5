import type { Query } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';

/** The option code of a client subnet (RFC 7871 section 6). */
const CLIENT_SUBNET = 8;
/** Bytes of an address by address family number. */
const LENGTHS = new Map([
  [1, 4],
  [2, 16],
]);
/** Family, source and scope prefix length. */
const FIXED = 4;

/** The address in the query's client subnet option, its missing bytes zero; undefined without a usable one. */
export function subnetAddress(query: Query): IpBytes | undefined {
  const data = query.ednsOptions.find(({ code }) => code === CLIENT_SUBNET)?.data;
  if (data === undefined || data.length < FIXED) return undefined;
  const length = LENGTHS.get((data[0]! << 8) | data[1]!);
  const given = data.subarray(FIXED);
  if (length === undefined || given.length > length) return undefined;
  const address = new Uint8Array(length);
  address.set(given);
  return address;
}
