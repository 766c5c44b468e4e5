import { differences, inSteps, isBefore, soaNumbers, type ZoneChange, type ZoneData } from '../zone/index.js';

/** Most records in the changes that are kept of a zone. */
const MAX_RECORDS = 100_000;

/** What has changed of a zone from serial to serial, for servers that have an earlier one (RFC 1995). */
export class Journal {
  /** One follows the other; the last leads to the zone that is served. */
  private changes: ZoneChange[] = [];
  private size = 0;
  /** Comparisons that are under way, one after the other. */
  private comparing: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();

  /** @param maxRecords changes are given up, the oldest first, when they hold more, or more than the zone itself */
  constructor(private readonly maxRecords = MAX_RECORDS) {}

  /**
   * Keeps what has changed between two zones that were served one after the other; found out in steps where nobody
   * knows it already.
   */
  put(before: ZoneData, after: ZoneData, known?: readonly ZoneChange[]): void {
    this.comparing = this.comparing.then(async () => {
      if (!isBefore(before.serial!, after.serial!)) return this.clear();
      try {
        this.keep(known ?? [await inSteps(differences(before, after), this.ended.signal)], after);
      } catch {
        // Ended meanwhile.
        this.clear();
      }
    });
  }

  end(): void {
    this.ended.abort(new Error('the zone is no longer served'));
  }

  /** What leads from a serial to that of the zone that is served; undefined where that is not known. */
  since(serial: number, zone: ZoneData): readonly ZoneChange[] | undefined {
    const { changes } = this;
    const last = changes.at(-1);
    if (last === undefined || soaNumbers(last.after).serial !== zone.serial) return undefined;
    const first = changes.findIndex(({ before }) => soaNumbers(before).serial === serial);
    return first < 0 ? undefined : changes.slice(first);
  }

  /** Resolves when nothing is compared any more. */
  settled(): Promise<void> {
    return this.comparing;
  }

  private keep(fresh: readonly ZoneChange[], zone: ZoneData): void {
    const last = this.changes.at(-1);
    if (last !== undefined && soaNumbers(last.after).serial !== soaNumbers(fresh[0]!.before).serial) this.clear();
    this.changes.push(...fresh);
    for (const change of fresh) this.size += sizeOf(change);
    // Changes that are no shorter than the zone are worth nothing.
    while (this.size > Math.min(this.maxRecords, zone.size)) this.size -= sizeOf(this.changes.shift()!);
  }

  private clear(): void {
    this.changes = [];
    this.size = 0;
  }
}

const sizeOf = ({ deleted, added }: ZoneChange): number => deleted.length + added.length + 2;
