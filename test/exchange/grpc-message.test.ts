import { describe, expect, it } from 'vitest';
import { packetOf, readPacket } from '../../src/exchange/index.js';

const body = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
/** A call whose one field has so many octets, of which its length takes three. */
const long = (octets: number): Buffer => {
  const data = Buffer.alloc(octets);
  const length = Buffer.from([0x80 | (octets & 0x7f), 0x80 | ((octets >> 7) & 0x7f), octets >> 14]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + 3 + octets, 1);
  return Buffer.concat([head, Buffer.from([0x0a]), length, data]);
};

describe('the body of a call', () => {
  it.each([
    { name: 'a message', hex: '00 00000004 0a 02 abcd', want: 'abcd' },
    { name: 'no field', hex: '00 00000000', want: '' },
    { name: 'an empty field', hex: '00 00000002 0a 00', want: '' },
    { name: 'the last of two', hex: '00 00000006 0a 01 aa 0a 01 bb', want: 'bb' },
    { name: 'fields of other numbers and types before it', hex: `00 00000017 10 8001 19 ${'01'.repeat(8)} 25 ${'02'.repeat(4)} 12 01 cc 0a 01 dd`, want: 'dd' }, // prettier-ignore
  ])('holds $name', ({ hex, want }) => {
    const found = readPacket(body(hex));
    expect(Buffer.isBuffer(found) && found.toString('hex')).toBe(want);
  });

  it.each([0, 0x7f, 0x80, 0x3fff, 0x4000, 65_535])('is made of a message of %i octets, and read again', (octets) => {
    const message = Buffer.alloc(octets, 7);
    expect(readPacket(packetOf(message))).toEqual(message);
  });

  // Numbers of grpc.io/docs/guides/status-codes.
  it.each([
    { name: 'four octets', bytes: body('00 000000'), status: 13, reason: 'message cut short' },
    { name: 'less than it says', bytes: body('00 00000005 0a 02 abcd'), status: 13, reason: 'message cut short' },
    { name: 'more than it says', bytes: body('00 00000003 0a 02 abcd'), status: 13, reason: 'message cut short' },
    { name: 'compressed', bytes: body('01 00000004 0a 02 abcd'), status: 12, reason: 'compression is not supported' },
    {
      name: 'longer than any message',
      bytes: long(65_536),
      status: 8,
      reason: 'received message larger than max (65540 vs. 65539)',
    },
    { name: 'a field that runs past the end', bytes: body('00 00000003 0a 02 ab'), status: 13, reason: 'malformed message' }, // prettier-ignore
    { name: 'a tag that does not end', bytes: body('00 00000001 8a'), status: 13, reason: 'malformed message' },
    { name: 'a length that does not end', bytes: body('00 00000002 0a 80'), status: 13, reason: 'malformed message' },
    { name: 'a number of eleven octets', bytes: body(`00 0000000b ${'80'.repeat(10)}00`), status: 13, reason: 'malformed message' }, // prettier-ignore
    { name: 'a type that there is not', bytes: body('00 00000001 0b'), status: 13, reason: 'malformed message' },
  ])('is refused: $name', ({ bytes, status, reason }) => expect(readPacket(bytes)).toEqual({ status, reason }));

  it('may be as long as a message with its tag', () => expect(readPacket(long(65_535))).toHaveLength(65_535));
});
