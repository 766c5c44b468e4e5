import { HEADER_SIZE, OPCODE_MASK, RCODE_MASK, Type } from './constants.js';
import { readOptions, type Edns } from './edns.js';
import { WireError } from './error.js';
import { MAX_RDATA, RECORD_FIXED, type Message, type Question, type Rr } from './message.js';
import { readName } from './name.js';
import { MAX_RDATA_GROWTH, copyRdata } from './rdata.js';

const scratch = Buffer.alloc(MAX_RDATA + MAX_RDATA_GROWTH);

/**
 * Reads a whole message. Octets after the last record are ignored, and so are counts of records that are not there
 * when the message ends
 * exactly before them, as the reference reads them. Throws a WireError for everything else that is not well-formed.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  return new Decoder(bytes).message();
}

/** Reads the question at `offset`; `end` is the offset after it. Throws a WireError. */
export function readQuestion(bytes: Uint8Array, offset: number): Question & { end: number } {
  const { name, end } = readName(bytes, offset);
  if (end + 4 > bytes.length) throw new WireError('question cut short', end);
  return { name, type: uint16(bytes, end), class: uint16(bytes, end + 2), end: end + 4 };
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

class Decoder {
  private at = HEADER_SIZE;
  private edns: Edns | undefined;
  private upperRcode = 0;

  constructor(private readonly bytes: Uint8Array) {}

  message(): Message {
    const { bytes } = this;
    if (bytes.length < HEADER_SIZE) throw new WireError('message shorter than its header', bytes.length);
    const word = uint16(bytes, 2);
    const question = this.questions(uint16(bytes, 4));
    const answer = this.records(uint16(bytes, 6));
    const authority = this.records(uint16(bytes, 8));
    const additional = this.records(uint16(bytes, 10));
    return {
      id: uint16(bytes, 0),
      flags: word & ~RCODE_MASK,
      rcode: (this.upperRcode << 4) | (word & RCODE_MASK),
      question,
      answer,
      authority,
      additional,
      edns: this.edns,
    };
  }

  private questions(count: number): Question[] {
    const questions: Question[] = [];
    for (let i = 0; i < count && this.at < this.bytes.length; i++) {
      const { end, ...question } = readQuestion(this.bytes, this.at);
      questions.push(question);
      this.at = end;
    }
    return questions;
  }

  private records(count: number): Rr[] {
    const records: Rr[] = [];
    for (let i = 0; i < count && this.at < this.bytes.length; i++) {
      const record = this.record();
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** Reads one record; an OPT record is taken apart and gives undefined. */
  private record(): Rr | undefined {
    const { bytes } = this;
    const { name, end } = readName(bytes, this.at);
    const data = end + RECORD_FIXED;
    if (data > bytes.length) throw new WireError('record cut short', end);
    const type = uint16(bytes, end);
    const length = uint16(bytes, end + 8);
    if (data + length > bytes.length) throw new WireError('record data runs past the end of the message', end + 8);
    this.at = data + length;
    if (type === Type.OPT) {
      this.opt(end, length);
      return undefined;
    }
    const size = copyRdata(type, bytes, data, length, scratch, 0);
    return {
      name,
      type,
      class: uint16(bytes, end + 2),
      ttl: uint32(bytes, end + 4),
      rdata: Uint8Array.prototype.slice.call(scratch, 0, size),
    };
  }

  private opt(at: number, length: number): void {
    const { bytes } = this;
    // A second OPT is an error (RFC 6891 section 6.1.1).
    if (this.edns) throw new WireError('more than one OPT record', at);
    this.upperRcode = bytes[at + 4]!;
    this.edns = {
      udpSize: uint16(bytes, at + 2),
      version: bytes[at + 5]!,
      do: (bytes[at + 6]! & 0x80) !== 0,
      options: readOptions(bytes, at + RECORD_FIXED, length),
    };
  }
}

/** The opcode in a header's second word. */
export const opcodeOf = (flags: number): number => (flags & OPCODE_MASK) >> 11;
