import { AnswerTable, type SharedEntry } from '../../src/fastpath/table.js';
import { QueryKey } from '../../src/fastpath/query-key.js';
import type { Query } from '../../src/chain/index.js';

/** Key of a query, as the UDP workers reads it from an IPv4 client. */
export function keyOf({ bytes }: Pick<Query, 'bytes'>, ipv6 = false, seed = 0): QueryKey {
  const key = new QueryKey(seed);
  if (!key.read(bytes, 0, bytes.length, ipv6)) throw new Error('no query of the common form');
  return key;
}

/** An entry of the table for a query: one record of 16 octets with a TTL at offset 6, unless told otherwise. */
export function entryFor(query: Pick<Query, 'bytes'>, change: Partial<SharedEntry> = {}, seed = 0): SharedEntry {
  const key = keyOf(query, false, seed);
  return {
    key: key.bytes,
    keyLength: key.length,
    hash: key.hash,
    server: 0,
    flags: 0x8500,
    answers: 1,
    authorities: 0,
    additionals: 0,
    records: new Uint8Array(16).fill(7),
    ttls: [6],
    until: Infinity,
    ttl: undefined,
    stored: 0,
    rotation: undefined,
    ...change,
  };
}

export const table = (slots = 8): AnswerTable => new AnswerTable(AnswerTable.allocate(slots), slots);
