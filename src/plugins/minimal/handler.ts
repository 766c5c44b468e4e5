import { mapReply, type Handler, type Next, type Outcome, type Query, type Reply } from '../../chain/index.js';
import { Opcode, Rcode, Type } from '../../wire/index.js';

/** Leaves only the answer section of successful answers. */
export class Minimal implements Handler {
  readonly name = 'minimal';
  readonly role = 'wraps';
  readonly dependsOn = 'question';

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    return mapReply(next(query), (reply) => (concerns(query, reply) ? minimized(reply) : reply));
  }
}

/** Whether the reply is a success: no error, referral, NODATA (RFC 2308 section 2.2), zone transfer or NOTIFY. */
function concerns(query: Query, reply: Reply): boolean {
  if (!reply.written || reply.rcode !== Rcode.NOERROR || query.opcode !== Opcode.QUERY) return false;
  if (query.type === Type.AXFR || query.type === Type.IXFR) return false;
  const { answers, authorities, additionals } = reply.records;
  if (authorities + additionals === 0 && reply.edns === undefined) return false;
  return answers > 0 || !reply.authority.some(({ type }) => type === Type.SOA || type === Type.NS);
}

/** What is left out changes nothing about how long the rest stays right. */
const minimized = (reply: Reply): Reply =>
  reply.withSections({ authority: [], additional: [] }).withEdns(undefined).withLease(reply.lease);
