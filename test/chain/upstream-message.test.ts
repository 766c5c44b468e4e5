import { describe, expect, it } from 'vitest';
import { upstreamMessage } from '../../src/chain/upstream-message.js';
import { Query } from '../../src/chain/index.js';
import { Flag, decodeMessage, type EdnsOption } from '../../src/wire/index.js';
import { context, query } from '../support/dns.js';

const option = (code: number, length: number): EdnsOption => ({ code, data: Buffer.alloc(length, code) });
const NSID = 3;
const SUBNET = 8;
const COOKIE = 10;

describe('the payload size that an upstream is told', () => {
  it.each([
    { of: 65_535, want: 4096 },
    { of: 4096, want: 4096 },
    { of: 4095, want: 2048 },
    { of: 1500, want: 1400 },
    { of: 1399, want: 1232 },
    { of: 1231, want: 1024 },
    { of: 1023, want: 512 },
    { of: 100, want: 512 },
  ])('is $want for a client with $of', ({ of, want }) =>
    expect(decodeMessage(upstreamMessage(query('a.', 'A', { edns: of }))).edns?.udpSize).toBe(want),
  );
});

describe('options that an upstream is told', () => {
  it.each<{ name: string; options: EdnsOption[]; want: readonly number[] }>([
    { name: 'NSID and the subnet', options: [option(NSID, 0), option(SUBNET, 7)], want: [NSID, SUBNET] },
    { name: 'no cookie', options: [option(COOKIE, 8), option(NSID, 0)], want: [NSID] },
    {
      name: 'those for local use, and no others',
      options: [65_000, 65_001, 65_534, 65_535].map((code) => option(code, 1)),
      want: [65_001, 65_534],
    },
    {
      name: 'up to 512 octets with their heads',
      options: [option(65_001, 252), option(65_002, 252)],
      want: [65_001, 65_002],
    },
    { name: 'none where there is more', options: [option(65_001, 252), option(65_002, 253)], want: [] },
    { name: 'none that count', options: [option(COOKIE, 600), option(NSID, 0)], want: [NSID] },
  ])('$name', ({ options, want }) => {
    const { edns } = decodeMessage(upstreamMessage(query('a.', 'A', { edns: 1232, options })));
    expect(edns!.options.map(({ code }) => code)).toEqual(want);
    for (const { code, data } of edns!.options) {
      const sent = options.find((one) => one.code === code)!;
      expect(Buffer.from(data)).toEqual(Buffer.from(sent.data));
    }
  });
});

describe('the rest of the message', () => {
  const flagsOf = (message: Buffer): string[] => {
    const { flags } = decodeMessage(message);
    return (['RD', 'AD', 'CD', 'TC', 'RA'] as const).filter((name) => flags & Flag[name]);
  };
  it.each([
    { name: 'asks for recursion', asked: query('a.', 'A', { rd: false }), want: ['RD'] },
    { name: 'keeps AD and CD', asked: query('a.', 'A', { ad: true, cd: true }), want: ['RD', 'AD', 'CD'] },
    { name: 'hands no other flag on', asked: query('a.').withFlags(Flag.TC | Flag.RA, 0), want: ['RD'] },
  ])('$name', ({ asked, want }) => expect(flagsOf(upstreamMessage(asked))).toEqual(want));

  it('asks as the question was spelt, with DO where the client set it', () => {
    const sent = decodeMessage(upstreamMessage(query('Www.Example.', 'TXT', { edns: 1232, do: true })));
    expect([sent.question, sent.edns?.do]).toEqual([[{ name: 'Www.Example.', type: 16, class: 1 }], true]);
    expect(decodeMessage(upstreamMessage(query('a.', 'A', { edns: 1232 }))).edns?.do).toBe(false);
  });

  it.each([
    { name: 'a plain query goes as it is', bytes: '1234 0100 0001 0000 0000 0000 0161 00 0001 0001', want: true },
    { name: 'with another count', bytes: '1234 0100 0001 0000 0000 0001 0161 00 0001 0001', want: false },
    { name: 'with another count of authority', bytes: '1234 0100 0001 0000 0001 0000 0161 00 0001 0001', want: false },
    { name: 'with octets behind it', bytes: '1234 0100 0001 0000 0000 0000 0161 00 0001 0001 00', want: false },
  ])('$name', ({ bytes, want }) => {
    const asked = new Query(Buffer.from(bytes.replaceAll(' ', ''), 'hex'), context());
    const sent = upstreamMessage(asked);
    expect(sent === asked.bytes).toBe(want);
    expect(sent.subarray(2).toString('hex')).toBe('01000001000000000000016100' + '00010001');
  });
});
