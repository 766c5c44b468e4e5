import { copyOctets } from '../lib/octets.js';
import type { Seconds } from '../lib/units.js';
import { HEADER_SIZE, RCODE_MASK, Type } from './constants.js';
import { decodeMessage } from './decode.js';
import { readOptions, type Edns } from './edns.js';
import { WireError } from './error.js';
import { MAX_RDATA, RECORD_FIXED, SECTIONS, type Message, type Rr } from './message.js';
import { copied, copyName, encodeName, writeName } from './name.js';
import { copyRdata } from './rdata.js';

/**
 * The records of a reply in wire form, ready to be put behind anybody's header and question: all names are written
 * out, so nothing
 * in it depends on where it will stand. The OPT record is left out, each sender writes its own.
 */
export interface EncodedRecords {
  readonly bytes: Uint8Array;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** Offsets in `bytes` of the TTL fields. */
  readonly ttls: readonly number[];
  /** Offsets in `bytes` of owner names that repeat the question's and take over its letter case when sent. */
  readonly owners?: readonly number[];
}

export const NO_RECORDS: EncodedRecords = {
  bytes: new Uint8Array(0),
  answers: 0,
  authorities: 0,
  additionals: 0,
  ttls: [],
};

/** A reply taken apart into what the header says, the records, and the OPT record. */
export interface EncodedReply {
  /** Second header word without rcode bits. */
  readonly flags: number;
  readonly rcode: number;
  readonly records: EncodedRecords;
  readonly edns: Edns | undefined;
}

const MAX_EXPANDED = 1 << 18;
// One record may be written past the limit before it is refused: owner, fixed part, and data whose names grow.
const scratch = Buffer.alloc(MAX_EXPANDED + 0xffff + 1024);

/** Encodes the records of a message. Throws a WireError when a name breaks its limits. */
export function encodeRecords(message: Pick<Message, 'answer' | 'authority' | 'additional'>): EncodedRecords {
  const ttls: number[] = [];
  let at = 0;
  for (const section of SECTIONS) {
    for (const record of message[section]) {
      if (at > MAX_EXPANDED) throw new WireError(`records of more than ${MAX_EXPANDED} octets`, at);
      at = writeRecord(record, scratch, at, ttls);
    }
  }
  if (at === 0) return NO_RECORDS;
  return {
    bytes: copyOctets(scratch, 0, at),
    answers: message.answer.length,
    authorities: message.authority.length,
    additionals: message.additional.length,
    ttls,
  };
}

function writeRecord(record: Rr, target: Buffer, at: number, ttls: number[]): number {
  if (record.rdata.length > MAX_RDATA)
    throw new WireError(`record data of ${record.rdata.length} octets, at most ${MAX_RDATA} are allowed`, at);
  let write = writeName(record.name, target, at);
  write = target.writeUInt16BE(record.type, write);
  write = target.writeUInt16BE(record.class, write);
  ttls.push(write);
  write = target.writeUInt32BE(record.ttl, write);
  write = target.writeUInt16BE(record.rdata.length, write);
  target.set(record.rdata, write);
  return write + record.rdata.length;
}

/**
 * TSIG (RFC 8945 section 5.1) and SIG(0) (RFC 2931 section 3) sign one message between two hosts; they are no data of
 * the zone, and no third host's business.
 */
const isTransactionSignature = (type: number, section: number): boolean =>
  type === Type.TSIG || (section === 2 && type === Type.SIG);

/**
 * Takes a received reply apart in one pass, without making an object per record. `records` is the offset after the
 * question.
 * Signatures of the message itself are left out. Throws a WireError for a malformed message; octets after the last record are ignored.
 */
