import type { Query, Reply } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Opcode, Rcode, Type, type Rr } from '../../wire/index.js';

export const CLASSES = ['success', 'denial', 'error', 'all'] as const;
/** What a reply comes to; `all` stands for the other three. */
export type ReplyClass = (typeof CLASSES)[number];

/**
 * The class of a reply: `success` for records, a delegation, or NOERROR with nothing; `denial` for NXDOMAIN and
 * NODATA with their SOA (RFC 2308 section 2);
 * `error` for all else: other rcodes, no reply (undefined), zone transfers, and signatures that are not valid at
 * `now` where the client asked for them.
 */
export function classOf(query: Query, reply: Reply | undefined, now: Milliseconds): Exclude<ReplyClass, 'all'> {
  if (reply === undefined || query.opcode !== Opcode.QUERY || query.type === Type.AXFR || query.type === Type.IXFR)
    return 'error';
  if (query.do && hasExpired(reply, now)) return 'error';
  if (reply.rcode === Rcode.NOERROR && reply.answerCount > 0) return 'success';
  const denied = reply.authorityCount > 0 && reply.authority.some((record) => record.type === Type.SOA);
  if (reply.rcode === Rcode.NOERROR) return denied ? 'denial' : 'success';
  return reply.rcode === Rcode.NXDOMAIN && denied ? 'denial' : 'error';
}

const hasExpired = (reply: Reply, now: Milliseconds): boolean =>
  [reply.answer, reply.authority, reply.additional].some((section) =>
    section.some((record) => record.type === Type.RRSIG && !isValid(record, now)),
  );

/** Whether `now` lies in the signature's time. Times are serial numbers modulo 2^32 (RFC 4034 section 3.1.5). */
function isValid({ rdata }: Rr, now: Milliseconds): boolean {
  const seconds = Math.floor(now / 1000);
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.byteLength);
  const untilEnd = (view.getUint32(8) - seconds) >>> 0;
  const sinceStart = (seconds - view.getUint32(12)) >>> 0;
  return untilEnd < 2 ** 31 && sinceStart < 2 ** 31;
}
