import { QueryKey } from '../../src/fastpath/query-key.js';
import { SLAB } from '../../src/fastpath/table-layout.js';
import { ThreadMemory } from '../../src/fastpath/table-memory.js';
import { AnswerTableWriter, type SharedEntry } from '../../src/fastpath/table-writer.js';
import type { Query } from '../../src/chain/index.js';

type Seed = readonly [number, number];

/** Key of a query, as the UDP workers read it from an IPv4 client. */
export function keyOf(
  { bytes }: Pick<Query, 'bytes'>,
  ipv6 = false,
  seed: Seed = [0, 0],
  server = 0,
  hash?: number,
): QueryKey {
  const key = new QueryKey(seed);
  if (!key.read(bytes, 0, bytes.length, ipv6, server)) throw new Error('no query of the common form');
  if (hash !== undefined) key.hash = hash;
  return key;
}

/** An entry of the table for a query: one record of 16 bytes with a TTL at offset 6, unless told otherwise. */
export function entryFor(
  query: Pick<Query, 'bytes'>,
  { hash, server = 0, ...change }: Partial<SharedEntry> & { hash?: number; server?: number } = {},
  seed: Seed = [0, 0],
): SharedEntry {
  return {
    key: keyOf(query, false, seed, server, hash),
    flags: 0x8500,
    answers: 1,
    authorities: 0,
    additionals: 0,
    records: new Uint8Array(16).fill(7),
    ttls: [6],
    owners: [],
    everySpelling: false,
    noted: false,
    until: Infinity,
    ttl: undefined,
    stored: 0,
    rotation: undefined,
    ...change,
  };
}

/** A table whose answers take so many slabs at most. */
export const table = (slabs = 1): AnswerTableWriter => new AnswerTableWriter(new ThreadMemory(slabs * SLAB));