export function expandReply(bytes: Uint8Array, records: number): EncodedReply {
  const word = (bytes[2]! << 8) | bytes[3]!;
  let answers = 0;
  let authorities = 0;
  let additionals = 0;
  let ttls: number[] = NO_TTLS;
  let edns: Edns | undefined;
  let upperRcode = 0;
  let read = records;
  let write = 0;
  for (let section = 0; section < 3; section++) {
    const count = (bytes[6 + 2 * section]! << 8) | bytes[7 + 2 * section]!;
    for (let i = 0; i < count && read < bytes.length; i++) {
      const end = copyName(bytes, read, scratch, write);
      const owner = copied.length;
      const data = end + RECORD_FIXED;
      if (data > bytes.length) throw new WireError('record cut short', end);
      const type = (bytes[end]! << 8) | bytes[end + 1]!;
      const length = (bytes[end + 8]! << 8) | bytes[end + 9]!;
      if (data + length > bytes.length) throw new WireError('record data runs past the end of the message', end + 8);
      read = data + length;
      if (type === Type.OPT) {
        if (edns) throw new WireError('more than one OPT record', end);
        upperRcode = bytes[end + 4]!;
        edns = {
          udpSize: (bytes[end + 2]! << 8) | bytes[end + 3]!,
          version: bytes[end + 5]!,
          do: (bytes[end + 6]! & 0x80) !== 0,
          options: length === 0 ? NO_OPTIONS : readOptions(bytes, data, length),
        };
        continue;
      }
      if (isTransactionSignature(type, section)) continue;
      write += owner;
      for (let k = 0; k < 8; k++) scratch[write + k] = bytes[end + k]!;
      // A list that starts empty and grows takes room for many; most replies have one record.
      if (ttls === NO_TTLS) ttls = [write + 4];
      else ttls.push(write + 4);
      const start = write + RECORD_FIXED;
      const stop = copyRdata(type, bytes, data, length, scratch, start);
      if (stop > MAX_EXPANDED) throw new WireError(`message that expands to more than ${MAX_EXPANDED} octets`, end);
      scratch.writeUInt16BE(stop - start, write + 8);
      write = stop;
      if (section === 0) answers++;
      else if (section === 1) authorities++;
      else additionals++;
    }
  }
  return {
    flags: word & ~RCODE_MASK,
    rcode: (upperRcode << 4) | (word & RCODE_MASK),
    records:
      write === 0 ? NO_RECORDS : { bytes: copyOctets(scratch, 0, write), answers, authorities, additionals, ttls },
    edns,
  };
}

const NO_OPTIONS: readonly never[] = [];
/** Never filled. */
const NO_TTLS: number[] = [];

/** Makes an object of each encoded record, by section. `ttl`, when given, is every record's TTL. */
export function decodeRecords(
  records: EncodedRecords,
  ttl?: Seconds,
): Record<'answer' | 'authority' | 'additional', Rr[]> {
  const head = Buffer.alloc(HEADER_SIZE);
  head.writeUInt16BE(records.answers, 6);
  head.writeUInt16BE(records.authorities, 8);
  head.writeUInt16BE(records.additionals, 10);
  const { answer, authority, additional } = decodeMessage(Buffer.concat([head, records.bytes]));
  const aged = (list: readonly Rr[]): Rr[] =>
    ttl === undefined ? [...list] : list.map((record) => ({ ...record, ttl }));
  return { answer: aged(answer), authority: aged(authority), additional: aged(additional) };
}

/**
 * The records with every owner that equals the question's name (letter case aside) marked to take over the question's
 * spelling.
 */
export function echoOwners(records: EncodedRecords, qname: string): EncodedRecords {
  const { bytes } = records;
  const wanted = encodeName(qname);
  const owners: number[] = [];
  let start = 0;
  for (const ttl of records.ttls) {
    if (ttl - 4 - start === wanted.length && sameName(bytes, start, wanted)) owners.push(start);
    start = ttl + 6 + ((bytes[ttl + 4]! << 8) | bytes[ttl + 5]!);
  }
  return owners.length === 0 ? records : { ...records, owners };
}

/** Whether the wire name at `at` equals `name`, letter case aside (RFC 4343). */
function sameName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  return name.every((octet, i) => lowerOctet(octet) === lowerOctet(bytes[at + i]!));
}

/** A length octet is at most 63 and so never taken for a letter. */
export const lowerOctet = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet);
