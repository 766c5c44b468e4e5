import { decode } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { queryBytes, responsePacket, type InjectedQuery } from '../../src/plugin-api/packet.js';
import type { Message } from '../../src/wire/index.js';

/** OPT as a query carries it. */
const opt = (more: object): object => ({ type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, flag_do: false, ...more });

describe('an injected query', () => {
  const rows: { name: string; query: InjectedQuery; want: object }[] = [
    {
      name: 'asks with recursion, without EDNS',
      query: { name: 'a' },
      want: { id: 9, flags: 0x0100, additionals: [] },
    },
    { name: 'without recursion', query: { name: 'a', recursionDesired: false }, want: { flags: 0 } },
    { name: 'with checking disabled', query: { name: 'a', checkingDisabled: true }, want: { flags: 0x0110 } },
    { name: 'not with checking disabled', query: { name: 'a', checkingDisabled: false }, want: { flags: 0x0100 } },
    { name: 'with an id of its own', query: { name: 'a', id: 0 }, want: { id: 0 } },
    { name: 'with DO', query: { name: 'a', dnssecOk: true }, want: { additionals: [opt({ flag_do: true })] } },
    { name: 'with EDNS and no DO', query: { name: 'a', dnssecOk: false }, want: { additionals: [opt({})] } },
    {
      name: 'with a size',
      query: { name: 'a', udpPayloadSize: 512 },
      want: { additionals: [opt({ udpPayloadSize: 512 })] },
    },
    {
      name: 'with an option',
      query: { name: 'a', ednsOptions: [{ code: 65_001, data: Buffer.from('x') }] },
      want: { additionals: [opt({ options: [{ code: 65_001, data: Buffer.from('x') }] })] },
    },
    {
      name: 'for a type and a class',
      query: { name: 'version.bind.', type: 'TXT', class: 'CH' },
      want: { questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] },
    },
  ];
  it.each(rows)('$name', ({ query, want }) => expect(decode(queryBytes(query, 9))).toMatchObject(want));

  it.each([
    { text: 'hs', want: 4 },
    { text: 'CLASS300', want: 300 },
    { text: 'UNKNOWN_65535', want: 65_535 },
  ])('asks in class $text', ({ text, want }) =>
    expect(queryBytes({ name: 'a', class: text }, 9).readUInt16BE(12 + 3 + 2)).toBe(want),
  );
  it.each(['CLASS65536', 'CLASS', 'X', ''])("refuses class '%s'", (text) =>
    expect(() => queryBytes({ name: 'a', class: text }, 9)).toThrow('allowed: IN, CH, HS or ANY'),
  );
});

describe('a response in the names of dns-packet', () => {
  const message = (more: Partial<Message>): Message => ({
    id: 1,
    flags: 0x8000,
    rcode: 0,
    question: [],
    answer: [],
    authority: [],
    additional: [],
    ...more,
  });
  const edns = { udpSize: 4096, version: 0, do: false, options: [] };

  it.each([
    { name: 'QR', flags: 0x8000, want: { flag_qr: true, flag_aa: false, flags: 0 } },
    { name: 'AA', flags: 0x8400, want: { flag_aa: true, flag_tc: false, flags: 0x0400 } },
    { name: 'TC', flags: 0x8200, want: { flag_tc: true, flag_rd: false } },
    { name: 'RD', flags: 0x8100, want: { flag_rd: true, flag_ra: false } },
    { name: 'RA', flags: 0x8080, want: { flag_ra: true, flag_z: false } },
    { name: 'Z', flags: 0x8040, want: { flag_z: true, flag_ad: false } },
    { name: 'AD', flags: 0x8020, want: { flag_ad: true, flag_cd: false } },
    { name: 'CD', flags: 0x8010, want: { flag_cd: true, flag_qr: true, flag_aa: false } },
    { name: 'an opcode', flags: 0xa000, want: { opcode: 'NOTIFY' } },
    { name: 'an rcode', flags: 0x8000, rcode: 3, want: { rcode: 'NXDOMAIN', flags: 3, additionals: [] } },
    {
      name: 'an rcode of twelve bits (RFC 6891 section 6.1.3)',
      flags: 0x8000,
      rcode: 16,
      edns,
      want: { rcode: 'BADVERS', flags: 0, additionals: [{ type: 'OPT', extendedRcode: 1, flags: 0, flag_do: false }] },
    },
    {
      name: 'DO',
      flags: 0x8000,
      edns: { ...edns, do: true },
      want: { additionals: [{ name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0x8000 }] },
    },
  ])('has $name', ({ want, name: _, ...more }) => expect(responsePacket(message(more))).toMatchObject(want));
});
