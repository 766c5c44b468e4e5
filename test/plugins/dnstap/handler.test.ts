import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { Dnstap, type TapParts } from '../../../src/plugins/dnstap/handler.js';
import { query } from '../../support/dns.js';

/** The fields of a protocol buffer by number; those of type 2 as bytes. */
function fields(bytes: Buffer): Record<number, bigint | Buffer> {
  const found: Record<number, bigint | Buffer> = {};
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    if ((key & 7) === 0) found[key >> 3] = varint();
    else {
      const length = (key & 7) === 5 ? 4 : Number(varint());
      found[key >> 3] = bytes.subarray(at, (at += length));
    }
  }
  return found;
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'seen',
  2: 'family',
  3: 'protocol',
  4: 'from',
  5: 'to',
  6: 'fromPort',
  7: 'toPort',
  8: 'querySeconds',
  9: 'queryNanoseconds',
  10: 'query',
  12: 'responseSeconds',
  13: 'responseNanoseconds',
  14: 'response',
};
/** A frame as dnstap.proto has it: fields of the payload, and of its message by their names. */
function told(frame: Buffer): { frame: Record<number, unknown>; message: Record<string, unknown> } {
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
  const { 14: inner, ...outer } = fields(frame.subarray(4));
  const shown = (value: bigint | Buffer): unknown =>
    typeof value === 'bigint' ? Number(value) : value.toString('hex');
  const text = (value: bigint | Buffer): unknown => (typeof value === 'bigint' ? Number(value) : value.toString());
  return {
    frame: Object.fromEntries(Object.entries(outer).map(([number, value]) => [number, text(value)])),
    message: Object.fromEntries(
      Object.entries(fields(inner as Buffer)).map(([number, value]) => [NAMES[Number(number)], shown(value)]),
    ),
  };
}

const NOW = Date.UTC(2026, 10, 22, 0, 0, 0, 250);
/** Nanoseconds are in four bytes, the lowest first. */
const nanoseconds = (number: number): string => Buffer.from(Uint32Array.of(number).buffer).toString('hex');
const AT = { querySeconds: NOW / 1000 - 0.25, queryNanoseconds: nanoseconds(250_000_000) };
const LATER = { responseSeconds: NOW / 1000 - 0.25, responseNanoseconds: nanoseconds(251_500_000) };
const [CLIENT_QUERY, CLIENT_RESPONSE, FORWARDER_QUERY, FORWARDER_RESPONSE] = [5, 6, 7, 8];
const [UDP, TCP, IPV4, IPV6] = [1, 2, 1, 2];

function tapped(parts: Partial<TapParts> = {}) {
  const clock = new ManualClock(NOW);
  const frames: Buffer[] = [];
  const tap = new Dnstap({
    clock,
    identity: 'here',
    version: 'nodens 1',
    extra: undefined,
    full: false,
    send: (frame) => frames.push(frame),
    ...parts,
  });
  const ask = async (asked: Query, answer: (asked: Query) => Outcome): Promise<Outcome> =>
    tap.handle(asked, async (same) => {
      await clock.advanceAsync(1.5);
      return answer(same);
    });
  return { tap, ask, told: () => frames.map(told), messages: () => frames.map((frame) => told(frame).message) };
}

const asked = query('www.example.org.');
const answered = (): Outcome => Reply.empty(3);

