import { copyOctets } from '../lib/octets.js';
import type { Octets, Seconds } from '../lib/units.js';
import { Compressor } from './compressor.js';
import { Flag, HEADER_SIZE, MAX_MESSAGE_SIZE } from './constants.js';
import { lowerOctet, type EncodedRecords } from './encoded.js';
import { RECORD_FIXED } from './message.js';
import { rdataLayout, type Layout } from './rdata.js';
import { optReplyLength, putHead, putOpt, type OptReply, type ReplyHead } from './reply.js';

/** Where the question's name stands in every message. */
const QUESTION = 0xc000 | HEADER_SIZE;

/** Room for one record past the longest message, so that its length is known before it is left out. */
const scratch = Buffer.alloc(2 * MAX_MESSAGE_SIZE + 1024);
const names = new Compressor(scratch);

/** Compressed records as they were written behind one question, within one limit. */
interface Fitted {
  /** The question, in its letter case: pointers lead into it. */
  readonly question: Uint8Array;
  /** What header, question and records may take. */
  readonly room: Octets;
  readonly bytes: Uint8Array;
  /** Offsets in `bytes` of the TTL fields, one for each record that is there. */
  readonly ttls: readonly number[];
}

/** What was fitted last, for as long as the records live: they are those of a cache or a zone mostly. */
const fitted = new WeakMap<EncodedRecords, readonly Fitted[]>();
/** Limits that are remembered for the same records: those of plain clients and of two kinds with EDNS. */
const LIMITS = 3;
/** What is longer is written for one client over TCP, and not kept. */
const LONGEST_KEPT: Octets = 4096;

/**
 * The whole reply with its names compressed where that is allowed (RFC 1035 section 4.1.4, RFC 3597 section 4). Records
 * that do not fit `limit` are left out from the end of the last section backwards, and TC is set then (RFC 2181 section
 * 9); the OPT record always stays (RFC 6891 section 7). Works on the encoded form: what it costs grows with what is
 * written, not with what is left out, and the same once more costs a copy. Parameters are those of `writeReply`.
 * @param prefix bytes to leave free in front of the message
 */
export function fitReply(
  head: ReplyHead,
  flags: number,
  rcode: number,
  records: EncodedRecords,
  ttl: Seconds | undefined,
  opt: OptReply | undefined,
  limit: Octets,
  prefix: Octets,
): Buffer {
  const optLength = opt === undefined ? 0 : optReplyLength(opt);
  const room = limit - optLength;
  const { bytes, ttls } = recall(head, records, room) ?? fit(head, records, room);
  const { answers, authorities } = records;
  const kept = ttls.length;
  const question = head.questionEnd - head.questionStart;
  const reply = Buffer.allocUnsafe(prefix + HEADER_SIZE + question + bytes.length + optLength);
  const target = prefix === 0 ? reply : reply.subarray(prefix);
  putHead(target, head, kept < records.ttls.length ? flags | Flag.TC : flags, rcode, {
    answers: Math.min(kept, answers),
    authorities: Math.min(Math.max(0, kept - answers), authorities),
    additionals: Math.max(0, kept - answers - authorities) + (opt === undefined ? 0 : 1),
  });
  for (let i = 0; i < question; i++) target[HEADER_SIZE + i] = head.bytes[head.questionStart + i]!;
  const start = HEADER_SIZE + question;
  target.set(bytes, start);
  if (ttl !== undefined) for (const field of ttls) target.writeUInt32BE(ttl, start + field);
  if (opt !== undefined) putOpt(target, start + bytes.length, opt, rcode);
  return reply;
}

function recall(head: ReplyHead, records: EncodedRecords, room: Octets): Fitted | undefined {
  return fitted.get(records)?.find((one) => one.room === room && isQuestion(head, one.question));
}

function fit(head: ReplyHead, records: EncodedRecords, room: Octets): Fitted {
  const begin = writeQuestion(head);
  const ttls: number[] = [];
  let at = begin;
  for (let i = 0, start = 0; i < records.ttls.length; i++) {
    const end = writeRecord(head, records, start, i, at);
    if (end > room) break;
    ttls.push(ttlField - begin);
    at = end;
    start = endOf(records, i);
  }
  const { bytes, questionStart, questionEnd } = head;
  const made = { question: bytes.slice(questionStart, questionEnd), room, bytes: copyOctets(scratch, begin, at), ttls };
  if (at <= LONGEST_KEPT) fitted.set(records, [made, ...(fitted.get(records) ?? [])].slice(0, LIMITS));
  return made;
}

