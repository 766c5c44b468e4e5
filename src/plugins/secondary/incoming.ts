import type { Octets } from '../../lib/units.js';
import {
  Class,
  RECORD_FIXED,
  Type,
  encodeName,
  isSubdomain,
  lowerName,
  nameLength,
  rdataLayout,
  readName,
  type Name,
  type Rr,
} from '../../wire/index.js';
import { ZoneData, ZoneError, isBefore, soaNumbers, type ZoneChange } from '../../zone/index.js';
import { TransferError } from './errors.js';

/** What a transfer brought. */
export type TransferContent =
  /** All of the zone. */
  | { readonly kind: 'zone'; readonly zone: ZoneData; readonly outside: number }
  /** What has changed since the serial that was known. */
  | { readonly kind: 'changes'; readonly changes: readonly ZoneChange[]; readonly outside: number }
  /** That nothing has. */
  | { readonly kind: 'same' };

/** Most bytes of records in one transfer: memory is taken for all of them, whoever sends them. */
export const MAX_SIZE: Octets = 256 << 20;

interface OpenChange {
  readonly before: Rr;
  after: Rr | undefined;
  readonly deleted: Rr[];
  readonly added: Rr[];
}

/** Puts a zone, or what has changed of it, together from the records of a transfer (RFC 5936, RFC 1995 section 4). */
export class Incoming {
  /** Records of names outside the zone: they are left out. */
  private outside = 0;
  private size: Octets = 0;
  private first: Rr | undefined;
  private zone: ZoneData | undefined;
  private changes: OpenChange[] | undefined;
  private ended = false;

  /**
   * @param known the serial that changes are asked for since; undefined where the whole zone is
   * @param before the zone that is served
   */
  constructor(
    private readonly origin: Name,
    private readonly known: number | undefined,
    private readonly maxSize: Octets = MAX_SIZE,
    private readonly before?: ZoneData,
  ) {}

  /** What has come, once that is all; undefined before. */
  get received(): TransferContent | undefined {
    const { zone, changes, outside } = this;
    if (!this.ended) return undefined;
    if (zone !== undefined) return { kind: 'zone', zone: zone.seal(), outside };
    if (changes !== undefined) return { kind: 'changes', changes: changes as ZoneChange[], outside };
    return { kind: 'same' };
  }

  /** Takes the records of one message. Throws a TransferError. */
  take(records: readonly Rr[]): void {
    for (const record of records) {
      if (this.ended) throw new TransferError('records behind the last SOA record');
      this.judge(record);
      if (this.first === undefined) this.begin(record);
      else this.next(record, this.first);
    }
    // A server that has nothing new says only so (RFC 1995 section 2).
    const alone = this.first !== undefined && this.zone === undefined && this.changes === undefined;
    if (alone && this.known !== undefined && !isBefore(this.known, serialOf(this.first!))) this.ended = true;
  }

  private judge(record: Rr): void {
    if (record.class !== Class.IN) throw new TransferError(`a record of class ${record.class}, allowed: IN`);
    if (!isWhole(record)) throw new TransferError(`a record of ${record.name} whose data is not whole`);
    this.size += nameLength(record.name) + RECORD_FIXED + record.rdata.length;
    if (this.size > this.maxSize) throw new TransferError(`more than ${this.maxSize} bytes`);
  }

  private begin(record: Rr): void {
    if (!this.isSoa(record)) throw new TransferError(`no SOA record of ${this.origin} at its start`);
    this.first = record;
  }

  private isSoa({ type, name }: Rr): boolean {
    return type === Type.SOA && lowerName(name) === this.origin;
  }

  private next(record: Rr, first: Rr): void {
    if (this.zone === undefined && this.changes === undefined) this.decide(record, first);
    else if (this.changes !== undefined) this.change(record, serialOf(first), this.changes);
    else this.add(record, serialOf(first));
  }

  /** The second record tells whether changes or all of the zone follow. */
  private decide(record: Rr, first: Rr): void {
    const incremental = this.known !== undefined && this.isSoa(record) && serialOf(record) === this.known;
    if (incremental && serialOf(first) !== this.known) {
      this.changes = [open(record)];
      return;
    }
    this.zone = new ZoneData(this.origin, this.before);
    this.put(first, this.zone);
    this.add(record, serialOf(first));
  }

  private add(record: Rr, serial: number): void {
    if (!this.isSoa(record)) return this.put(record, this.zone!);
    if (serialOf(record) !== serial)
      throw new TransferError(`serial ${serial} at its start and ${serialOf(record)} at its end`);
    this.ended = true;
  }

  private change(record: Rr, final: number, changes: OpenChange[]): void {
    const current = changes.at(-1)!;
    if (!this.isSoa(record)) {
      if (this.belongs(record)) (current.after === undefined ? current.deleted : current.added).push(record);
      return;
    }
    const serial = serialOf(record);
    if (current.after === undefined) {
      if (!isBefore(serialOf(current.before), serial))
        throw new TransferError(`a change from serial ${serialOf(current.before)} to ${serial}`);
      current.after = record;
      return;
    }
    const reached = serialOf(current.after);
    if (serial !== reached) throw new TransferError(`a change from serial ${serial} behind one to ${reached}`);
    if (reached === final) this.ended = true;
    else changes.push(open(record));
  }

  private put(record: Rr, zone: ZoneData): void {
    if (!this.belongs(record)) return;
    try {
      zone.add(encodeName(record.name), record.type, record.ttl, record.rdata, record.rdata.length);
    } catch (error) {
      if (!(error instanceof ZoneError)) throw error;
      throw new TransferError(error.message);
    }
  }

  /** Whether a record is one of the zone: within it, and no SOA record of a name below. */
  private belongs(record: Rr): boolean {
    if (isSubdomain(this.origin, lowerName(record.name)) && (record.type !== Type.SOA || this.isSoa(record)))
      return true;
    this.outside++;
    return false;
  }
}

const serialOf = (soa: Rr): number => soaNumbers(soa).serial;

const open = (before: Rr): OpenChange => ({ before, after: undefined, deleted: [], added: [] });

/** Whether the data of a type that must have some is there; what else it holds was looked at when it was read. */
export function isWhole({ type, rdata }: Rr): boolean {
  if (type !== Type.SOA) {
    const needed = type === Type.A || type === Type.AAAA || rdataLayout(type) !== undefined;
    return !needed || rdata.length > 0;
  }
  if (rdata.length === 0) return false;
  return rdata.length === readName(rdata, readName(rdata, 0).end).end + 20;
}
