/** Makes dnstap frames, for tests of what reads them. */

const varint = (value: number): Buffer =>
  value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(Math.floor(value / 128))]);

/** A field of a protobuf message; fixed ones hold ones. */
type Field = readonly [number: number, value: number | Buffer | 'fixed32' | 'fixed64'];

/** A protobuf message of these fields. */
const protobuf = (...fields: readonly Field[]): Buffer =>
  Buffer.concat(
    fields.map(([field, value]) =>
      typeof value === 'string'
        ? Buffer.concat([
            varint((field << 3) | (value === 'fixed32' ? 5 : 1)),
            Buffer.alloc(value === 'fixed32' ? 4 : 8, 1),
          ])
        : typeof value === 'number'
          ? Buffer.concat([varint(field << 3), varint(value)])
          : Buffer.concat([varint((field << 3) | 2), varint(value.length), value]),
    ),
  );

/** Four bytes, the highest first. */
export const length = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);

/** A data frame: 5 is CLIENT_QUERY, 6 CLIENT_RESPONSE; protocol 1 is UDP, 2 TCP. `more` stands before the query. */
export function dnstapFrame(type: number, query: Buffer, protocol = 1, more: readonly Field[] = []): Buffer {
  const message = protobuf([1, type], [3, protocol], [8, 1_700_000_000], ...more, [10, query]);
  const body = protobuf([1, Buffer.from('me')], [14, message], [15, 1]);
  return Buffer.concat([length(body.length), body]);
}
