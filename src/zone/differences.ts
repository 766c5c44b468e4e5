import type { Rr } from '../wire/index.js';
import { keyOf, type ZoneChange } from './changes.js';
import { NamePath } from './name-path.js';
import { NONE } from './tree.js';
import type { ZoneData } from './zone.js';

/** Names between which queries are answered while zones are compared. */
const SLICE = 2000;

/** What leads from one zone to another of the same origin; compared name by name, in steps. */
export function* differences(before: ZoneData, after: ZoneData): Generator<void, ZoneChange, void> {
  const deleted: Rr[] = [];
  const added: Rr[] = [];
  compare(before.apexRecords(), after.apexRecords(), deleted, added);
  const path = new NamePath();
  const wire = new Uint8Array(256);
  /** The node of the same name in another zone. */
  const same = (zone: ZoneData, node: number, other: ZoneData): number => {
    zone.tree.writeName(node, wire, 0);
    return other.tree.find(path.load(wire, 0));
  };
  for (let node = 0; node < after.tree.size; node++) {
    if (node % SLICE === SLICE - 1) yield;
    if (!after.records.has(node)) continue;
    const old = same(after, node, before);
    if (old !== NONE && before.records.equals(old, after.records, node)) continue;
    const name = after.tree.name(node);
    compare(old === NONE ? [] : before.records.all(old, name), after.records.all(node, name), deleted, added);
  }
  for (let node = 0; node < before.tree.size; node++) {
    if (node % SLICE === SLICE - 1) yield;
    if (!before.records.has(node)) continue;
    const now = same(before, node, after);
    if (now === NONE || !after.records.has(now)) deleted.push(...before.records.all(node, before.tree.name(node)));
  }
  return { before: before.apex.soa, after: after.apex.soa, deleted, added };
}

/** Adds the records that only one of two lists has; those that are there twice count once. */
function compare(before: readonly Rr[], after: readonly Rr[], deleted: Rr[], added: Rr[]): void {
  const keyed = (records: readonly Rr[]): Map<string, Rr> =>
    new Map(records.map((record) => [`${record.ttl} ${keyOf(record)}`, record]));
  const [old, now] = [keyed(before), keyed(after)];
  for (const [key, record] of old) if (!now.has(key)) deleted.push(record);
  for (const [key, record] of now) if (!old.has(key)) added.push(record);
}
