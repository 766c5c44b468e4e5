import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import { nsid } from '../../../src/plugins/nsid/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

const ASKS = { code: 3, data: new Uint8Array(0) };
const other = { code: 10, data: Buffer.from('cookie..') };
const made = reply({ answer: ['a. 5 IN A 192.0.2.1'] });
const withOptions = (...options: { code: number; data: Uint8Array }[]): Reply =>
  made.withEdns({ udpSize: 4096, version: 0, do: false, options });
const ask = (text: string, options: { code: number; data: Uint8Array }[], answer = made): Reply =>
  setup(nsid, text).ask(query('a.', 'A', { edns: 1232, options }), () => answer) as Reply;
const texts = (got: Reply): [number, string][] | undefined =>
  got.edns?.options.map(({ code, data }) => [code, Buffer.from(data).toString()]);

describe('nsid', () => {
  it.each([
    { name: 'what is written', text: 'nsid box-42', want: [[3, 'box-42']] },
    { name: 'several words', text: 'nsid use the force', want: [[3, 'use the force']] },
    { name: 'the host name', text: 'nsid', want: [[3, 'box']] },
    { name: 'beside other options', text: 'nsid me', answer: withOptions(other), want: [[10, 'cookie..'], [3, 'me']] }, // prettier-ignore
    {
      name: "in place of an upstream's",
      text: 'nsid me',
      answer: withOptions({ code: 3, data: Buffer.from('them') }, other),
      want: [
        [3, 'me'],
        [10, 'cookie..'],
      ],
    },
  ])('answers $name', ({ text, answer, want }) => expect(texts(ask(text, [other, ASKS], answer))).toEqual(want));

  it('sets DO in an OPT record that it adds, and leaves that of others', () => {
    expect(ask('nsid', [ASKS]).edns).toMatchObject({ udpSize: 1232, version: 0, do: true });
    expect(ask('nsid', [ASKS], withOptions()).edns).toMatchObject({ do: false });
  });

  it.each([
    { name: 'another option', got: ask('nsid me', [other]) },
    { name: 'no option', got: ask('nsid me', []) },
    { name: 'no EDNS', got: setup(nsid, 'nsid me').ask(query('a.'), () => made) },
  ])('leaves answers alone to a query with $name', ({ got }) => expect(got).toBe(made));

  it('takes an identifier as long as an option can be', () =>
    expect(texts(ask(`nsid ${'x'.repeat(65_531)}`, [ASKS]))![0]![1]).toHaveLength(65_531));

  it('leaves failures alone', () => {
    const failure = Reply.failure(2);
    expect(ask('nsid', [ASKS], failure)).toBe(failure);
  });

  it.each([
    { name: 'a second one', text: 'nsid a\nnsid b', line: 3, error: 'got it a second time' },
    { name: 'a block', text: 'nsid {\n}', line: 2, error: 'got a block in { }, allowed: none' },
    {
      name: 'too long an identifier',
      text: `nsid ${'x'.repeat(65_532)}`,
      line: 2,
      error: 'got an identifier of 65532 bytes, allowed: at most 65531',
    },
  ])('refuses $name', ({ text, line, error }) => {
    expect(() => setup(nsid, text)).toThrow(`Corefile:${line}: nsid: ${error}`);
  });
});
