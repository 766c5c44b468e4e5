import type { Octets } from '../lib/units.js';
import type { OptReply } from '../wire/index.js';
import { isEncrypted } from './client.js';
import type { Query } from './query.js';

/** Code of the EDNS option (RFC 7830 section 3), whose head takes so many bytes. */
const PADDING = 12;
const OPTION_HEAD: Octets = 4;

/** Replies are padded to a multiple of this (RFC 8467 section 4.1). */
const BLOCK: Octets = 468;

/**
 * Whether a reply is to be padded: only where the client has padded its query, and nobody sees but its length (RFC 7830
 * section 4).
 */
export const asksForPadding = ({ client, ednsOptions }: Query): boolean =>
  isEncrypted(client) && ednsOptions.some(({ code }) => code === PADDING);

/** Bytes that a message of this length is to grow by, the head of the option included. */
export const paddingFor = (length: Octets): Octets => Math.ceil((length + OPTION_HEAD) / BLOCK) * BLOCK - length;

/** The same OPT record, longer by `growth` bytes, which are zero; unchanged where the option does not fit into them. */
export function padded(opt: OptReply, growth: Octets): OptReply {
  if (growth < OPTION_HEAD) return opt;
  const option = Buffer.alloc(growth);
  option.writeUInt16BE(PADDING, 0);
  option.writeUInt16BE(growth - OPTION_HEAD, 2);
  return { ...opt, options: opt.options === undefined ? option : Buffer.concat([opt.options, option]) };
}
