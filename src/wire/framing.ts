import type { Octets } from '../lib/units.js';
import { MAX_MESSAGE_SIZE } from './constants.js';
import { WireError } from './error.js';

/** Octets of the length field before each message on a stream (RFC 1035 section 4.2.2). */
export const FRAME_HEADER: Octets = 2;

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Takes a stream apart into messages (RFC 1035 section 4.2.2, RFC 7766 section 8): push what arrives, then call
 * `next` until it returns undefined.
 * A message that lies in one chunk is a view of it; only one that crosses chunks is copied, and what is kept of it
 * grows with the octets that
 * came, not with the length that was announced.
 */
export class FrameReader {
  private chunk = EMPTY;
  private at = 0;
  /** The start of a frame whose end has not come yet, its length field included. */
  private partial = EMPTY;
  private held = 0;

  /** Octets that have come and were not returned by `next` yet. */
  get buffered(): Octets {
    return this.held + this.chunk.length - this.at;
  }

  /** Bytes of memory that are kept for what has come and was not returned yet. */
  get kept(): Octets {
    return this.partial.length + (this.at < this.chunk.length ? this.chunk.length : 0);
  }

  push(chunk: Buffer): void {
    this.chunk = this.at < this.chunk.length ? Buffer.concat([this.chunk.subarray(this.at), chunk]) : chunk;
    this.at = 0;
  }

  /** The next whole message without its length field, perhaps of no octets; undefined until more is pushed. */
  next(): Buffer | undefined {
    if (this.held > 0) return this.complete();
    const { chunk, at } = this;
    const left = chunk.length - at;
    if (left >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + ((chunk[at]! << 8) | chunk[at + 1]!);
      if (end <= chunk.length) {
        this.at = end;
        return chunk.subarray(at + FRAME_HEADER, end);
      }
    }
    if (left > 0) this.hold(left);
    return undefined;
  }

  private complete(): Buffer | undefined {
    if (!this.holdUpTo(FRAME_HEADER)) return undefined;
    const end = FRAME_HEADER + ((this.partial[0]! << 8) | this.partial[1]!);
    if (!this.holdUpTo(end)) return undefined;
    const frame = this.partial.subarray(FRAME_HEADER, end);
    this.partial = EMPTY;
    this.held = 0;
    return frame;
  }

  /** Moves octets over until `total` are held; false when there are not enough. */
  private holdUpTo(total: Octets): boolean {
    if (this.held < total) this.hold(Math.min(total - this.held, this.chunk.length - this.at));
    return this.held >= total;
  }

  private hold(count: Octets): void {
    const needed = this.held + count;
    if (needed > this.partial.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.partial.length));
      this.partial.copy(larger, 0, 0, this.held);
      this.partial = larger;
    }
    this.chunk.copy(this.partial, this.held, this.at, this.at + count);
    this.at += count;
    this.held = needed;
    if (this.at === this.chunk.length) {
      this.chunk = EMPTY;
      this.at = 0;
    }
  }
}

/** The message with its length field before it. Throws a WireError when it is longer than 65,535 octets. */
export function frame(message: Uint8Array): Buffer {
  if (message.length > MAX_MESSAGE_SIZE)
    throw new WireError(`message of more than ${MAX_MESSAGE_SIZE} octets`, MAX_MESSAGE_SIZE);
  const framed = Buffer.allocUnsafe(FRAME_HEADER + message.length);
  framed[0] = message.length >> 8;
  framed[1] = message.length & 0xff;
  framed.set(message, FRAME_HEADER);
  return framed;
}
