import { encodeName, lowerName, type Name, type Rr } from '../wire/index.js';
import { ZoneData, ZoneError, keptData, soaNumbers } from './zone.js';

/** What leads from one serial of a zone to a later one (RFC 1995 section 4). */
export interface ZoneChange {
  /** The SOA record before and after it. */
  readonly before: Rr;
  readonly after: Rr;
  /** Records but for SOA. */
  readonly deleted: readonly Rr[];
  readonly added: readonly Rr[];
}

/** Records between which queries are answered while a zone is copied or compared. */
const SLICE = 1000;

/** Equal for records that a zone may hold once: owner, type and data. */
export const keyOf = ({ name, type, rdata }: Rr): string =>
  `${lowerName(name)} ${type} ${Buffer.from(keptData(type, rdata)).toString('latin1')}`;

/**
 * The zone after some changes, which follow one another; the zone itself stays as it is. Made in steps, so that
 * queries are answered between them. Throws a ZoneError where a record is deleted that is not there, or added that is
 * there already.
 */
export function* changed(zone: ZoneData, changes: readonly ZoneChange[]): Generator<void, ZoneData, void> {
  const { gone, fresh } = netOf(zone, changes);
  const owners = new Set<Name>([...gone.values(), ...fresh.values()].map(({ name }) => lowerName(name)));
  const made = new ZoneData(zone.origin, zone);
  put(made, changes.at(-1)?.after ?? zone.apex.soa);
  let count = 0;
  for (const record of zone.others()) {
    if (++count % SLICE === 0) yield;
    if (owners.has(lowerName(record.name))) {
      const key = keyOf(record);
      if (gone.delete(key)) continue;
      if (fresh.has(key)) throw new ZoneError(`a record of ${record.name} is added that is there already`);
    }
    put(made, record);
  }
  for (const { name } of gone.values()) throw new ZoneError(`a record of ${name} is deleted that is not there`);
  for (const record of fresh.values()) put(made, record);
  return made.seal();
}

/** What several changes come to: the records that go, and those that come. */
function netOf(zone: ZoneData, changes: readonly ZoneChange[]): { gone: Map<string, Rr>; fresh: Map<string, Rr> } {
  const gone = new Map<string, Rr>();
  const fresh = new Map<string, Rr>();
  let serial = zone.serial;
  for (const { before, after, deleted, added } of changes) {
    if (soaNumbers(before).serial !== serial) throw new ZoneError(`changes do not start at serial ${serial}`);
    serial = soaNumbers(after).serial;
    for (const record of deleted) {
      const key = keyOf(record);
      if (!fresh.delete(key)) gone.set(key, record);
    }
    for (const record of added) fresh.set(keyOf(record), record);
  }
  return { gone, fresh };
}

function put(zone: ZoneData, { name, type, ttl, rdata }: Rr): void {
  zone.add(encodeName(name), type, ttl, Uint8Array.from(rdata), rdata.length);
}

/** Runs something that is done in steps, and answers queries between them. */
export async function inSteps<T>(steps: Generator<void, T, void>, signal: AbortSignal): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
}
