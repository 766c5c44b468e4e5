import { Reply, type Query } from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import { ExtendedErrorCode, Rcode, Type, explained } from '../../wire/index.js';
import type { Kept, NameAnswers } from './answers.js';
import { nameServerRecords, type NameServer } from './nameserver.js';
import type { RecordTarget } from './object-finder.js';
import { addressRecords, authoritative, srvRecords } from './records.js';
import { isTransfer, type Zone } from './zone.js';

/**
 * The reply that is kept for the query; undefined where there is none, or where it would have to repeat how the query
 * writes the zone.
 */
export function keptReply(known: NameAnswers, query: Query): Reply | undefined {
  let kept: Kept | undefined;
  switch (query.type) {
    case Type.A:
      kept = known.a;
      break;
    case Type.AAAA:
      kept = known.aaaa;
      break;
    case Type.SRV:
      kept = known.zone.isSpelt(query) ? undefined : known.srv;
      break;
    default:
      kept = isTransfer(query.type) ? undefined : 'no-data';
  }
  return kept === 'no-data' ? known.zone.deny(query, Rcode.NOERROR) : kept;
}

/** Makes the answer, and keeps it unless it repeats how the query writes the zone. */
export function freshReply(query: Query, answers: NameAnswers, targets: readonly RecordTarget[], ttl: Seconds): Reply {
  const { name, type } = query;
  const { zone } = answers;
  if (type === Type.A || type === Type.AAAA) {
    const records = addressRecords(name, type, targets, ttl);
    const made: Kept =
      records.length === 0
        ? 'no-data'
        : authoritative(name, { answer: records, additional: [] }, answers.leases?.addresses);
    if (type === Type.A) answers.a = made;
    else answers.aaaa = made;
    return made === 'no-data' ? zone.deny(query, Rcode.NOERROR) : made;
  }
  if (type === Type.SRV) {
    const spelt = zone.isSpelt(query);
    const owner = spelt ? query.qname : name;
    const records = srvRecords(owner, zone.spelling(query), targets, ttl);
    const made: Kept =
      records.answer.length === 0
        ? 'no-data'
        : authoritative(owner, records, spelt ? undefined : answers.leases?.names);
    if (!spelt) answers.srv = made;
    return made === 'no-data' ? zone.deny(query, Rcode.NOERROR) : made;
  }
  return zone.deny(query, Rcode.NOERROR);
}

/** The zone's NS records. */
export function serversReply(query: Query, zone: Zone, servers: readonly NameServer[], ttl: Seconds): Reply {
  if (servers.length === 0) return zone.deny(query, Rcode.NOERROR);
  return authoritative(query.qname, nameServerRecords(query.qname, zone.spelling(query), servers, ttl));
}

/** Addresses of the zone's name server, by its name. */
export function serverReply(query: Query, zone: Zone, servers: readonly NameServer[], ttl: Seconds): Reply {
  const answer = addressRecords(query.qname, query.type, servers, ttl);
  return answer.length === 0 ? zone.deny(query, Rcode.NOERROR) : authoritative(query.qname, { answer, additional: [] });
}

export const NOT_KNOWN = explained(ExtendedErrorCode.NotReady, 'the cluster is not known yet');
export const NO_TRANSFER = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.Prohibited, 'this zone is not given away'),
);
