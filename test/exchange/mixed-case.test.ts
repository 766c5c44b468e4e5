import { describe, expect, it } from 'vitest';
import { MixedCase, restoreCase, turnCase } from '../../src/exchange/mixed-case.js';
import { decodeMessage, encodeMessage } from '../../src/wire/index.js';
import { query, rrs, texts } from '../support/dns.js';
import { goodReply } from '../support/fake-upstream.js';

const HOUR = 3_600_000;
const nameOf = (bytes: Uint8Array): string => decodeMessage(bytes).question[0]!.name;

describe('the case of a name', () => {
  it.each([
    { name: 'each letter whose bit is set', asked: 'abcd.', bits: 0b0101, want: 'AbCd.', turned: true },
    { name: 'capitals too', asked: 'ABz.Z.', bits: 0b1111, want: 'abZ.z.', turned: true },
    { name: 'none without bits', asked: 'abcd.', bits: 0, want: 'abcd.', turned: false },
    { name: 'none where no letter has its bit', asked: 'ab.', bits: 0b100, want: 'ab.', turned: false },
    {
      name: 'letters alone, first and last',
      asked: 'a0-_z\\@[`{.A.',
      bits: 0b111,
      want: 'A0-_Z\\@[`{.a.',
      turned: true,
    },
    {
      name: 'again after 32 of them',
      asked: `${'a'.repeat(33)}.`,
      bits: 1,
      want: `A${'a'.repeat(31)}A.`,
      turned: true,
    },
    { name: 'the 32nd', asked: `${'a'.repeat(33)}.`, bits: 1 << 31, want: `${'a'.repeat(31)}Aa.`, turned: true },
  ])('is turned: $name', ({ asked, bits, want, turned }) => {
    const { bytes, questionEnd } = query(asked, 'TYPE16705');
    const before = Buffer.from(bytes);
    expect(turnCase(bytes, questionEnd, bits)).toBe(turned);
    expect(nameOf(bytes)).toBe(want);
    // Type and class stay, and the same again undoes it.
    expect(bytes.subarray(-4)).toEqual(before.subarray(-4));
    turnCase(bytes, questionEnd, bits);
    expect(bytes).toEqual(before);
  });
});

describe('a reply', () => {
  const BITS = 0b1011;
  const asked = query('www.example.');
  const sent = Buffer.from(asked.bytes);
  turnCase(sent, asked.questionEnd, BITS);
  const spelt = nameOf(sent);

  it('has the name as it was asked for afterwards, also where it owns records, in any case', () => {
    for (const compress of [true, false])
      for (const owner of [spelt, 'WWW.EXAMPLE.']) {
        const records = [
          `${owner} 30 IN A 192.0.2.1`,
          'WWX.example. 30 IN A 192.0.2.2',
          `${owner} 30 IN TXT "${'x'.repeat(250)}" "y"`,
          `${owner} 30 IN A 192.0.2.3`,
        ];
        const authority = [`example. 30 IN NS ${owner}`, `${owner} 30 IN NS a.`];
        const additional = [`${owner} 30 IN AAAA 2001:db8::1`];
        const bytes = encodeMessage(
          {
            ...decodeMessage(goodReply(decodeMessage(sent))),
            answer: rrs(...records),
            authority: rrs(...authority),
            additional: rrs(...additional),
          },
          compress,
        );
        expect(restoreCase(bytes, asked.bytes, asked.questionEnd, BITS)).toBe(true);
        const reply = decodeMessage(bytes);
        expect(reply.question[0]!.name).toBe('www.example.');
        const owners = [...reply.answer, ...reply.authority, ...reply.additional].map(({ name }) => name);
        const own = compress && owner !== spelt ? expect.stringMatching(/^www\.example\.$/i) : 'www.example.';
        expect(owners).toEqual([
          own,
          expect.stringMatching(/^WWX\.example\.$/i),
          own,
          own,
          expect.stringMatching(/^example\.$/i),
          own,
          own,
        ]);
        expect(texts(reply.answer).map((text) => text.replace(/^\S+/, ''))).toEqual(
          records.map((text) => text.replace(/^\S+/, '')),
        );
      }
  });

  it('that repeats another spelling is left as it is', () => {
    const bytes = goodReply(decodeMessage(asked.bytes));
    const before = Buffer.from(bytes);
    expect(restoreCase(bytes, asked.bytes, asked.questionEnd, BITS)).toBe(false);
    expect(bytes).toEqual(before);
  });

  it.each([1, 11, 20])('whose records are cut after %i bytes is no harm', (length) => {
    const bytes = Buffer.concat([sent, Buffer.from('0377777707', 'hex'), Buffer.alloc(15)]).subarray(
      0,
      sent.length + length,
    );
    bytes.writeUInt16BE(3, 6);
    expect(restoreCase(bytes, asked.bytes, asked.questionEnd, BITS)).toBe(true);
    expect(bytes).toHaveLength(sent.length + length);
  });
});

describe('an upstream that spells names its own way', () => {
  const drawing = (): MixedCase => new MixedCase({ uint32: () => 7 });

  it('is asked as clients spell them for an hour, at once where it never repeated a spelling', () => {
    const names = drawing();
    expect(names.draw(0)).toBe(7);
    names.lost(1000);
    expect([names.draw(1000), names.draw(1000 + HOUR - 1), names.draw(1000 + HOUR)]).toEqual([0, 0, 7]);
    names.lost(1000 + HOUR);
    expect(names.draw(1000 + HOUR)).toBe(0);
  });

  it('may be a forger where it repeated one before, until it does so eight times in a row', () => {
    const names = drawing();
    names.kept();
    for (let i = 0; i < 7; i++) names.lost(5);
    expect(names.draw(5)).toBe(7);
    names.kept();
    for (let i = 0; i < 7; i++) names.lost(5);
    expect(names.draw(5)).toBe(7);
    names.lost(5);
    expect(names.draw(5)).toBe(0);
  });
});
