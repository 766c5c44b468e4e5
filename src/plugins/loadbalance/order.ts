import { Type, type EncodedRecords } from '../../wire/index.js';

/** Sections of encoded records by number, as they follow each other. */
export const ANSWER = 0;
export const AUTHORITY = 1;
export const ADDITIONAL = 2;

/** What a record counts as when records are put in order. */
export const ALIAS = 0;
export const REST = 1;
export const ADDRESS = 2;
export const EXCHANGE = 3;
export type Kind = typeof ALIAS | typeof REST | typeof ADDRESS | typeof EXCHANGE;

/** Aliases before addresses: some stub resolvers follow them only in that order. */
const USUAL: readonly Kind[] = [ALIAS, REST, ADDRESS, EXCHANGE];

/** Type of the record whose TTL is at `ttl`. */
export function kindAt(bytes: Uint8Array, ttl: number): Kind {
  if (bytes[ttl - 4] !== 0) return REST;
  switch (bytes[ttl - 3]) {
    case Type.CNAME: return ALIAS;
    case Type.A: case Type.AAAA: return ADDRESS;
    case Type.MX: return EXCHANGE;
    default: return REST;
  }
}

/** Index of the first record of each section, and after the last one of all. */
export const sectionStarts = (records: EncodedRecords): [number, number, number, number] => {
  const answers = records.answers;
  const authorities = answers + records.authorities;
  return [0, answers, authorities, records.ttls.length];
};

/** Whether every section's records stand in the usual order of kinds, with at most one address and one mail exchange: then no shuffling changes anything. */
export function isSettled(records: EncodedRecords): boolean {
  const { bytes, ttls } = records;
  if (ttls.length < 2) return true;
  const answers = records.answers;
  const authorities = answers + records.authorities;
  let last: Kind | -1 = -1;
  for (let i = 0; i < ttls.length; i++) {
    if (i === answers || i === authorities) last = -1;
    const kind = kindAt(bytes, ttls[i]!);
    if (kind < last || (kind === last && kind >= ADDRESS)) return false;
    last = kind;
  }
  return true;
}

/** The indices `from` to `to` (not including) by kind, those of one kind as they stand. `kinds` is the order of kinds. */
export function groupKinds(records: EncodedRecords, from: number, to: number, kinds: readonly Kind[] = USUAL): number[] {
  const order: number[] = [];
  for (const kind of kinds) for (let i = from; i < to; i++) if (kindAt(records.bytes, records.ttls[i]!) === kind) order.push(i);
  return order;
}

/**
 * The records in another order: `order` holds each record's index once, and none leaves its section. TTL places and owner marks go along. The records are
 * copied, never altered, and given back themselves when they are in that order already.
 */
export function reorder(records: EncodedRecords, order: readonly number[]): EncodedRecords {
  if (order.every((record, i) => record === i)) return records;
  const { bytes, owners } = records;
  const starts = recordStarts(records);
  // From the pool, which costs less than an array of its own.
  const target = Buffer.allocUnsafe(bytes.length);
  const ttls: number[] = [];
  const marks: number[] | undefined = owners && [];
  const marked = owners && new Set(owners);
  let write = 0;
  for (const record of order) {
    const start = starts[record]!;
    const end = starts[record + 1]!;
    ttls.push(write + records.ttls[record]! - start);
    if (marked?.has(start)) marks!.push(write);
    for (let i = start; i < end; i++) target[write++] = bytes[i]!;
  }
  return { ...records, bytes: target, ttls, owners: marks };
}

/** Where each record starts in the bytes, and where the last one ends. */
function recordStarts({ bytes, ttls }: EncodedRecords): number[] {
  const starts = [0];
  // Behind the TTL come the two octets of the data's length and the data.
  for (const ttl of ttls) starts.push(ttl + 6 + ((bytes[ttl + 4]! << 8) | bytes[ttl + 5]!));
  return starts;
}

/** Offset of the data of the record whose TTL is at `ttl`. */
export const dataAt = (ttl: number): number => ttl + 6;
/** Length of that data, in octets. */
export const dataLength = (bytes: Uint8Array, ttl: number): number => (bytes[ttl + 4]! << 8) | bytes[ttl + 5]!;
/** Offset of the owner name of the record with that index. */
export const ownerAt = (records: EncodedRecords, record: number): number => {
  if (record === 0) return 0;
  const before = records.ttls[record - 1]!;
  return dataAt(before) + dataLength(records.bytes, before);
};
