import { describe, expect, it } from 'vitest';
import { Reply, ReplyLease, type Query } from '../../../src/chain/index.js';
import { header } from '../../../src/plugins/header/setup.js';
import { finishReply } from '../../../src/chain/index.js';
import { Flag } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

const NAMES = { aa: Flag.AA, ra: Flag.RA, rd: Flag.RD };
const flagsOf = (word: number): string =>
  Object.entries(NAMES)
    .filter(([, bit]) => word & bit)
    .map(([name]) => name)
    .join(' ');

/** The flags that the next plugin sees, and those of the answer as it is sent. */
function flags(lines: string[], rd: boolean, answer = reply({ flags: Flag.RA })): { asked: string; answered: string } {
  const asked: Query[] = [];
  const client = query('a.', 'A', { rd });
  const got = setup(header, `header {\n${lines.join('\n')}\n}`).ask(client, (seen) => {
    asked.push(seen);
    return answer;
  }) as Reply;
  return { asked: flagsOf(asked[0]!.queryFlags), answered: flagsOf(finishReply(client, got, 0).readUInt16BE(2)) };
}

describe('header', () => {
  it.each([
    { name: 'query set rd', lines: ['query set rd'], rd: false, asked: 'rd', answered: 'ra rd' },
    { name: 'query clear rd', lines: ['query clear rd'], rd: true, asked: '', answered: 'ra' },
    { name: 'query set all', lines: ['query set aa ra rd'], rd: false, asked: 'aa ra rd', answered: 'ra rd' },
    { name: 'response set aa', lines: ['response set aa'], rd: true, asked: 'rd', answered: 'aa ra rd' },
    { name: 'response clear ra', lines: ['response clear ra'], rd: true, asked: 'rd', answered: 'rd' },
    { name: 'response clear rd', lines: ['response clear rd'], rd: true, asked: 'rd', answered: 'ra' },
    { name: 'response set rd', lines: ['response set rd'], rd: false, asked: '', answered: 'ra rd' },
    {
      name: 'both, in any letter case',
      lines: ['QUERY Set RD', 'response CLEAR rd ra'],
      rd: false,
      asked: 'rd',
      answered: '',
    },
    {
      name: 'the last one of several',
      lines: ['response set aa', 'response clear aa ra', 'response set ra'],
      rd: true,
      asked: 'rd',
      answered: 'ra rd',
    },
    {
      name: 'what is so already',
      lines: ['query set rd', 'response set ra'],
      rd: true,
      asked: 'rd',
      answered: 'ra rd',
    },
  ])('$name', ({ lines, rd, asked, answered }) => expect(flags(lines, rd)).toEqual({ asked, answered }));

  it('touches no bits beside those that it is told', () => {
    const { ask } = setup(header, 'header {\nquery set aa\nresponse set aa\n}');
    let seen: Query | undefined;
    const got = ask(query('a.'), (asked) => {
      seen = asked;
      return reply();
    }) as Reply;
    expect([seen!.queryFlags, got.flags & ~Flag.QR]).toEqual([Flag.AA | Flag.RD, Flag.AA | Flag.RA]);
  });

  it('leaves answers that no plugin made', () =>
    expect(flags(['response set aa', 'response clear rd'], true, Reply.failure(2)).answered).toBe('rd'));

  it('hands on the very answer that no plugin made', () => {
    const failed = Reply.failure(2);
    expect(setup(header, 'header {\nresponse set aa\n}').ask(query('a.'), () => failed)).toBe(failed);
  });

  it('keeps how long an answer stays right', () => {
    const lease = new ReplyLease(Infinity);
    const { ask } = setup(header, 'header {\nresponse set aa\n}');
    expect((ask(query('a.'), () => reply().withLease(lease)) as Reply).lease).toBe(lease);
  });

  it('depends on the whole query where RD is touched', () => {
    const dependsOn = (line: string): unknown => setup(header, `header {\n${line}\n}`).handlers[0];
    expect(dependsOn('response set aa')).toMatchObject({ dependsOn: 'question' });
    expect(dependsOn('response clear rd')).toMatchObject({ dependsOn: 'query' });
    expect(dependsOn('query set rd')).toMatchObject({ dependsOn: 'query' });
  });

  it('takes the first directive that has rules', () => {
    const { ask } = setup(header, 'header {\n}\nheader {\nresponse set aa\n}\nheader {\nresponse clear aa\n}');
    expect((ask(query('a.'), () => reply()) as Reply).flags & Flag.AA).toBe(Flag.AA);
  });

  it.each([
    { name: 'no rule', text: 'header', line: 2, error: 'got no rule, allowed: at least one line' },
    { name: 'an argument', text: 'header x', line: 2, error: "got 1 argument ('x'), allowed: no argument" },
    {
      name: 'another selector',
      text: 'header {\nanswer set aa\n}',
      line: 3,
      error: "unknown option 'answer'; allowed: query, response",
    },
    {
      name: 'another action',
      text: 'header {\nquery toggle rd\n}',
      line: 3,
      error: "query: action: got 'toggle', allowed: set, clear",
    },
    {
      name: 'another flag',
      text: 'header {\nresponse set aa tc\n}',
      line: 3,
      error: "response: flag: got 'tc', allowed: aa, ra, rd",
    },
    { name: 'no flag', text: 'header {\nresponse set\n}', line: 3, error: "response: got 1 argument ('set')" },
  ])('refuses $name', ({ text, line, error }) => {
    expect(() => setup(header, text)).toThrow(`Corefile:${line}: header: ${error}`);
  });
});
