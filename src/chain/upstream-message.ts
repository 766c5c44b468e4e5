import type { Query } from './query.js';
import type { Octets } from '../lib/units.js';
import { Flag, HEADER_SIZE, OPCODE_MASK, OPT_SIZE, Type, type EdnsOption } from '../wire/index.js';

/**
 * Sizes that upstreams are told, largest first: few, so that clients who name sizes of their own make few questions
 * out of one. Below 512 there is none (RFC 6891 section 6.2.3).
 */
const SIZES: readonly Octets[] = [4096, 2048, 1400, 1232, 1024, 512];
/** Options longer than this together are left out. */
const MAX_OPTIONS: Octets = 512;

const NSID = 3;
const CLIENT_SUBNET = 8;
/** Local and experimental use (RFC 6891 section 9): what `rewrite` adds for an upstream of one's own. */
const LOCAL_FIRST = 65_001;
const LOCAL_LAST = 65_534;

/**
 * EDNS is between neighbours (RFC 6891 section 6.2.6). These options are an upstream's business all the same; cookies
 * (RFC 7873), keepalive, padding and unknown ones are not.
 */
const isPassedOn = ({ code }: EdnsOption): boolean =>
  code === NSID || code === CLIENT_SUBNET || (code >= LOCAL_FIRST && code <= LOCAL_LAST);

const NO_OPTIONS: readonly EdnsOption[] = [];

/**
 * The message that asks an upstream what a client asked, id aside: the question as it was spelt, RD set in a query, AD
 * and CD as they were; where the client sent an OPT record, one with the next lower size of the list, DO, and the options
 * that are passed on. Nothing else of the client's message goes further: no flags, no records, no trailing bytes.
 *
 * @throws WireError when the OPT record cannot be read
 */
export function upstreamMessage(query: Query): Buffer {
  const { bytes, questionEnd, queryFlags, hasEdns } = query;
  const opcode = queryFlags & OPCODE_MASK;
  const flags = opcode | (opcode === 0 ? Flag.RD : 0) | (queryFlags & (Flag.AD | Flag.CD));
  if (isPlain(bytes, questionEnd, flags)) return bytes;
  const options = hasEdns ? passedOn(query) : NO_OPTIONS;
  let size = questionEnd;
  if (hasEdns) size += OPT_SIZE;
  for (const { data } of options) size += 4 + data.length;
  const message = Buffer.allocUnsafe(size);
  // By hand: questions are short, and each call out of the engine takes longer.
  for (let i = 0; i < HEADER_SIZE; i++) message[i] = 0;
  message[2] = flags >> 8;
  message[3] = flags;
  message[5] = 1;
  for (let i = HEADER_SIZE; i < questionEnd; i++) message[i] = bytes[i]!;
  if (hasEdns) writeOptRecord(message, questionEnd, query, options);
  return message;
}

/** Whether a message is nothing but its question, with these flags. */
const isPlain = (bytes: Buffer, questionEnd: number, flags: number): boolean =>
  bytes.length === questionEnd &&
  ((bytes[2]! << 8) | bytes[3]!) === flags &&
  (bytes[6]! | bytes[7]! | bytes[8]! | bytes[9]! | bytes[10]! | bytes[11]!) === 0;

function passedOn(query: Query): readonly EdnsOption[] {
  const options = query.ednsOptions;
  if (options.length === 0) return NO_OPTIONS;
  const passed = options.filter(isPassedOn);
  return passed.reduce((sum, { data }) => sum + 4 + data.length, 0) > MAX_OPTIONS ? NO_OPTIONS : passed;
}

function writeOptRecord(message: Buffer, start: number, query: Query, options: readonly EdnsOption[]): void {
  const { udpSize } = query;
  const size = SIZES.find((candidate) => candidate <= udpSize) ?? SIZES.at(-1)!;
  message[11] = 1;
  message[start] = 0;
  message.writeUInt16BE(Type.OPT, start + 1);
  message.writeUInt16BE(size, start + 3);
  message.writeUInt32BE(query.do ? 0x8000 : 0, start + 5);
  message.writeUInt16BE(message.length - start - OPT_SIZE, start + 9);
  let at = start + OPT_SIZE;
  for (const { code, data } of options) {
    at = message.writeUInt16BE(code, at);
    at = message.writeUInt16BE(data.length, at);
    message.set(data, at);
    at += data.length;
  }
}
