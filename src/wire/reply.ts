import type { Octets, Seconds } from '../lib/units.js';
import { Flag, HEADER_SIZE, OPCODE_MASK, RCODE_MASK, Type } from './constants.js';
import { OPT_SIZE } from './edns.js';
import type { EncodedRecords } from './encoded.js';

/** The question as the client wrote it, and what of its header a reply repeats. */
export interface ReplyHead {
  readonly id: number;
  /**
   * Second header word of the query: opcode, RD and CD are repeated (RFC 1035 section 4.1.1, RFC 4035 section 3.2.2).
   */
  readonly queryFlags: number;
  /** Bytes that hold the question, and where it starts and ends. */
  readonly bytes: Uint8Array;
  readonly questionStart: number;
  readonly questionEnd: number;
}

const REPEATED = OPCODE_MASK | Flag.RD | Flag.CD;
const FROM_REPLY = 0xffff & ~REPEATED;

/**
 * Length of a reply with this question, all names written out, in octets; `opt` is the length of its OPT record, 0
 * for none.
 */
export const replyLength = (head: ReplyHead, records: EncodedRecords, opt: Octets): Octets =>
  HEADER_SIZE + head.questionEnd - head.questionStart + records.bytes.length + opt;

/**
 * Writes a whole reply to `target` and returns its length. The caller has checked that it fits.
 * `ttl`, when given, replaces every record's TTL. `opt` is the client's EDNS, answered with an OPT record of the same
 * payload size.
 */
export function writeReply(
  target: Uint8Array,
  head: ReplyHead,
  flags: number,
  rcode: number,
  records: EncodedRecords,
  ttl: Seconds | undefined,
  opt: OptReply | undefined,
): number {
  putHead(target, head, flags, rcode, records);
  if (opt !== undefined) put16(target, 10, records.additionals + 1);
  let at = HEADER_SIZE;
  const query = head.bytes;
  for (let i = head.questionStart; i < head.questionEnd; i++) target[at++] = query[i]!;
  const start = at;
  const body = records.bytes;
  // A typed-array copy costs a call; short bodies are quicker by hand.
  if (body.length <= 32) for (let i = 0; i < body.length; i++) target[at++] = body[i]!;
  else {
    target.set(body, at);
    at += body.length;
  }
  if (ttl !== undefined) for (let i = 0; i < records.ttls.length; i++) put32(target, start + records.ttls[i]!, ttl);
  if (records.owners !== undefined) {
    const length = head.questionEnd - head.questionStart - 4;
    for (const owner of records.owners)
      for (let i = 0; i < length; i++) target[start + owner + i] = query[head.questionStart + i]!;
  }
  return opt === undefined ? at : putOpt(target, at, opt, rcode);
}

/** Writes the header of a reply with one question. */
export function putHead(
  target: Uint8Array,
  head: ReplyHead,
  flags: number,
  rcode: number,
  counts: Pick<EncodedRecords, 'answers' | 'authorities' | 'additionals'>,
): void {
  target[0] = head.id >> 8;
  target[1] = head.id;
  const word = (flags & FROM_REPLY) | (head.queryFlags & REPEATED) | (rcode & RCODE_MASK);
  target[2] = word >> 8;
  target[3] = word;
  target[4] = 0;
  target[5] = 1;
  put16(target, 6, counts.answers);
  put16(target, 8, counts.authorities);
  put16(target, 10, counts.additionals);
}

/**
 * What our OPT record says to a client: its own payload size back, DO as asked (RFC 3225 section 3), and the options
 * that were agreed on.
 */
export interface OptReply {
  readonly udpSize: Octets;
  readonly do: boolean;
  /** Options in wire form. */
  readonly options: Uint8Array | undefined;
}

/** Length of the OPT record, in octets. */
export const optReplyLength = (opt: OptReply): Octets =>
  OPT_SIZE + (opt.options === undefined ? 0 : opt.options.length);

/** Writes the OPT record of a reply at `at`; returns the offset after it. */
export function putOpt(target: Uint8Array, at: number, opt: OptReply, rcode: number): number {
  target[at] = 0;
  put16(target, at + 1, Type.OPT);
  put16(target, at + 3, opt.udpSize);
  target[at + 5] = rcode >> 4;
  target[at + 6] = 0;
  target[at + 7] = opt.do ? 0x80 : 0;
  target[at + 8] = 0;
  const length = opt.options === undefined ? 0 : opt.options.length;
  put16(target, at + 9, length);
  if (opt.options !== undefined) target.set(opt.options, at + OPT_SIZE);
  return at + OPT_SIZE + length;
}

function put16(target: Uint8Array, at: number, value: number): void {
  target[at] = value >> 8;
  target[at + 1] = value;
}

function put32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >> 24;
  target[at + 1] = value >> 16;
  target[at + 2] = value >> 8;
  target[at + 3] = value;
}
