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

  /** `onLine` gets the text of each complete line that is not empty. */
  constructor(private readonly onLine: (line: string) => void) {}

  /** Octets of a line that has begun and not ended. */
  get pending(): Octets {
    return this.size;
  }

  /** Throws a RangeError when a line grows beyond 8 MiB. What `onLine` throws passes through. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.finish(bytes.subarray(start, end));
      start = end + 1;
    }
    if (start < bytes.length) this.keep(bytes.subarray(start));
  }

  private finish(last: Buffer): void {
    let bytes = last;
    if (this.size > 0) {
      this.keep(last);
      bytes = Buffer.concat(this.parts);
      this.parts = [];
      this.size = 0;
    }
    const line = bytes.toString('utf8').trim();
    if (line !== '') this.onLine(line);
  }

  private keep(part: Buffer): void {
    this.size += part.length;
    if (this.size > MAX_LINE) throw new RangeError(`a watch event is larger than ${MAX_LINE} octets`);
    this.parts.push(Uint8Array.from(part));
  }
}