function isQuestion({ bytes, questionStart, questionEnd }: ReplyHead, question: Uint8Array): boolean {
  if (question.length !== questionEnd - questionStart) return false;
  for (let i = 0; i < question.length; i++) if (question[i] !== bytes[questionStart + i]) return false;
  return true;
}

function writeQuestion({ bytes, questionStart, questionEnd }: ReplyHead): number {
  names.reset();
  let at = names.write(bytes, questionStart, questionEnd, HEADER_SIZE);
  for (let i = questionEnd - 4; i < questionEnd; i++) scratch[at++] = bytes[i]!;
  return at;
}

/** Offset after record `i` in the encoded form. */
const endOf = ({ bytes, ttls }: EncodedRecords, i: number): number =>
  ttls[i]! + 6 + ((bytes[ttls[i]! + 4]! << 8) | bytes[ttls[i]! + 5]!);

/** Where `writeRecord` has put the TTL. */
let ttlField = 0;

/** Writes record `i`, which starts at `start` of the encoded form, to `at`; returns the offset after it. */
function writeRecord(head: ReplyHead, records: EncodedRecords, start: number, i: number, at: number): number {
  const { bytes } = records;
  const fixed = records.ttls[i]! - 4;
  let write = writeOwner(head, records, start, fixed, at);
  for (let k = 0; k < RECORD_FIXED; k++) scratch[write + k] = bytes[fixed + k]!;
  ttlField = write + 4;
  const data = write + RECORD_FIXED;
  write = writeData(bytes, (bytes[fixed]! << 8) | bytes[fixed + 1]!, fixed + RECORD_FIXED, endOf(records, i), data);
  scratch[data - 2] = (write - data) >> 8;
  scratch[data - 1] = write - data;
  return write;
}

/** The owner is nearly always the question's name, or takes over its letter case: a pointer, without a search. */
function writeOwner(head: ReplyHead, records: EncodedRecords, start: number, end: number, at: number): number {
  const { bytes, owners } = records;
  const length = end - start;
  if (length > 1 && isAsked(head, bytes, start, length, owners !== undefined)) {
    scratch[at] = QUESTION >> 8;
    scratch[at + 1] = QUESTION & 0xff;
    return at + 2;
  }
  return names.write(bytes, start, end, at);
}

/** Whether the name is the question's, letter for letter or, with `anyCase`, letter case aside (RFC 4343). */
function isAsked(head: ReplyHead, bytes: Uint8Array, start: number, length: number, anyCase: boolean): boolean {
  if (length !== head.questionEnd - 4 - head.questionStart) return false;
  for (let k = 0; k < length; k++) {
    const own = bytes[start + k]!;
    const asked = head.bytes[head.questionStart + k]!;
    if (own !== asked && !(anyCase && lowerOctet(own) === lowerOctet(asked))) return false;
  }
  return true;
}

function writeData(bytes: Uint8Array, type: number, from: number, end: number, at: number): number {
  let read = from;
  let write = at;
  const shape = rdataLayout(type);
  if (shape?.compress === true && end > from) {
    for (const stop = from + shape.skip; read < stop; read++) scratch[write++] = bytes[read]!;
    for (let i = 0; i < shape.names; i++) {
      write = names.write(bytes, read, end, write);
      while (bytes[read] !== 0) read += 1 + bytes[read]!;
      read++;
    }
  }
  if (end - read > 32) {
    scratch.set(bytes.subarray(read, end), write);
    write += end - read;
  } else while (read < end) scratch[write++] = bytes[read++]!;
  if (shape?.compress === false) offerNames(shape, at, write);
  return write;
}

function offerNames({ skip, strings, names: count }: Layout, start: number, end: number): void {
  let at = start + skip;
  for (let i = 0; i < strings && at < end; i++) at += 1 + scratch[at]!;
  for (let i = 0; i < count && at < end; i++) at = names.offer(at, end);
}
