import type { ZoneTransfer } from '../chain/index.js';
import type { Rr } from '../wire/index.js';
import { isBefore, type ZoneData } from '../zone/index.js';

/** The zone for a client that has `serial`, if any. */
export function transferOf(zone: ZoneData, known: number | undefined): ZoneTransfer {
  const serial = zone.serial!;
  const { soa } = zone.apex;
  // Whoever has as much or more gets nothing (RFC 1995 section 2).
  if (known !== undefined && !isBefore(known, serial)) return { serial, records: [soa] };
  return { serial, records: allOf(zone) };
}

/** All records, in the order in which the names came; the SOA record first and last (RFC 5936 section 2.2). */
function* allOf(zone: ZoneData): Generator<Rr, void, void> {
  const { soa } = zone.apex;
  yield soa;
  yield* zone.others();
  yield soa;
}
