import type { ZoneTransfer } from '../chain/index.js';
import type { Rr } from '../wire/index.js';
import { isBefore, type ZoneChange, type ZoneData } from '../zone/index.js';
import type { Journal } from './journal.js';

/** The zone for a client that has `serial`, if any. */
export function transferOf(zone: ZoneData, known: number | undefined, journal?: Journal): ZoneTransfer {
  const serial = zone.serial!;
  const { soa } = zone.apex;
  // Whoever has as much or more gets nothing (RFC 1995 section 2).
  if (known !== undefined && !isBefore(known, serial)) return { serial, records: [soa] };
  const changes = known === undefined ? undefined : journal?.since(known, zone);
  return { serial, records: changes === undefined ? allOf(zone) : changesOf(soa, changes) };
}

/** What has changed, one serial after the other; the SOA record first and last (RFC 1995 section 4). */
function* changesOf(soa: Rr, changes: readonly ZoneChange[]): Generator<Rr, void, void> {
  yield soa;
  for (const { before, after, deleted, added } of changes) {
    yield before;
    yield* deleted;
    yield after;
    yield* added;
  }
  yield soa;
}

/** All records, in the order in which the names came; the SOA record first and last (RFC 5936 section 2.2). */
function* allOf(zone: ZoneData): Generator<Rr, void, void> {
  const { soa } = zone.apex;
  yield soa;
  yield* zone.others();
  yield soa;
}
