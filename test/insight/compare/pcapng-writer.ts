/** Makes captures of the newer form, for tests of what reads them (draft-ietf-opsawg-pcapng). */

type Option = readonly [code: number, data: readonly number[]];
export type Block =
  | { readonly kind: 'section'; readonly big: boolean }
  | { readonly kind: 'interface'; readonly link: number; readonly options: readonly Option[] }
  | {
      readonly kind: 'enhanced';
      readonly interface: number;
      /** In units of the interface. */
      readonly at: number;
      readonly bytes: Buffer;
      readonly captured?: number;
    }
  | { readonly kind: 'simple'; readonly bytes: Buffer; readonly length?: number }
  | { readonly kind: 'other' };

const TYPES = { section: 0x0a0d0d0a, interface: 1, simple: 3, enhanced: 6, other: 5 };

/** What a section begins with: its packets are of the big-endian form or not. */
export const section = (big = false): Block => ({ kind: 'section', big });

/** The blocks as a file; the first is a section. */
export function capture(blocks: readonly Block[]): Buffer {
  let big = false;
  const u16 = (value: number): Buffer => number(value, 2);
  const u32 = (value: number): Buffer => number(value, 4);
  const number = (value: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    if (big) bytes.writeUIntBE(value, 0, size);
    else bytes.writeUIntLE(value, 0, size);
    return bytes;
  };
  const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  const bodyOf = (block: Block): Buffer => {
    switch (block.kind) {
      case 'section':
        big = block.big;
        return Buffer.concat([u32(0x1a2b3c4d), u16(1), u16(0), Buffer.alloc(8, 0xff)]);
      case 'interface':
        return Buffer.concat([
          u16(block.link),
          u16(0),
          u32(0),
          ...block.options.flatMap(([code, data]) => [u16(code), u16(data.length), padded(Uint8Array.from(data))]),
        ]);
      case 'enhanced': {
        const [high, low] = [Math.floor(block.at / 2 ** 32), block.at % 2 ** 32];
        const captured = block.captured ?? block.bytes.length;
        return Buffer.concat([
          ...[block.interface, high, low, captured, block.bytes.length].map(u32),
          padded(block.bytes),
        ]);
      }
      case 'simple':
        return Buffer.concat([u32(block.length ?? block.bytes.length), padded(block.bytes)]);
      case 'other':
        return Buffer.alloc(8);
    }
  };
  return Buffer.concat(
    blocks.flatMap((block) => {
      const body = bodyOf(block);
      const length = u32(body.length + 12);
      return [u32(TYPES[block.kind]), length, body, length];
    }),
  );
}
