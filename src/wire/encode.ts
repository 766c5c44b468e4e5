import { copyOctets } from '../lib/octets.js';
import type { Octets } from '../lib/units.js';
import { HEADER_SIZE, MAX_MESSAGE_SIZE, RCODE_MASK } from './constants.js';
import { writeOpt } from './edns.js';
import { WireError } from './error.js';
import { MAX_RDATA, SECTIONS, type Message, type Question, type Rr } from './message.js';
import { writeName } from './name.js';
import { rdataLayout, type Layout } from './rdata.js';

/** Pointers reach the first 16 KiB of a message (RFC 1035 section 4.1.4). */
const POINTER_REACH = 0x4000;

/** Room for one record past the limit, so that its length is known before it is refused. */
const scratch = Buffer.alloc(2 * MAX_MESSAGE_SIZE + 1024);

/**
 * Writes a message. With `compress`, names are replaced by pointers where that is allowed (RFC 1035 section 4.1.4,
 * RFC 3597 section 4).
 * Throws a WireError when a name breaks its limits or the message is longer than 65,535 octets.
 */
export function encodeMessage(message: Message, compress = false): Buffer {
  const writer = new MessageWriter(compress);
  writer.header(message);
  for (const question of message.question) writer.question(question);
  for (const section of SECTIONS) for (const record of message[section]) writer.record(record);
  if (message.edns) writer.at = writeOpt(message.edns, message.rcode, scratch, writer.at);
  if (writer.at > MAX_MESSAGE_SIZE) throw new WireError(`message of more than ${MAX_MESSAGE_SIZE} octets`, writer.at);
  return copyOctets(scratch, 0, writer.at);
}

/** Writes into the shared scratch buffer; one message at a time, which holds because nothing in here waits. */
class MessageWriter {
  at = HEADER_SIZE;
  private readonly places: Map<string, number> | undefined;

  constructor(compress: boolean) {
    this.places = compress ? new Map() : undefined;
  }

  header(message: Message): void {
    scratch.writeUInt16BE(message.id, 0);
    scratch.writeUInt16BE(message.flags | (message.rcode & RCODE_MASK), 2);
    scratch.writeUInt16BE(message.question.length, 4);
    scratch.writeUInt16BE(message.answer.length, 6);
    scratch.writeUInt16BE(message.authority.length, 8);
    scratch.writeUInt16BE(message.additional.length + (message.edns ? 1 : 0), 10);
  }

  question(question: Question): void {
    this.checkRoom(0);
    this.name(question.name);
    this.at = scratch.writeUInt16BE(question.type, this.at);
    this.at = scratch.writeUInt16BE(question.class, this.at);
  }

  record(record: Rr): void {
    this.checkRoom(record.rdata.length);
    this.name(record.name);
    this.at = scratch.writeUInt16BE(record.type, this.at);
    this.at = scratch.writeUInt16BE(record.class, this.at);
    this.at = scratch.writeUInt32BE(record.ttl, this.at);
    const length = this.at;
    this.at += 2;
    this.rdata(record);
    scratch.writeUInt16BE(this.at - length - 2, length);
  }

  /** Keeps what is written next inside the scratch buffer, whose end is twice as far as a message may reach. */
  private checkRoom(data: Octets): void {
    if (this.at > MAX_MESSAGE_SIZE) throw new WireError(`message of more than ${MAX_MESSAGE_SIZE} octets`, this.at);
    if (data > MAX_RDATA)
      throw new WireError(`record data of ${data} octets, at most ${MAX_RDATA} are allowed`, this.at);
  }

  private rdata({ type, rdata }: Rr): void {
    const shape = this.places === undefined ? undefined : rdataLayout(type);
    if (!shape?.compress || rdata.length === 0) {
      scratch.set(rdata, this.at);
      this.at += rdata.length;
      if (shape !== undefined) this.offerNames(shape, this.at - rdata.length);
      return;
    }
    let read = shape.skip;
    scratch.set(rdata.subarray(0, read), this.at);
    this.at += read;
    for (let i = 0; i < shape.names; i++) read = this.wireName(rdata, read);
    scratch.set(rdata.subarray(read), this.at);
    this.at += rdata.length - read;
  }

  private name(name: string): void {
    const start = this.at;
    const end = writeName(name, scratch, start);
    this.at = this.places === undefined ? end : this.squeeze(start);
  }

  private wireName(bytes: Uint8Array, from: number): number {
    let end = from;
    for (let length = bytes[end]; length !== 0; length = bytes[end]) {
      if (length === undefined) throw new WireError('record data ends inside a name', this.at);
      end += 1 + length;
    }
    scratch.set(bytes.subarray(from, end + 1), this.at);
    this.at = this.squeeze(this.at);
    return end + 1;
  }

  /**
   * Lets later names point to those in the data just written from `start` on, which themselves stay as they are. RFC
   * 3597 section 4 forbids to compress them, not to point to them, and CoreDNS does.
   */
  private offerNames({ skip, strings, names }: Layout, start: number): void {
    let at = start + skip;
    for (let i = 0; i < strings; i++) at += 1 + scratch[at]!;
    for (let i = 0; i < names; i++) {
      let end = at;
      while (end < this.at && scratch[end] !== 0) end += 1 + scratch[end]!;
      // What does not end here is no name: data of our own may be of any form.
      if (end >= this.at) return;
      for (; at < end; at += 1 + scratch[at]!) {
        const tail = scratch.toString('latin1', at, end);
        if (at < POINTER_REACH && !this.places!.has(tail)) this.places!.set(tail, at);
      }
      at = end + 1;
    }
  }

  /**
   * Cuts the name just written at `start` where its tail stands earlier in the message; returns the offset after it.
   * Tails are compared with their letter case, so that nobody's spelling changes.
   */
  private squeeze(start: number): number {
    const places = this.places!;
    let at = start;
    while (scratch[at] !== 0) {
      let end = at;
      while (scratch[end] !== 0) end += 1 + scratch[end]!;
      const tail = scratch.toString('latin1', at, end);
      const place = places.get(tail);
      if (place !== undefined) return scratch.writeUInt16BE(0xc000 | place, at);
      if (at < POINTER_REACH) places.set(tail, at);
      at += 1 + scratch[at]!;
    }
    return at + 1;
  }
}
