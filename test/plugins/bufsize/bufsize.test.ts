import { describe, expect, it } from 'vitest';
import type { Query, Reply } from '../../../src/chain/index.js';
import { bufsize } from '../../../src/plugins/bufsize/setup.js';
import { finishReply } from '../../../src/chain/index.js';
import { Flag, decodeMessage } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';

const many = reply({ answer: Array.from({ length: 60 }, (_, i) => `a. 5 IN A 192.0.2.${i + 1}`) });

/** What the next plugin sees of the size, and the answer as it is sent. */
function sent(text: string, options: QuestionOptions): { asked: number; size: number; tc: boolean; opt?: number } {
  const client = query('a.', 'A', options);
  const asked: Query[] = [];
  const got = setup(bufsize, text).ask(client, (seen) => {
    asked.push(seen);
    return many;
  }) as Reply;
  const bytes = finishReply(client, got, 0);
  const { flags, edns } = decodeMessage(bytes);
  return { asked: asked[0]!.udpSize, size: bytes.length, tc: (flags & Flag.TC) !== 0, opt: edns?.udpSize };
}

describe('bufsize', () => {
  it.each([
    { name: 'a larger size', text: 'bufsize 600', options: { edns: 4096 }, want: { asked: 600, opt: 600, tc: true } },
    { name: 'a smaller size', text: 'bufsize 600', options: { edns: 550 }, want: { asked: 550, opt: 550, tc: true } },
    { name: 'the default', text: 'bufsize', options: { edns: 4096 }, want: { asked: 1232, opt: 1232, tc: false } },
    { name: 'no EDNS', text: 'bufsize 600', options: {}, want: { asked: 0, opt: undefined, tc: true } },
    {
      name: 'TCP, where the size is repeated and nothing is cut',
      text: 'bufsize 512',
      options: { edns: 4096, transport: 'tcp' as const },
      want: { asked: 512, opt: 512, tc: false },
    },
    {
      name: 'the first of two directives',
      text: 'bufsize 600\nbufsize 700',
      options: { edns: 4096 },
      want: { asked: 600, opt: 600, tc: true },
    },
  ])('$name', ({ text, options, want }) => {
    const got = sent(text, options);
    expect(got).toMatchObject(want);
    if (want.tc) expect(got.size).toBeLessThanOrEqual(Math.max(512, want.asked));
  });

  it.each([
    { name: 'the limit itself', edns: 600, same: true },
    { name: 'a byte more', edns: 601, same: false },
  ])('a query with $name goes on as it is: $same', ({ edns, same }) => {
    const client = query('a.', 'A', { edns });
    let seen: Query | undefined;
    void setup(bufsize, 'bufsize 600').ask(client, (asked) => {
      seen = asked;
      return many;
    });
    expect(seen === client).toBe(same);
  });

  it('leaves DO and options of the query', () => {
    const options = [{ code: 3, data: new Uint8Array(0) }];
    void setup(bufsize, 'bufsize 512').ask(query('a.', 'A', { edns: 4096, do: true, options }), (seen) => {
      expect(seen).toMatchObject({ do: true, udpSize: 512 });
      expect(seen.ednsOptions.map(({ code }) => code)).toEqual([3]);
      return many;
    });
  });

  it.each([
    { name: 'too small a size', text: 'bufsize 511', error: "got '511', allowed: a whole number from 512 to 4096" },
    { name: 'too large a size', text: 'bufsize 4097', error: "got '4097', allowed: a whole number from 512 to 4096" },
    { name: 'no number', text: 'bufsize x', error: "got 'x', allowed: a whole number from 512 to 4096" },
    { name: 'two sizes', text: 'bufsize 600 700', error: "got 2 arguments ('600' '700'), allowed: 0 to 1 arguments" },
    { name: 'a block', text: 'bufsize {\n}', error: 'got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(bufsize, text)).toThrow(`Corefile:2: bufsize: ${error}`);
  });
});
