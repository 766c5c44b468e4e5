import type { Query, Reply } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Opcode, Rcode, Type, type Rr } from '../../wire/index.js';

export const CLASSES = ['success', 'denial', 'error', 'all'] as const;
/** What a reply comes to; `all` stands for the other three. */
export type ReplyClass = (typeof CLASSES)[number];

/** What a message is, as CoreDNS names it in the label `log/type`. */
export type MessageType =
  'NOERROR' | 'NXDOMAIN' | 'SERVERERROR' | 'NODATA' | 'DELEGATION' | 'META' | 'UPDATE' | 'OTHERERROR';

/**
 * What a reply is: NODATA has an SOA record (RFC 2308 section 2.2), DELEGATION other name servers' names, META is a
 * zone transfer or NOTIFY. Other rcodes are OTHERERROR, and so are no reply (undefined), NXDOMAIN behind an alias, and
 * signatures that are not valid at `now` where the client asked for them.
 */
export function typeOf(query: Query, reply: Reply | undefined, now: Milliseconds): MessageType {
  if (reply === undefined) return 'OTHERERROR';
  if (query.opcode === Opcode.UPDATE) return 'UPDATE';
  if (query.opcode === Opcode.NOTIFY || query.type === Type.AXFR || query.type === Type.IXFR) return 'META';
  if (query.do && hasExpired(reply, now)) return 'OTHERERROR';
  switch (reply.rcode) {
    case Rcode.NOERROR:
      if (reply.answerCount > 0) return 'NOERROR';
      if (hasAuthority(reply, Type.SOA)) return 'NODATA';
      return hasAuthority(reply, Type.NS) ? 'DELEGATION' : 'NOERROR';
    case Rcode.NXDOMAIN:
      return reply.answerCount > 0 ? 'OTHERERROR' : 'NXDOMAIN';
    case Rcode.SERVFAIL:
    case Rcode.NOTIMP:
      return 'SERVERERROR';
    default:
      return 'OTHERERROR';
  }
}

const hasAuthority = (reply: Reply, type: number): boolean =>
  reply.authorityCount > 0 && reply.authority.some((record) => record.type === type);

/** The class of a message: what exists, what is denied, and all else. */
export function classOf(type: MessageType): Exclude<ReplyClass, 'all'> {
  if (type === 'NOERROR' || type === 'DELEGATION') return 'success';
  return type === 'NXDOMAIN' || type === 'NODATA' ? 'denial' : 'error';
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
