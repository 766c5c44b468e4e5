/** Lowers A to Z and leaves all other octets (RFC 4343); length octets are below 64 and stay. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet,
);

/** A name in wire form and lower case that is read label by label from its end, where the tree has its root. */
export class NamePath {
  /** The name, its closing octet included. */
  readonly bytes = new Uint8Array(256);
  /** Octets of the name, the closing one included. */
  length = 1;
  /** Number of labels, the root not counted. */
  count = 0;
  private readonly offsets = new Uint8Array(128);

  /** Takes the name at `at`, which is uncompressed and well-formed. */
  load(bytes: Uint8Array, at: number): this {
    let read = 0;
    this.count = 0;
    for (let left = bytes[at]!; left !== 0; left = bytes[at + read]!) {
      this.offsets[this.count++] = read;
      this.bytes[read++] = left;
      for (; left > 0; left--, read++) this.bytes[read] = LOWER[bytes[at + read]!]!;
    }
    this.bytes[read] = 0;
    this.length = read + 1;
    return this;
  }

  /** Offset of a label's length octet; label 0 is the last one before the root. */
  label(index: number): number {
    return this.offsets[this.count - 1 - index]!;
  }
}
