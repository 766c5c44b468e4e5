import { rdataLayout, type Rr } from '../../wire/index.js';

/** Keys of service parameters (RFC 9460 section 14.3.2). */
const MANDATORY = 0;
export const IPV4_HINT = 4;
export const IPV6_HINT = 6;

/**
 * An SVCB or HTTPS record without one of its parameters, and without its name among the mandatory ones; the record
 * itself where it has no such parameter or cannot be read.
 */
export function withoutHint(record: Rr, hint: typeof IPV4_HINT | typeof IPV6_HINT): Rr {
  const { rdata } = record;
  const start = endOfTarget(rdata, rdataLayout(record.type)!.skip);
  const kept: Uint8Array[] = [rdata.subarray(0, start)];
  let found = false;
  for (let at = start; at < rdata.length;) {
    const key = (rdata[at]! << 8) | rdata[at + 1]!;
    const end = at + 4 + ((rdata[at + 2]! << 8) | rdata[at + 3]!);
    if (end > rdata.length) return record;
    const parameter = rdata.subarray(at, end);
    if (key === hint) found = true;
    else kept.push(key === MANDATORY ? withoutKey(parameter, hint) : parameter);
    at = end;
  }
  return found ? { ...record, rdata: Buffer.concat(kept) } : record;
}

/** Offset after the target's name, which is written out. */
function endOfTarget(rdata: Uint8Array, from: number): number {
  let at = from;
  while (at < rdata.length && rdata[at] !== 0) at += rdata[at]! + 1;
  return at + 1;
}

/** The list of mandatory keys without one; nothing where no other is left. */
function withoutKey(parameter: Uint8Array, hint: number): Uint8Array {
  const keys: number[] = [];
  for (let at = 4; at + 1 < parameter.length; at += 2) {
    const key = (parameter[at]! << 8) | parameter[at + 1]!;
    if (key !== hint) keys.push(key >> 8, key & 0xff);
  }
  return keys.length === 0
    ? new Uint8Array(0)
    : Buffer.from([0, MANDATORY, keys.length >> 8, keys.length & 0xff, ...keys]);
}
