import { describe, expect, it } from 'vitest';
import {
  DsoType,
  decodeDso,
  dsoKeepAlive,
  dsoTime,
  encodeName,
  encodeDso,
  explained,
  extendedError,
  isDso,
  nameIn,
  namesOfPush,
  pushMessages,
} from '../../src/wire/index.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const KEEP_ALIVE = { id: 0x1234, response: true, rcode: 3, tlvs: [{ type: DsoType.KeepAlive, data: dsoTime(7) }] };
const bytes = (): Buffer => encodeDso(KEEP_ALIVE, 0);

describe('a stateful operation', () => {
  // RFC 8490 section 5.4: opcode 6, no counts, then type, length and data of each.
  it.each([
    { prefix: 0, want: '1234b0030000000000000000' + '0001000400000007' },
    { prefix: 2, want: '00001234b0030000000000000000' + '0001000400000007' },
  ] as const)('is written behind $prefix bytes, and read again', ({ prefix, want }) => {
    const made = encodeDso(KEEP_ALIVE, prefix);
    expect(hex(made)).toBe(want);
    expect(isDso(made.subarray(prefix))).toBe(true);
    const { tlvs, ...head } = decodeDso(made.subarray(prefix));
    expect([head, tlvs.map(({ type, data }) => [type, hex(data)])]).toEqual([
      { id: 0x1234, response: true, rcode: 3 },
      [[DsoType.KeepAlive, '00000007']],
    ]);
  });

  it('may be two, of which the second has no data', () => {
    const tlvs = [...KEEP_ALIVE.tlvs, { type: DsoType.SubscribeZone, data: new Uint8Array(0) }];
    const read = decodeDso(encodeDso({ ...KEEP_ALIVE, response: false, tlvs }, 0));
    expect([read.response, read.tlvs.map(({ type, data }) => [type, data.length])]).toEqual([
      false,
      [
        [DsoType.KeepAlive, 4],
        [DsoType.SubscribeZone, 0],
      ],
    ]);
  });

  it.each([
    { name: 'a query', change: (it: Buffer) => it.writeUInt16BE(0x0100, 2), size: 12, want: false },
    { name: 'NOTIFY', change: (it: Buffer) => it.writeUInt16BE(0x2000, 2), size: 12, want: false },
    { name: 'a header', change: () => undefined, size: 12, want: true },
    { name: 'less than a header', change: () => undefined, size: 11, want: false },
  ])('is told by its header: $name, $want', ({ change, size, want }) => {
    const made = bytes();
    change(made);
    expect(isDso(made.subarray(0, size))).toBe(want);
  });

  it.each([
    { name: 'less than a header', made: () => bytes().subarray(0, 11), error: 'message shorter than a header' },
    ...[4, 11].map((at) => ({
      name: `a count at byte ${at}`,
      made: () => Buffer.from(bytes()).fill(1, at, at + 1),
      error: 'count other than 0 in a stateful operation',
    })),
    { name: 'half of an operation', made: () => bytes().subarray(0, 15), error: 'half of a header' },
    { name: 'data that is cut', made: () => bytes().subarray(0, 19), error: 'runs past the end of the message' },
  ])('is refused with $name', ({ made, error }) => expect(() => decodeDso(made())).toThrow(error));

  it('has times of 32 bits, the same twice to keep a connection', () => {
    expect(hex(dsoTime(0x81020304))).toBe('81020304');
    expect(hex(dsoKeepAlive(0x01fffefd))).toBe('01fffefd01fffefd');
  });
});

describe('a push', () => {
  it.each([0, 2] as const)('says of each name that all its records are gone, behind %i bytes', (prefix) => {
    const [message, ...more] = pushMessages(['a.', 'b.example.'], prefix);
    expect(more).toEqual([]);
    const { id, response, rcode, tlvs } = decodeDso(message!.subarray(prefix));
    expect([id, response, rcode, tlvs.length, tlvs[0]!.type]).toEqual([0, false, 0, 1, DsoType.Push]);
    // RFC 8765 section 6.3.1: type ANY, class IN, a TTL of FFFFFFFE and no data.
    expect(hex(tlvs[0]!.data.subarray(0, 13))).toBe('016100' + '00ff0001fffffffe0000');
    expect(namesOfPush(tlvs[0]!.data)).toEqual(['a.', 'b.example.']);
  });

  it('is none without names, and several with many, each of little more than 16,000 bytes', () => {
    expect(pushMessages([], 0)).toEqual([]);
    const names = Array.from({ length: 5000 }, (_, i) => `name${i}.example.`);
    const messages = pushMessages(names, 0);
    const sizes = messages.map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThan(16_300);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(16_000);
    expect(messages.flatMap((message) => namesOfPush(decodeDso(message).tlvs[0]!.data))).toEqual(names);
  });

  it.each([
    { name: 'a record that is cut', data: '016100' + '00ff0001fffffffe00', error: 'runs past the end of a push' },
    { name: 'data that is cut', data: '016100' + '00010001000000050004c00002', error: 'runs past the end of a push' },
    { name: 'a compressed name', data: '016100' + '00ff0001fffffffe0000' + 'c000', error: 'compressed name in a push' },
  ])('is refused with $name', ({ data, error }) => expect(() => namesOfPush(Buffer.from(data, 'hex'))).toThrow(error));

  it('may have more than 255 bytes of data', () =>
    expect(
      namesOfPush(
        Buffer.from('016100' + '00100001000000050102' + 'ff'.repeat(258) + '016200' + '00ff0001fffffffe0000', 'hex'),
      ),
    ).toEqual(['a.', 'b.']));

  it('may tell what the data are', () =>
    expect(
      namesOfPush(Buffer.from('014100' + '00010001000000050004c0000201' + '016200' + '00ff0001fffffffe0000', 'hex')),
    ).toEqual(['a.', 'b.']));
});

describe('the name of an operation', () => {
  it('is read in lower case', () => expect(nameIn(encodeName('A.Example.'))).toBe('a.example.'));
  it.each([
    { name: 'more', data: Buffer.concat([encodeName('a.'), Buffer.alloc(1)]) },
    { name: 'a pointer', data: Buffer.from('0161c000', 'hex') },
  ])('is refused with $name', ({ data }) => expect(() => nameIn(data)).toThrow());
});

describe('an extended error', () => {
  it.each([
    { name: 'a code alone', code: 22, text: undefined, want: '0016' },
    { name: 'a code above 255 with a text', code: 258, text: 'a\u00fc', want: '010261c3bc' },
  ])('is $name', ({ code, text, want }) => {
    const { code: option, data } = extendedError(code, text);
    expect([option, hex(data)]).toEqual([15, want]);
  });

  it('has a text of at most 200 bytes', () =>
    expect([199, 200, 201].map((length) => extendedError(0, 'x'.repeat(length)).data.length)).toEqual([201, 202, 202]));

  it('tells a client who sent an OPT record, and nothing else', () =>
    expect(explained(14, 'busy')).toMatchObject({ udpSize: 0, version: 0, do: false, options: [{ code: 15 }] }));
});
