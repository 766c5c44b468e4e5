import type { Query } from '../chain/index.js';
import { Flag, HEADER_SIZE, OPCODE_MASK, OPT_SIZE, Opcode, Rcode, writeOpt } from '../wire/index.js';

/** How a refusal goes back to the client; see `ResponseWriter`. */
export interface RefusalWriter {
  readonly prefix: 0 | 2;
  send(bytes: Buffer): void;
}

/**
 * What the header alone decides: `ignore` for what is no query, an rcode for what is refused, undefined for what goes
 * on.
 * One question; at most one record in answer and authority (NOTIFY, RFC 1996 section 3.7, and IXFR, RFC 1995 section
 * 3, send a SOA there) and two in additional.
 */
export function judgeHeader(bytes: Uint8Array): number | 'ignore' | undefined {
  if (bytes.length < HEADER_SIZE) return 'ignore';
  const flags = (bytes[2]! << 8) | bytes[3]!;
  if (flags & Flag.QR) return 'ignore';
  const opcode = (flags & OPCODE_MASK) >> 11;
  if (opcode !== Opcode.QUERY && opcode !== Opcode.NOTIFY) return Rcode.NOTIMP;
  const tooMany =
    bytes[4] !== 0 ||
    bytes[5] !== 1 ||
    bytes[6] !== 0 ||
    bytes[7]! > 1 ||
    bytes[8] !== 0 ||
    bytes[9]! > 1 ||
    bytes[10] !== 0 ||
    bytes[11]! > 2;
  return tooMany ? Rcode.FORMERR : undefined;
}

/** Offset after a well-formed question, else the header's end: how much of a bad message the answer repeats. */
export function questionEnd(bytes: Buffer): number {
  let at = HEADER_SIZE;
  while (bytes[at]! > 0 && bytes[at]! < 64) at += bytes[at]! + 1;
  return bytes[at] === 0 && at + 5 <= bytes.length && at - HEADER_SIZE < 255 ? at + 5 : HEADER_SIZE;
}

/**
 * Answers with an rcode, the header's other counts at zero, and the question if it could be read. FORMERR is always
 * an answer to QUERY.
 */
export function reject(bytes: Buffer, rcode: number, end: number, writer: RefusalWriter): void {
  const { prefix } = writer;
  const answer = Buffer.alloc(prefix + end);
  bytes.copy(answer, prefix, 0, end);
  const word = (bytes[2]! << 8) | bytes[3]!;
  const keep = rcode === Rcode.NOTIMP ? OPCODE_MASK | Flag.RD | Flag.CD : Flag.RD | Flag.CD;
  answer.writeUInt16BE(Flag.QR | (word & keep) | rcode, prefix + 2);
  answer.writeUInt16BE(end > HEADER_SIZE ? 1 : 0, prefix + 4);
  answer.fill(0, prefix + 6, prefix + HEADER_SIZE);
  writer.send(answer);
}

/** An EDNS version other than 0 gets BADVERS and the version there is (RFC 6891 section 6.1.3). */
export function badVersion(query: Query, writer: RefusalWriter): void {
  const edns = { udpSize: query.udpSize, version: 0, do: false, options: [] };
  const answer = Buffer.alloc(writer.prefix + query.questionEnd + OPT_SIZE);
  query.bytes.copy(answer, writer.prefix, 0, query.questionEnd);
  answer.writeUInt16BE(Flag.QR | (query.queryFlags & (OPCODE_MASK | Flag.RD | Flag.CD)), writer.prefix + 2);
  answer.fill(0, writer.prefix + 6, writer.prefix + 10);
  answer.writeUInt16BE(1, writer.prefix + 10);
  writeOpt(edns, Rcode.BADVERS, answer, writer.prefix + query.questionEnd);
  writer.send(answer);
}
