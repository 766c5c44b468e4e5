import type { Query } from '../../chain/index.js';
import { cidrContains, type Cidr } from '../../lib/cidr.js';
import { randomBelow, type Random } from '../../lib/random.js';
import { Type, lowerName, presentName, type EncodedRecords } from '../../wire/index.js';
import { Kind, RecordTable, USUAL_KINDS, isSettled } from './record-table.js';
import { addressKey, type Weights } from './weights.js';

/** Puts the records of a reply in order. Gives back the same records when there is nothing to change. */
export interface RotationPolicy {
  arrange(records: EncodedRecords, query: Query): EncodedRecords;
}

/** Shuffles addresses and mail exchanges in all sections, every order as likely as any other. */
export class RoundRobin implements RotationPolicy {
  private readonly table = new RecordTable();

  constructor(private readonly random: Random) {}

  arrange(records: EncodedRecords): EncodedRecords {
    if (isSettled(records)) return records;
    this.table.load(records);
    const { answers, authorities, ttls } = records;
    this.section(0, answers);
    this.section(answers, answers + authorities);
    this.section(answers + authorities, ttls.length);
    return this.table.result();
  }

  private section(from: number, to: number): void {
    if (to - from < 2) return;
    const { table } = this;
    table.group(from, to, USUAL_KINDS);
    for (let start = from, end: number; start < to; start = end) {
      const kind = table.kind(start);
      for (end = start + 1; end < to && table.kind(end) === kind;) end++;
      if (kind < Kind.ADDRESS) continue;
      // Fisher and Yates.
      for (let i = start; i < end - 1; i++) table.swap(i, i + randomBelow(this.random, end - i));
    }
  }
}

/**
 * Draws the first address by weight and leaves the others as they stand, in the answer and additional sections of A,
 * AAAA and SRV questions.
 */
export class Weighted implements RotationPolicy {
  private readonly table = new RecordTable();

  constructor(
    private readonly source: { readonly weights: Weights },
    private readonly random: Random,
  ) {}

  arrange(records: EncodedRecords, query: Query): EncodedRecords {
    const { answers, authorities, ttls } = records;
    if (ttls.length < 2 || (query.type !== Type.A && query.type !== Type.AAAA && query.type !== Type.SRV))
      return records;
    this.table.load(records);
    this.section(0, answers);
    this.section(answers + authorities, ttls.length);
    return this.table.result();
  }

  private section(from: number, to: number): void {
    const { table } = this;
    const isAddress = (place: number): boolean => table.kind(place) === Kind.ADDRESS;
    const places = Array.from({ length: to - from }, (_, i) => from + i);
    // Without addresses even the aliases stay where they are, as in the reference.
    if (!places.some(isAddress)) return;
    table.group(from, to, USUAL_KINDS);
    const addresses = places.filter(isAddress);
    if (addresses.length > 1)
      table.swap(addresses[0]!, addresses[this.draw(addresses.map((place) => this.weight(place)))]!);
  }

  private draw(weights: readonly number[]): number {
    let rest = randomBelow(
      this.random,
      weights.reduce((sum, weight) => sum + weight, 0),
    );
    return weights.findIndex((weight) => (rest -= weight) < 0);
  }

  /** An address that the file does not name weighs 1. */
  private weight(place: number): number {
    const owner = this.table.owner(place);
    return (
      this.source.weights
        .get(lowerName(presentName(owner, 0, owner.length)))
        ?.get(addressKey(this.table.data(place))) ?? 1
    );
  }
}

const ADDRESSES_FIRST: readonly Kind[] = [Kind.ALIAS, Kind.ADDRESS, Kind.EXCHANGE, Kind.REST];

/**
 * Puts addresses of some networks before the others, in the order of the networks, in the answer and additional
 * sections.
 */
export class Preferred implements RotationPolicy {
  private readonly table = new RecordTable();

  constructor(private readonly networks: readonly Cidr[]) {}

  arrange(records: EncodedRecords): EncodedRecords {
    const { answers, authorities, ttls } = records;
    if (ttls.length < 2) return records;
    this.table.load(records);
    this.section(0, answers);
    this.section(answers + authorities, ttls.length);
    return this.table.result();
  }

  private section(from: number, to: number): void {
    const { table } = this;
    table.group(from, to, ADDRESSES_FIRST);
    let start = from;
    while (start < to && table.kind(start) === Kind.ALIAS) start++;
    let end = start;
    while (end < to && table.kind(end) === Kind.ADDRESS) end++;
    table.sort(start, end, (place) => this.rank(table.data(place)));
  }

  private rank(ip: Uint8Array): number {
    const network = this.networks.findIndex((candidate) => cidrContains(candidate, ip));
    return network < 0 ? this.networks.length : network;
  }
}
