import type { Octets } from '../lib/units.js';
import {
  OPT_SIZE,
  fitReply,
  optLength,
  optReplyLength,
  replyLength,
  writeOpt,
  writeReply,
  type OptReply,
  type ReplyHead,
} from '../wire/index.js';
import { asksForPadding, padded, paddingFor } from './padding.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

/**
 * Above these sizes a UDP reply is compressed even if it would fit, so that it is not cut into fragments on common
 * links, in octets.
 */
const FRAGMENT_IPV4: Octets = 1480;
const FRAGMENT_IPV6: Octets = 1220;

/**
 * The reply as it goes to the client of `query`, behind `prefix` free octets.
 *
 * @param reserve what is to be left of the longest reply that the client takes, for what comes behind it
 */
export function finishReply(query: Query, reply: Reply, prefix: 0 | 2, reserve: Octets = 0): Buffer {
  const asked = reply.repeats ?? query;
  let opt = asked.hasEdns ? optFor(asked, reply) : undefined;
  const { records } = reply;
  let length = replyLength(query, records, opt === undefined ? 0 : optReplyLength(opt));
  const fragments =
    length > FRAGMENT_IPV6 &&
    query.transport === 'udp' &&
    length > (query.family === 4 ? FRAGMENT_IPV4 : FRAGMENT_IPV6);
  const limit = asked.replyLimit - reserve;
  const head = asked === query ? query : headOf(query, asked);
  if (length > limit || fragments)
    return fitReply(head, reply.flags, reply.rcode, records, reply.ttl, opt, limit, prefix);
  if (opt !== undefined && asksForPadding(query)) {
    opt = padded(opt, Math.min(limit - length, paddingFor(length)));
    length = replyLength(query, records, optReplyLength(opt));
  }
  const bytes = Buffer.allocUnsafe(prefix + length);
  writeReply(prefix === 0 ? bytes : bytes.subarray(prefix), head, reply.flags, reply.rcode, records, reply.ttl, opt);
  return bytes;
}

/** The client's id and question with the flags of `asked`. */
const headOf = ({ id, bytes, questionStart, questionEnd }: Query, { queryFlags }: Query): ReplyHead => ({
  id,
  bytes,
  questionStart,
  questionEnd,
  queryFlags,
});

const NO_OPTIONS: OptReply = { udpSize: 0, do: false, options: undefined };

function optFor(query: Query, reply: Reply): OptReply {
  const options = reply.edns?.options;
  const { udpSize } = query;
  const signed = query.do || reply.edns?.do === true;
  if (options === undefined || options.length === 0) return { ...NO_OPTIONS, udpSize, do: signed };
  const edns = { udpSize, version: 0, do: signed, options };
  const bytes = Buffer.alloc(optLength(edns));
  writeOpt(edns, 0, bytes, 0);
  return { udpSize, do: signed, options: bytes.subarray(OPT_SIZE) };
}
