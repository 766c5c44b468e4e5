import type { Octets } from '../../lib/units.js';

/** Bytes that came and are no whole thing yet. Holds what has come, whatever was announced. */
export class Gathering {
  private parts: Uint8Array[] = [];
  private held: Octets = 0;
  private need: Octets = 1;

  /** How much is held. */
  get size(): Octets {
    return this.held;
  }

  /** All that is held and the chunk behind it in one piece; undefined as long as that is less than was said. */
  add(chunk: Uint8Array): Buffer | undefined {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.held + bytes.length < this.need) {
      this.keep(bytes, this.need - this.held);
      return undefined;
    }
    const whole = this.held === 0 ? bytes : Buffer.concat([...this.parts, bytes]);
    this.parts = [];
    this.held = 0;
    this.need = 1;
    return whole;
  }

  /** Holds a copy of the bytes, until they and what comes are at least `need`. */
  keep(bytes: Uint8Array, need: Octets): void {
    this.need = this.held + need;
    this.held += bytes.length;
    if (bytes.length > 0) this.parts.push(Uint8Array.from(bytes));
  }
}
