/**
 * How the answer table lies in memory. All of it has fixed places, so that it can lie in BPF array maps as well as in a
 * SharedArrayBuffer: a control page, hash indexes of doubling size one after the other, and a pool of slabs.
 */
import type { Octets } from '../lib/units.js';

/**
 * Control page: words 0 and 1 are the key of the hash, 2 is one less than the sets of the index in use, 3 is where the
 * pool begins, in UNITs, and 4 how many queries a second a client may ask where the kernel counts them, 0 for any.
 */
export const SEED = 0;
export const MASK = 2;
export const POOL = 3;
export const LIMIT = 4;
/** Lengths of client networks by listening address: IPv4 in the low half, IPv6 in the high half. */
export const NETWORKS = 16;
/** Most listening addresses whose answers can be kept apart by networks of clients. */
export const MAX_NETWORKS = 256;
export const CONTROL_SIZE: Octets = 65_536;

/** Ways of a set, two words each: hash (0 for a free way, which ends the set) and place of the entry in UNITs. */
export const WAYS = 16;
export const SET_WORDS = 2 * WAYS;
export const SET_SIZE: Octets = 4 * SET_WORDS;
/** Sets of the smallest index; the one of n sets begins at n sets behind the control page. */
export const MIN_SETS = 512;

/** The pool is handed out in slabs; all entries of one have the same size. */
export const SLAB: Octets = 65_536;
/** The end of a slab holds no entry, so that a reader of fixed length never reads beyond it. */
export const SLAB_END: Octets = 1024;
/** Last word of a slab: 1 when an entry of it was given since somebody looked. */
export const TOUCHED = SLAB / 4 - 1;
/** What places in the index are counted in. */
export const UNIT: Octets = 64;
/** Sizes of entries. What is longer than the last is not kept: so every answer fits every client. */
export const SIZES: readonly Octets[] = [128, 192, 256, 384, 512];
export const LARGEST: Octets = 512;

/** Fields of an entry as offsets in words. The first is its sequence counter, odd while it is written. */
export const SEQUENCE = 0;
/** 0 for a free entry. */
export const HASH = 1;
/** Key length in the low half, records' length in the high half. */
export const LENGTHS = 2;
/** Header word without id, RD and CD in the low half; SPELLING and NOTED in the high half. */
export const FLAGS = 3;
/** Answers in the low half, authorities in the high half. */
export const COUNTS = 4;
/** Additional records in the low half, how many records rotate in the high half. */
export const ADDITIONAL = 5;
/** TTL at `STORED`, -1 for records that keep theirs. */
export const TTL = 6;
/** Number of TTL fields in the low half, of owners that repeat the question's name in the high half. */
export const PLACES = 7;
/** Rotation: offset of the first record in the low half, size of one in the high half. */
export const ROTATION = 8;
/** Answers with rotating records so far, counted by readers. */
export const TURN = 9;
/** Whole milliseconds of the shared clock, 64 bits each. */
export const UNTIL = 10;
export const STORED = 12;
/** Hits by queries without and with an OPT record, counted by readers. */
export const HITS = 14;
export const HITS_EDNS = 15;
/** The key follows, padded to eight bytes, then 16-bit offsets of TTLs and of owners, then the records. */
export const KEY: Octets = 64;
/** What a key begins with, before the name: type, class, variant, length of the name, listening address. */
export const KEY_HEAD: Octets = 8;
/** Of the variant, the byte behind type and class: the query had DO. */
export const VARIANT_DO = 1;
/** High half of FLAGS: the answer is right for every spelling of the name. */
export const SPELLING = 1;
/** And: somebody wants to know of each query that it is given to. */
export const NOTED = 2;
/** Most TTL fields, and most owners. */
export const MAX_PLACES = 16;

/** Where the pool begins when the largest index has `sets` sets; a multiple of SLAB. */
export const poolStart = (sets: number): Octets => CONTROL_SIZE + SLAB * Math.ceil((2 * sets * SET_SIZE) / SLAB);

/**
 * Sets that a pool of so many bytes needs at most: eight of the smallest entries to a set, and once more as many for
 * where a set is full by chance.
 */
export function setsFor(pool: Octets): number {
  let sets = MIN_SETS;
  while (sets * 4 * SIZES[0]! < pool) sets *= 2;
  return sets;
}

export const padded = (length: Octets): Octets => (length + 7) & ~7;

/** Bytes of an entry; more than LARGEST when it cannot be kept. */
export const entrySize = (key: Octets, places: number, records: Octets): Octets =>
  KEY + padded(key) + 2 * places + records;
