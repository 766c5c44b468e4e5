import type { Octets } from '../../lib/units.js';
import { TextPool } from './text-pool.js';

/** How a field is written (protobuf.dev, "Encoding", message structure). Groups, 3 and 4, are not in use. */
export const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

const TEXTS = new TextPool();

/** A varint holds 64 bits, seven to a byte. */
export const MAX_VARINT: Octets = 10;

/**
 * Reads protocol buffers from bytes that nobody vouches for: nothing is read beyond `end`. All methods throw a
 * SyntaxError for what cannot be.
 */
export class ProtobufCursor {
  constructor(
    readonly bytes: Buffer,
    /** Where it stands. */
    public at: number,
    readonly end: number,
  ) {}

  /** An unsigned integer; beyond 2^53 the nearest that a number can be. */
  varint(end: number = this.end): number {
    const { bytes, at } = this;
    if (at < end && bytes[at]! < 0x80) {
      this.at = at + 1;
      return bytes[at]!;
    }
    if (at + 1 < end && bytes[at + 1]! < 0x80) {
      this.at = at + 2;
      return (bytes[at]! & 0x7f) | (bytes[at + 1]! << 7);
    }
    return this.longVarint(end);
  }

  private longVarint(end: number): number {
    const { bytes } = this;
    let { at } = this;
    const last = Math.min(end, at + MAX_VARINT);
    for (let value = 0, weight = 1; at < last; weight *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
    }
    throw new SyntaxError(
      at - this.at < MAX_VARINT ? 'protobuf: a number is cut short' : 'protobuf: a number of more than 64 bits',
    );
  }

  /** The number of a field, from 1, times eight, with its {@link WireType}. */
  tag(end: number = this.end): number {
    const tag = this.varint(end);
    if (tag < 8 || tag > 0xffff_ffff) throw new SyntaxError(`protobuf: no field has the tag ${tag}`);
    return tag;
  }

  /** Reads the length of a field and returns where it ends. */
  lengthEnd(end: number = this.end): number {
    const length = this.varint(end);
    if (length > end - this.at)
      throw new SyntaxError(`protobuf: a field of ${length} bytes where ${end - this.at} are left`);
    return this.at + length;
  }

  skip(wireType: number, end: number = this.end): void {
    if (wireType === WireType.Varint) this.varint(end);
    else if (wireType === WireType.Bytes) this.at = this.lengthEnd(end);
    else {
      const size = wireType === WireType.Fixed64 ? 8 : wireType === WireType.Fixed32 ? 4 : 0;
      if (size === 0) throw new SyntaxError(`protobuf: wire type ${wireType} is unknown`);
      if (size > end - this.at) throw new SyntaxError('protobuf: a number is cut short');
      this.at += size;
    }
  }

  /** UTF-8; what is none becomes U+FFFD. */
  text(end: number = this.end): string {
    const stop = this.lengthEnd(end);
    const text = TEXTS.text(this.bytes, this.at, stop);
    this.at = stop;
    return text;
  }

  /** The same, for text that hardly repeats. */
  fresh(end: number = this.end): string {
    const stop = this.lengthEnd(end);
    const text = this.bytes.toString('utf8', this.at, stop);
    this.at = stop;
    return text;
  }
}
