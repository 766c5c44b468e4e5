import type { Query } from '../../chain/index.js';
import { parseIp, type IpBytes } from '../../lib/cidr.js';

/** What an option's data is made of for each query. */
export type OptionData = (query: Query) => Uint8Array | undefined;

/** The variables that an option's data may be. */
export const VARIABLES: Readonly<Record<string, OptionData>> = {
  '{qname}': (query) => Buffer.from(query.qname),
  '{qtype}': (query) => uint16(query.type),
  '{client_ip}': (query) => addressOf(query.client.remote.address),
  '{client_port}': (query) => uint16(query.client.remote.port),
  '{server_ip}': (query) => addressOf(query.client.local.address),
  '{server_port}': (query) => uint16(query.client.local.port),
  '{protocol}': (query) => Buffer.from(query.protocol),
};

/** A label of metadata, `{plugin/name}`. */
export const isMetadataLabel = (text: string): boolean => /^\{[^{}/]+\/[^{}]+\}$/.test(text) && !text.endsWith('/}');

/** The value of a label; not known where no plugin gives it, or the block has no `metadata`. */
export const labelled =
  (label: string): OptionData =>
  (query) => {
    const value = query.context.metadata?.get(label);
    return value === undefined ? undefined : Buffer.from(value);
  };

/**
 * The network that the client is in (RFC 7871 section 6): family, prefix length, scope 0, and as many octets of the
 * address as the prefix needs.
 */
export const clientSubnet =
  (prefix4: number, prefix6: number): OptionData =>
  (query) => {
    const ip = addressOf(query.client.remote.address);
    if (ip === undefined) return undefined;
    const [family, prefix] = ip.length === 4 ? [1, prefix4] : [2, prefix6];
    const network = ip
      .slice(0, Math.ceil(prefix / 8))
      .map((octet, i) => octet & (0xff << Math.max(0, 8 - (prefix - 8 * i))));
    return Uint8Array.of(0, family, prefix, 0, ...network);
  };

const addressOf = (address: string): IpBytes | undefined => parseIp(address.replace(/%.*$/, ''));
const uint16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
