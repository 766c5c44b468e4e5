import type { Query } from '../../chain/index.js';
import { cidrContains, type Cidr } from '../../lib/cidr.js';
import { randomBelow, type Random } from '../../lib/random.js';
import { Type, lowerName, presentName, type EncodedRecords } from '../../wire/index.js';
import { ADDITIONAL, ADDRESS, ALIAS, ANSWER, EXCHANGE, REST, dataAt, dataLength, groupKinds, isSettled, kindAt, ownerAt, reorder, sectionStarts } from './order.js';
import { addressKey, type Weights } from './weights.js';

/** Puts the records of a reply in order. Gives back the same records when there is nothing to change. */
export interface Policy {
  arrange(records: EncodedRecords, query: Query): EncodedRecords;
}

/** Shuffles addresses and mail exchanges in all sections, every order as likely as any other. */
export class RoundRobin implements Policy {
  constructor(private readonly random: Random) {}

  arrange(records: EncodedRecords): EncodedRecords {
    if (isSettled(records)) return records;
    const starts = sectionStarts(records);
    const order: number[] = [];
    for (let section = 0; section < 3; section++) {
      const from = order.length;
      order.push(...groupKinds(records, starts[section]!, starts[section + 1]!));
      this.shuffle(records, order, from);
    }
    return reorder(records, order);
  }

  /** Shuffles the runs of addresses and of mail exchanges from `from` on (Fisher and Yates). */
  private shuffle(records: EncodedRecords, order: number[], from: number): void {
    const kind = (i: number): number => kindAt(records.bytes, records.ttls[order[i]!]!);
    for (let start = from, end: number; start < order.length; start = end) {
      for (end = start + 1; end < order.length && kind(end) === kind(start); ) end++;
      if (kind(start) < ADDRESS) continue;
      for (let i = start; i < end - 1; i++) swap(order, i, i + randomBelow(this.random, end - i));
    }
  }
}

/** Draws the first address by weight and leaves the others as they stand, in the answer and additional sections of A, AAAA and SRV questions. */
export class Weighted implements Policy {
  constructor(private readonly source: { readonly weights: Weights }, private readonly random: Random) {}

  arrange(records: EncodedRecords, query: Query): EncodedRecords {
    if (records.ttls.length < 2 || (query.type !== Type.A && query.type !== Type.AAAA && query.type !== Type.SRV)) return records;
    const starts = sectionStarts(records);
    const order = records.ttls.map((_, i) => i);
    for (const section of [ANSWER, ADDITIONAL]) this.section(records, order, starts[section]!, starts[section + 1]!);
    return reorder(records, order);
  }

  private section(records: EncodedRecords, order: number[], from: number, to: number): void {
    const grouped = groupKinds(records, from, to);
    const addresses = grouped.filter((record) => kindAt(records.bytes, records.ttls[record]!) === ADDRESS);
    if (addresses.length === 0) return;
    const first = grouped.indexOf(addresses[0]!);
    if (addresses.length > 1) swap(grouped, first, first + this.draw(addresses.map((record) => this.weight(records, record))));
    grouped.forEach((record, i) => (order[from + i] = record));
  }

  private draw(weights: readonly number[]): number {
    let rest = randomBelow(this.random, weights.reduce((sum, weight) => sum + weight, 0));
    return weights.findIndex((weight) => (rest -= weight) < 0);
  }

  /** An address that the file does not name weighs 1. */
  private weight(records: EncodedRecords, record: number): number {
    const { bytes, ttls } = records;
    const start = ownerAt(records, record);
    const owner = lowerName(presentName(bytes, start, ttls[record]! - 4 - start));
    const at = dataAt(ttls[record]!);
    return this.source.weights.get(owner)?.get(addressKey(bytes.subarray(at, at + dataLength(bytes, ttls[record]!)))) ?? 1;
  }
}

/** Puts addresses of some networks before the others, in the order of the networks, in the answer and additional sections. */
export class Preferred implements Policy {
  constructor(private readonly networks: readonly Cidr[]) {}

  arrange(records: EncodedRecords): EncodedRecords {
    if (records.ttls.length < 2) return records;
    const starts = sectionStarts(records);
    const order = records.ttls.map((_, i) => i);
    for (const section of [ANSWER, ADDITIONAL]) {
      const [from, to] = [starts[section]!, starts[section + 1]!];
      const of = (kind: typeof ALIAS | typeof REST | typeof ADDRESS | typeof EXCHANGE): number[] => groupKinds(records, from, to, [kind]);
      // Sorting is stable: within a network the order of the policy before stays.
      const addresses = of(ADDRESS).map((record) => ({ record, rank: this.rank(records, record) })).sort((a, b) => a.rank - b.rank).map(({ record }) => record);
      [...of(ALIAS), ...addresses, ...of(EXCHANGE), ...of(REST)].forEach((record, i) => (order[from + i] = record));
    }
    return reorder(records, order);
  }

  private rank(records: EncodedRecords, record: number): number {
    const at = dataAt(records.ttls[record]!);
    const ip = records.bytes.subarray(at, at + dataLength(records.bytes, records.ttls[record]!));
    const network = this.networks.findIndex((candidate) => cidrContains(candidate, ip));
    return network < 0 ? this.networks.length : network;
  }
}

function swap(list: number[], a: number, b: number): void {
  const kept = list[a]!;
  list[a] = list[b]!;
  list[b] = kept;
}
