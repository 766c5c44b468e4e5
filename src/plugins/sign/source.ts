import { MasterFile, MasterFileError, ZoneData, ZoneError } from '../../zone/index.js';
import { Type, type Name } from '../../wire/index.js';

/** Types that are made anew, whatever the zone's file says of them. */
const MADE: ReadonlySet<number> = new Set([
  ...[Type.DNSKEY, Type.RRSIG, Type.NSEC, Type.NSEC3, Type.NSEC3PARAM, Type.CDS, Type.CDNSKEY],
]);
/** Records that are read between two looks at what else is to be done. */
const SLICE = 500;

/**
 * Reads a zone as it is before it is signed, in steps. Names outside the zone are left out. Throws a MasterFileError, or
 * a NodeJS.ErrnoException where a file cannot be read.
 */
export function* readSource(
  path: string,
  origin: Name,
  read: (path: string) => Buffer,
): Generator<void, ZoneData, void> {
  const file = new MasterFile(path, origin, read);
  const zone = new ZoneData(origin);
  for (let count = 1; file.next(); count++) {
    if (count % SLICE === 0) yield;
    if (MADE.has(file.type)) continue;
    try {
      zone.add(file.owner, file.type, file.ttl, file.data.bytes, file.data.length);
    } catch (error) {
      if (!(error instanceof ZoneError)) throw error;
      throw new MasterFileError(file.place.file, file.place.line, error.message);
    }
  }
  if (zone.soa === undefined) throw new MasterFileError(path, 1, `no SOA record for zone ${origin}`);
  return zone.seal();
}
