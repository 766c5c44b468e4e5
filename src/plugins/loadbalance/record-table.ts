import { Type, type EncodedRecords } from '../../wire/index.js';

/** What a record counts as when records are put in order. */
export const Kind = { ALIAS: 0, REST: 1, ADDRESS: 2, EXCHANGE: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Aliases before addresses: some stub resolvers follow them only in that order. */
export const USUAL_KINDS: readonly Kind[] = [Kind.ALIAS, Kind.REST, Kind.ADDRESS, Kind.EXCHANGE];

/** The kind of the record whose TTL is at `ttl`: its type stands right before that. */
function kindAt(bytes: Uint8Array, ttl: number): Kind {
  if (bytes[ttl - 4] !== 0) return Kind.REST;
  switch (bytes[ttl - 3]) {
    case Type.CNAME:
      return Kind.ALIAS;
    case Type.A:
    case Type.AAAA:
      return Kind.ADDRESS;
    case Type.MX:
      return Kind.EXCHANGE;
    default:
      return Kind.REST;
  }
}

/**
 * Whether every section's records stand in the usual order of kinds, with at most one address and one mail exchange:
 * then no shuffling changes anything.
 */
export function isSettled(records: EncodedRecords): boolean {
  const { bytes, ttls } = records;
  if (ttls.length < 2) return true;
  const answers = records.answers;
  const authorities = answers + records.authorities;
  let last: Kind | -1 = -1;
  for (let i = 0; i < ttls.length; i++) {
    if (i === answers || i === authorities) last = -1;
    const kind = kindAt(bytes, ttls[i]!);
    if (kind < last || (kind === last && kind >= Kind.ADDRESS)) return false;
    last = kind;
  }
  return true;
}

const ROOM = 64;

/**
 * Encoded records as a table whose rows can change places. Made once and loaded with one reply after the other, so
 * that putting a reply in order makes
 * nothing but the reply.
 */
export class RecordTable {
  private records!: EncodedRecords;
  private kinds = new Uint8Array(ROOM);
  private starts = new Int32Array(ROOM + 1);
  private order = new Int32Array(ROOM);
  private spare = new Int32Array(ROOM);

  /** Takes the records in, in the order in which they stand. They must stay as they are until the next `load`. */
  load(records: EncodedRecords): void {
    const { bytes, ttls } = records;
    if (ttls.length > this.kinds.length) this.grow(ttls.length);
    this.records = records;
    let start = 0;
    for (let i = 0; i < ttls.length; i++) {
      const ttl = ttls[i]!;
      this.starts[i] = start;
      this.kinds[i] = kindAt(bytes, ttl);
      this.order[i] = i;
      // Behind the TTL come the two octets of the data's length and the data.
      start = ttl + 6 + ((bytes[ttl + 4]! << 8) | bytes[ttl + 5]!);
    }
    this.starts[ttls.length] = start;
  }

  /** The kind of the record in a place. */
  kind(place: number): Kind {
    return this.kinds[this.order[place]!] as Kind;
  }

  /** The wire form of the owner name of the record in a place. */
  owner(place: number): Uint8Array {
    const record = this.order[place]!;
    return this.records.bytes.subarray(this.starts[record], this.records.ttls[record]! - 4);
  }

  /** The data of the record in a place. */
  data(place: number): Uint8Array {
    const record = this.order[place]!;
    return this.records.bytes.subarray(this.records.ttls[record]! + 6, this.starts[record + 1]);
  }

  swap(a: number, b: number): void {
    const { order } = this;
    const kept = order[a]!;
    order[a] = order[b]!;
    order[b] = kept;
  }

  /**
   * Sorts the places `from` to `to` (not including) by what `key` says of each place before; those of one key stay in
   * their order.
   */
  sort(from: number, to: number, key: (place: number) => number): void {
    const keyed = Array.from({ length: to - from }, (_, i) => ({ record: this.order[from + i]!, key: key(from + i) }));
    keyed.sort((a, b) => a.key - b.key).forEach(({ record }, i) => (this.order[from + i] = record));
  }

  /** Brings the places `from` to `to` (not including) into an order of kinds; those of one kind stay in theirs. */
  group(from: number, to: number, kinds: readonly Kind[]): void {
    const { order, spare } = this;
    for (let i = from; i < to; i++) spare[i] = order[i]!;
    let place = from;
    for (const kind of kinds)
      for (let i = from; i < to; i++) if (this.kinds[spare[i]!] === kind) order[place++] = spare[i]!;
  }

  /**
   * The records in the order of their places, those that were loaded when none has moved. TTL places and owner marks
   * go along.
   */
  result(): EncodedRecords {
    const { records, order } = this;
    const count = records.ttls.length;
    let moved = false;
    for (let i = 0; i < count && !moved; i++) moved = order[i] !== i;
    if (!moved) return records;
    const { bytes } = records;
    // From the pool, which costs less than an array of its own.
    const target = Buffer.allocUnsafe(bytes.length);
    const ttls = new Array<number>(count);
    let write = 0;
    for (let i = 0; i < count; i++) {
      const record = order[i]!;
      const start = this.starts[record]!;
      const end = this.starts[record + 1]!;
      ttls[i] = write + records.ttls[record]! - start;
      for (let k = start; k < end; k++) target[write++] = bytes[k]!;
    }
    const { answers, authorities, additionals, owners } = records;
    return {
      bytes: target,
      answers,
      authorities,
      additionals,
      ttls,
      owners: owners === undefined ? undefined : this.movedOwners(owners),
    };
  }

  private movedOwners(owners: readonly number[]): number[] {
    const marked = new Set(owners);
    const moved: number[] = [];
    let write = 0;
    for (let i = 0; i < this.records.ttls.length; i++) {
      const record = this.order[i]!;
      if (marked.has(this.starts[record]!)) moved.push(write);
      write += this.starts[record + 1]! - this.starts[record]!;
    }
    return moved;
  }

  private grow(count: number): void {
    this.kinds = new Uint8Array(count);
    this.starts = new Int32Array(count + 1);
    this.order = new Int32Array(count);
    this.spare = new Int32Array(count);
  }
}
