import { Type, type Name } from '../wire/index.js';
import { MasterFile, MasterFileError } from './master-file.js';
import { ZoneData, ZoneError } from './zone.js';

/** Most warnings about one file. */
const MAX_WARNINGS = 5;

/** A zone while it is read from a master file: in steps, so that queries are answered between them. */
export class ZoneLoading {
  readonly zone: ZoneData;
  /** Faults that do not keep the zone from being served: `FILE:LINE: text`. */
  readonly warnings: string[] = [];
  private readonly file: MasterFile;

  /**
   * @param known the serial that is served already: a file with the same one is not read on
   * @param before the zone that is served
   * @throws NodeJS.ErrnoException when the file cannot be read
   */
  constructor(
    private readonly path: string,
    origin: Name,
    read: (path: string) => Buffer,
    private readonly known?: number,
    before?: ZoneData,
  ) {
    this.file = new MasterFile(path, origin, read);
    this.zone = new ZoneData(origin, before);
  }

  /** All files that were read so far. */
  get files(): readonly string[] {
    return this.file.files;
  }

  /**
   * Reads up to `records` more. `loaded`: the zone is whole; `same`: the file has the serial that is known. Throws a
   * MasterFileError for what cannot be used.
   */
  step(records: number): 'more' | 'loaded' | 'same' {
    const { file, zone } = this;
    for (let i = 0; i < records; i++) {
      if (!file.next()) {
        if (zone.soa === undefined) throw new MasterFileError(this.path, 1, `no SOA record for zone ${zone.origin}`);
        zone.seal();
        return 'loaded';
      }
      const first = zone.soa === undefined;
      this.add();
      if (first && zone.soa !== undefined && zone.serial === this.known) return 'same';
    }
    return 'more';
  }

  private add(): void {
    const { file, zone } = this;
    const { strays } = zone;
    const second = file.type === Type.SOA && zone.soa !== undefined;
    try {
      zone.add(file.owner, file.type, file.ttl, file.data.bytes, file.data.length);
    } catch (error) {
      if (!(error instanceof ZoneError)) throw error;
      const { file: name, line } = file.place;
      throw new MasterFileError(name, line, error.message);
    }
    if (second) this.warn('a second SOA record: the last one counts');
    else if (zone.strays > strays) this.warn(`a name outside zone ${zone.origin}`);
    else if (zone.clash) this.warn('a CNAME record beside other records');
  }

  private warn(fault: string): void {
    if (this.warnings.length >= MAX_WARNINGS) return;
    const { file, line } = this.file.place;
    this.warnings.push(`${file}:${line}: ${fault}`);
  }
}
