import type { Query } from '../../chain/index.js';
import type { Octets } from '../../lib/units.js';
import { Class, Type, type EncodedRecords } from '../../wire/index.js';
import { typeBefore, uint16 } from './record-fields.js';

/** From a record's TTL field back to its end of the owner, and on to its data (RFC 1035 section 4.1.3). */
const OWNER_END = 4;
const DATA = 6;

/** A wire name within other octets. */
interface WireName {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: Octets;
}

/**
 * Whether the answer section has what `query` asks for: a record of its type at its name, or at the end of the chain
 * of aliases that starts there (RFC 1034 section 3.6.2). A chain that runs in a circle or divides leads nowhere.
 */
export function answersQuestion(records: EncodedRecords, query: Query): boolean {
  const asked = { bytes: query.bytes, start: query.questionStart, length: query.questionEnd - 4 - query.questionStart };
  if (query.type === Type.ANY) return owns(records, asked, query, undefined);
  if (query.type === Type.CNAME) return typeof targetOf(records, asked, query.class) === 'object';
  let name: WireName = asked;
  // Each step takes an alias of its own: more steps than records are a circle.
  for (let steps = 0; steps <= records.answers; steps++) {
    const target = targetOf(records, name, query.class);
    if (target === 'many') return false;
    if (target === 'none') return owns(records, name, query, query.type);
    name = target;
  }
  return false;
}

/** Calls `visit` with the owner and the offset of the TTL of each answer until it returns true. */
function someAnswer({ bytes, ttls, answers }: EncodedRecords, visit: (owner: WireName, ttl: number) => boolean) {
  let start = 0;
  for (let i = 0; i < answers; i++) {
    const ttl = ttls[i]!;
    if (visit({ bytes, start, length: ttl - OWNER_END - start }, ttl)) return true;
    start = ttl + DATA + uint16(bytes, ttl + 4);
  }
  return false;
}

function owns(records: EncodedRecords, name: WireName, query: Query, type: number | undefined): boolean {
  return someAnswer(
    records,
    (owner, ttl) =>
      (type === undefined || typeBefore(records.bytes, ttl) === type) &&
      isClass(records.bytes, ttl, query.class) &&
      sameName(owner, name),
  );
}

/** Where the alias at `name` leads; `many` where its records name more than one target (RFC 2181 section 10.1). */
function targetOf(records: EncodedRecords, name: WireName, qclass: number): WireName | 'none' | 'many' {
  let target: WireName | undefined;
  const many = someAnswer(records, (owner, ttl) => {
    const { bytes } = records;
    if (typeBefore(bytes, ttl) !== Type.CNAME || !isClass(bytes, ttl, qclass) || !sameName(owner, name)) return false;
    const found = { bytes, start: ttl + DATA, length: uint16(bytes, ttl + 4) };
    if (target !== undefined) return !sameName(target, found);
    target = found;
    return false;
  });
  return many ? 'many' : (target ?? 'none');
}

const isClass = (bytes: Uint8Array, ttl: number, qclass: number): boolean =>
  qclass === Class.ANY || uint16(bytes, ttl - 2) === qclass;

/** Letter case aside (RFC 4343). A length octet is at most 63 and so never taken for a letter. */
function sameName(a: WireName, b: WireName): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (lower(a.bytes[a.start + i]!) !== lower(b.bytes[b.start + i]!)) return false;
  return true;
}
const lower = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet);