describe('dnstap', () => {
  it('tells of a query and its response', async () => {
    const { ask, told } = tapped();
    await ask(asked, answered);
    const about = { family: IPV4, protocol: UDP, from: '7f000001', fromPort: 40_212, ...AT };
    expect(told()).toEqual([
      { frame: { 1: 'here', 2: 'nodens 1', 15: 1 }, message: { seen: CLIENT_QUERY, ...about } },
      { frame: { 1: 'here', 2: 'nodens 1', 15: 1 }, message: { seen: CLIENT_RESPONSE, ...about, ...LATER } },
    ]);
  });

  it('tells the messages themselves where all is wanted', async () => {
    const { ask, messages } = tapped({ full: true });
    await ask(asked, answered);
    const [first, second] = messages();
    expect(first).toMatchObject({ seen: CLIENT_QUERY, query: Buffer.from(asked.bytes).toString('hex') });
    expect(first).not.toHaveProperty('response');
    expect(second!.response).toMatch(/^12348[0-9a-f]{2}3/);
    expect(second).not.toHaveProperty('query');
  });

  it('answers at once where the answer is there at once', () => {
    const { tap, messages } = tapped();
    const reply = answered();
    expect(tap.handle(asked, () => reply)).toBe(reply);
    expect(messages().map(({ seen }) => seen)).toEqual([CLIENT_QUERY, CLIENT_RESPONSE]);
  });

  it('tells of no response where none is sent', async () => {
    const { ask, messages } = tapped();
    expect(await ask(asked, () => DROP)).toBe(DROP);
    expect(messages().map(({ seen }) => seen)).toEqual([CLIENT_QUERY]);
  });

  it('adds what is asked for to each frame', async () => {
    const { ask, told } = tapped({ extra: ({ qname }) => `of ${qname}` });
    await ask(asked, answered);
    expect(told().map(({ frame }) => frame[3])).toEqual(['of www.example.org.', 'of www.example.org.']);
  });

  it.each([
    { name: 'IPv6', remote: '2001:db8::1', want: { family: IPV6, from: '20010db8000000000000000000000001' } },
    { name: 'IPv4 in IPv6', remote: '::ffff:192.0.2.1', want: { family: IPV4, from: 'c0000201' } },
    {
      name: 'nearly IPv4 in IPv6',
      remote: '::fffe:192.0.2.1',
      want: { family: IPV6, from: '00000000000000000000fffec0000201' },
    },
    { name: 'a zone', remote: 'fe80::1%eth0', want: { family: IPV6, from: 'fe800000000000000000000000000001' } },
    { name: 'a low port', remote: '192.0.2.1', port: 0, want: { fromPort: 0 } },
    { name: 'the last port', remote: '192.0.2.1', port: 65_535, want: { fromPort: 65_535 } },
  ])("tells a client's address: $name", async ({ remote, port, want }) => {
    const { ask, messages } = tapped();
    await ask(query('a.', 'A', { remote, port, transport: 'tcp' }), answered);
    expect(messages()).toEqual([
      expect.objectContaining({ ...want, protocol: TCP }),
      expect.objectContaining({ ...want, protocol: TCP }),
    ]);
  });

  it.each([
    {
      name: 'the messages',
      full: true,
      want: [
        { seen: FORWARDER_QUERY, query: '0102' },
        { seen: FORWARDER_RESPONSE, response: '0304', ...LATER },
      ],
    },
    { name: 'no messages', full: false, want: [{ seen: FORWARDER_QUERY }, { seen: FORWARDER_RESPONSE, ...LATER }] },
    { name: 'no answer', full: true, silent: true, want: [{ seen: FORWARDER_QUERY, query: '0102' }] },
  ])('tells of an exchange with an upstream: $name', ({ full, silent, want }) => {
    const { tap, messages } = tapped({ full });
    tap.tap({
      query: asked,
      protocol: 'tcp',
      from: { address: '10.0.0.1', port: 1024 },
      to: { address: 'fd00::53', port: 853 },
      sent: NOW,
      answered: silent ? undefined : NOW + 1.5,
      question: Uint8Array.of(1, 2),
      answer: silent ? undefined : Uint8Array.of(3, 4),
    });
    const ends = { from: '0a000001', fromPort: 1024, to: 'fd000000000000000000000000000053', toPort: 853 };
    expect(messages()).toEqual(want.map((one) => ({ family: IPV6, protocol: TCP, ...ends, ...AT, ...one })));
  });

  it('tells of an exchange from an end that is not known', () => {
    const { tap, messages } = tapped();
    const to = { address: '192.0.2.53', port: 53 };
    const nothing = { answered: undefined, answer: undefined };
    tap.tap({ query: asked, protocol: 'udp', from: undefined, to, sent: NOW, question: Uint8Array.of(1), ...nothing });
    const ends = { family: IPV4, protocol: UDP, to: 'c0000235', toPort: 53 };
    expect(messages()).toEqual([{ seen: FORWARDER_QUERY, ...ends, ...AT }]);
  });
});
