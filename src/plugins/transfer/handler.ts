import {
  Reply,
  Transfer,
  type Handler,
  type Next,
  type NotifiesServers,
  type Outcome,
  type Query,
  type TransfersZones,
  type Zones,
  type ZoneTransfer,
} from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import {
  Flag,
  RECORD_FIXED,
  Rcode,
  Type,
  nameLength,
  type Name,
  type Rr,
  ExtendedErrorCode,
  explained,
} from '../../wire/index.js';
import { soaNumbers } from '../../zone/index.js';

/** Where zones may go. */
export interface TransferRule {
  readonly zones: Zones;
  /** Addresses in canonical spelling; undefined for all. */
  readonly clients: ReadonlySet<string> | undefined;
  /** Tells the servers of this rule that a zone has changed. */
  notify(zone: Name): void;
}

/** Bytes of records in one message: a whole message has at most 65,535 (RFC 5936 section 2.2). */
const BATCH = 63_000;

/** Gives zones to other servers, and tells them of changes. */
export class ZoneTransfers implements Handler, NotifiesServers {
  readonly name = 'transfer';
  // Nothing but transfers is answered here, and those are given to nobody else.
  readonly dependsOn = 'question';
  /** Handlers of the block that have zones to give. */
  sources: readonly TransfersZones[] = [];

  constructor(
    private readonly rules: readonly TransferRule[],
    private readonly log: Logger,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { type, name } = query;
    if (type !== Type.AXFR && type !== Type.IXFR) return next(query);
    if (query.transport === 'udp') return NEEDS_TCP;
    const rule = this.ruleFor(name);
    if (rule === undefined) return next(query);
    if (rule.clients?.has(query.client.remote.address) === false) return REFUSED;
    const known = type === Type.IXFR ? knownSerial(query) : undefined;
    if (known === 'none') return NO_SERIAL;
    for (const source of this.sources) {
      const found = source.zoneTransfer(name, known);
      if (found === 'unready') return NOT_LOADED;
      if (found !== undefined) return this.send(query, found);
    }
    return next(query);
  }

  notify(zone: Name): void {
    this.ruleFor(zone)?.notify(zone);
  }

  /** The rule with the longest zone that the name is in. */
  private ruleFor(name: Name): TransferRule | undefined {
    let found: TransferRule | undefined;
    let longest = -1;
    for (const rule of this.rules) {
      const zone = rule.zones.match(name);
      if (zone !== undefined && zone.length > longest) [found, longest] = [rule, zone.length];
    }
    return found;
  }

  private send(query: Query, { serial, records }: ZoneTransfer): Outcome {
    const { qname, client } = query;
    const { address } = client.remote;
    if (Array.isArray(records)) {
      this.log.info(
        `Outgoing noop, incremental transfer for up to date zone "${qname}" to ${address} for ${serial} SOA serial`,
      );
      return Reply.of(0, Rcode.NOERROR, { answer: records as Rr[] });
    }
    const done = (count: number): void =>
      this.log.info(`Outgoing transfer of ${count} records of zone "${qname}" to ${address} for ${serial} SOA serial`);
    return new Transfer(messagesOf(records, done));
  }
}

const NEEDS_TCP = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.NotSupported, 'zones are transferred over TCP'),
);
const REFUSED = Reply.empty(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.Prohibited, 'this zone is not given to this address'),
);
const NO_SERIAL = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.Other, 'the query has no SOA record to go on from'),
);
const NOT_LOADED = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.NotReady, 'the zone is not loaded'),
);

/** The serial in the authority section of an IXFR query (RFC 1995 section 3); `none` where it is not one SOA record. */
function knownSerial(query: Query): number | 'none' {
  const [soa, second] = query.decode().authority;
  return soa?.type === Type.SOA && second === undefined && soa.rdata.length >= 22 ? soaNumbers(soa).serial : 'none';
}

/** Puts as many records into each message as it holds. `done` is told their number after the last one. */
function* messagesOf(records: Iterable<Rr>, done: (count: number) => void): Generator<Reply, void, void> {
  let batch: Rr[] = [];
  let size = 0;
  let count = 0;
  for (const record of records) {
    const length = nameLength(record.name) + RECORD_FIXED + record.rdata.length;
    if (batch.length > 0 && size + length > BATCH) {
      yield Reply.of(Flag.AA, Rcode.NOERROR, { answer: batch });
      [batch, size] = [[], 0];
    }
    batch.push(record);
    size += length;
    count++;
  }
  yield Reply.of(Flag.AA, Rcode.NOERROR, { answer: batch });
  done(count);
}
