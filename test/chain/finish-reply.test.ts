import { describe, expect, it } from 'vitest';
import { Reply, finishReply } from '../../src/chain/index.js';
import { Flag, decodeMessage } from '../../src/wire/index.js';
import { query, rrs, type QuestionOptions } from '../support/dns.js';

const NAME = 'www.example.org.';
const addresses = (count: number): Reply =>
  Reply.of(0, 0, { answer: rrs(...Array.from({ length: count }, (_, i) => `${NAME} 60 A 192.0.2.${i}`)) });
const asked = (options: QuestionOptions = {}) => query(NAME, 'A', { edns: 4096, ...options });

/** Header and question, an OPT record, and records of 31 octets: 17 of the name, 10 of their head, 4 of the address. */
const whole = (records: number): number => 33 + 11 + records * 31;
/** The same, each name a pointer of 2 octets. */
const compressed = (records: number): number => 33 + 11 + records * 16;

describe('a reply that fits is compressed where it would be cut into fragments', () => {
  const IPV6 = '2001:db8::1';
  it.each<{ name: string; records: number; options?: QuestionOptions; length: number }>([
    { name: 'IPv4, up to 1480 octets', records: 46, length: whole(46) },
    { name: 'IPv4, above', records: 47, length: compressed(47) },
    { name: 'IPv6, up to 1220 octets', records: 37, options: { remote: IPV6 }, length: whole(37) },
    { name: 'IPv6, above', records: 38, options: { remote: IPV6 }, length: compressed(38) },
    { name: 'TCP over IPv4, never', records: 47, options: { transport: 'tcp' }, length: whole(47) },
    { name: 'TCP over IPv6, never', records: 47, options: { transport: 'tcp', remote: IPV6 }, length: whole(47) },
  ])('$name', ({ records, options, length }) => {
    const bytes = finishReply(asked(options), addresses(records), 0);
    expect(bytes).toHaveLength(length);
    expect(decodeMessage(bytes).answer).toHaveLength(records);
  });
});

describe('the OPT record of a reply', () => {
  const option = { code: 15, data: new Uint8Array([0, 22]) };
  const edns = (signed: boolean, options = [option]) => ({ udpSize: 512, version: 0, do: signed, options });
  it.each([
    { name: 'says DO where the client did', by: true, edns: undefined, want: { do: true, options: [] } },
    { name: 'says no DO where nobody did', by: false, edns: undefined, want: { do: false, options: [] } },
    { name: 'says DO where the answer does', by: false, edns: edns(true), want: { do: true, options: [option] } },
    { name: 'has the options of the answer', by: false, edns: edns(false), want: { do: false, options: [option] } },
    { name: 'has no options where there are none', by: true, edns: edns(false, []), want: { do: true, options: [] } },
  ])('$name', ({ by, edns: of, want }) => {
    const { edns: sent } = decodeMessage(finishReply(asked({ do: by }), addresses(1).withEdns(of), 0));
    expect({ ...sent, options: sent!.options.map(({ code, data }) => ({ code, data: new Uint8Array(data) })) }).toEqual(
      {
        udpSize: 4096,
        version: 0,
        ...want,
      },
    );
  });
});

it('a reply that repeats a changed query has the flags of that, and the name as the client spelt it', () => {
  const client = query('WWW.example.org.', 'A', { id: 7 });
  const sent = decodeMessage(finishReply(client, addresses(1).repeating(client.withFlags(Flag.CD, Flag.RD)), 0));
  expect([sent.id, sent.question[0]!.name, (sent.flags & Flag.CD) !== 0, (sent.flags & Flag.RD) !== 0]).toEqual([
    7,
    'WWW.example.org.',
    true,
    false,
  ]);
});
