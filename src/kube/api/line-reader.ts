import type { Octets } from '../../lib/units.js';

const NEWLINE = 0x0a;
const MAX_LINE: Octets = 8 * 1024 * 1024;

/**
 * Cuts a stream of bytes into the lines of a watch, one JSON event each. What follows the last newline is held back
 * until it is whole.
 */
export class LineReader {
  private parts: Uint8Array[] = [];
  private size: Octets = 0;

  /** Octets of a line that has begun and not ended. */
  get pending(): Octets {
    return this.size;
  }

  /** The lines that the chunk completes and that are not empty. Throws a RangeError when one grows beyond 8 MiB. */
  *read(chunk: Uint8Array): Generator<string> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.finish(bytes.subarray(start, end));
      if (line !== '') yield line;
      start = end + 1;
    }
    if (start < bytes.length) this.keep(new Uint8Array(bytes.subarray(start)));
  }

  private finish(last: Buffer): string {
    this.keep(last);
    // Most lines come in one piece, which needs no copy.
    const bytes = this.parts.length === 1 ? last : Buffer.concat(this.parts);
    this.parts = [];
    this.size = 0;
    return bytes.toString('utf8').trim();
  }

  private keep(part: Uint8Array): void {
    this.size += part.length;
    if (this.size > MAX_LINE) throw new RangeError(`a watch event is larger than ${MAX_LINE} octets`);
    this.parts.push(part);
  }
}
