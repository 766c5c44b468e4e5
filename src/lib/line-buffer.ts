import type { Octets } from './units.js';

const FIRST: Octets = 1 << 15;
const LINE_FEED = 10;

/** Lines that are put together byte by byte: of their parts no string is made, and one of all of them. */
export class LineBuffer {
  private bytes = Buffer.allocUnsafeSlow(FIRST);
  private length = 0;
  /** Whether there is anything but ASCII. */
  private wide = false;
  private count = 0;

  /** Number of lines that have ended. */
  get lines(): number {
    return this.count;
  }

  text(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let to = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return this.wideText(text);
      bytes[to++] = code;
    }
    this.length = to;
  }

  /** @param value whole, from 0 to 2^31 - 1 */
  decimal(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    this.reserve(digits);
    const { bytes, length } = this;
    let rest = value | 0;
    for (let to = length + digits - 1; to >= length; to--) {
      const next = (rest / 10) | 0;
      bytes[to] = 0x30 + rest - 10 * next;
      rest = next;
    }
    this.length = length + digits;
  }

  endLine(): void {
    this.reserve(1);
    this.bytes[this.length++] = LINE_FEED;
    this.count++;
  }

  /** All lines, which are gone from here then. */
  take(): string {
    const text = this.bytes.toString(this.wide ? 'utf8' : 'latin1', 0, this.length);
    this.length = 0;
    this.count = 0;
    this.wide = false;
    return text;
  }

  private wideText(text: string): void {
    this.wide = true;
    this.reserve(Buffer.byteLength(text));
    this.length += this.bytes.write(text, this.length);
  }

  private reserve(more: Octets): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
