import { describe, expect, it } from 'vitest';
import { Reply, finishReply, type Query } from '../../../src/chain/index.js';
import { rewrite } from '../../../src/plugins/rewrite/setup.js';
import { decodeMessage, type EdnsOption } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';

const option = (code: number, data: string | number[]): EdnsOption => ({
  code,
  data: Uint8Array.from(Buffer.from(data as string)),
});
const plain = (options: readonly EdnsOption[] | undefined) =>
  options?.map(({ code, data }) => `${code}:${Buffer.from(data).toString('hex')}`);
const hex = (text: string): string => Buffer.from(text).toString('hex');

/** The query that comes out of the rules. */
async function asked(text: string, options: QuestionOptions): Promise<Query> {
  let last: Query | undefined;
  await setup(rewrite, text).ask(query('Name.example.', 'AAAA', options), (question) => ((last = question), reply()));
  return last!;
}

describe('options of the query', () => {
  const rows: { name: string; rule: string; query?: QuestionOptions; want: string[] }[] = [
    { name: 'set text', rule: 'local set 0xffee abc', want: [`65518:${hex('abc')}`] },
    { name: 'set octets', rule: 'local set 65518 0xabCD', want: ['65518:abcd'] },
    { name: 'set nothing', rule: 'local set 0b11 0x', want: ['3:'] },
    { name: 'an octal code', rule: 'local set 010 a', want: [`8:${hex('a')}`] },
    {
      name: 'set beside another option',
      rule: 'local set 2 x',
      query: { edns: 1400, options: [option(1, 'a')] },
      want: [`1:${hex('a')}`, `2:${hex('x')}`],
    },
    {
      name: 'set in place of an option',
      rule: 'local set 1 x',
      query: { edns: 1400, options: [option(1, 'a'), option(2, 'b')] },
      want: [`1:${hex('x')}`, `2:${hex('b')}`],
    },
    {
      name: 'append',
      rule: 'local append 2 x',
      query: { edns: 1400, options: [option(1, 'a')] },
      want: [`1:${hex('a')}`, `2:${hex('x')}`],
    },
    {
      name: 'append leaves what is there',
      rule: 'local append 1 x',
      query: { edns: 1400, options: [option(1, 'a')] },
      want: [`1:${hex('a')}`],
    },
    {
      name: 'replace',
      rule: 'local replace 1 x',
      query: { edns: 1400, options: [option(1, 'a')] },
      want: [`1:${hex('x')}`],
    },
    { name: 'replace adds nothing', rule: 'local replace 1 x', query: { edns: 1400 }, want: [] },
    {
      name: 'unset',
      rule: 'local unset 1',
      query: { edns: 1400, options: [option(1, 'a'), option(2, 'b'), option(1, 'c')] },
      want: [`2:${hex('b')}`],
    },
    {
      name: 'unset what is not there',
      rule: 'local unset 1',
      query: { edns: 1400, options: [option(2, 'b')] },
      want: [`2:${hex('b')}`],
    },
    { name: 'nsid set', rule: 'nsid set', want: ['3:'] },
    { name: 'nsid set empties it', rule: 'nsid SET', query: { edns: 1400, options: [option(3, 'a')] }, want: ['3:'] },
    { name: 'nsid append', rule: 'nsid append', want: ['3:'] },
    { name: 'nsid replace', rule: 'nsid replace', query: { edns: 1400, options: [option(3, 'a')] }, want: ['3:'] },
    { name: 'nsid unset', rule: 'nsid unset', query: { edns: 1400, options: [option(3, '')] }, want: [] },
    {
      name: 'subnet of an IPv4 client',
      rule: 'subnet set 20 56',
      query: { remote: '10.1.255.9' },
      want: ['8:000114000a01f0'],
    },
    {
      name: 'subnet of an IPv6 client',
      rule: 'subnet set 24 60',
      query: { remote: '2001:db8:1:2ff::9' },
      want: ['8:00023c0020010db8000102f0'],
    },
    { name: 'subnet of no bits', rule: 'subnet set 0 0', query: { remote: '10.1.2.3' }, want: ['8:00010000'] },
    {
      name: 'subnet of all bits',
      rule: 'subnet set 32 128',
      query: { remote: '10.1.2.3' },
      want: ['8:000120000a010203'],
    },
    {
      name: 'subnet append',
      rule: 'subnet append 8 8',
      query: { remote: '10.1.2.3', edns: 1400, options: [option(8, 'x')] },
      want: [`8:${hex('x')}`],
    },
    {
      name: 'subnet replace',
      rule: 'subnet replace 8 8',
      query: { remote: '10.1.2.3', edns: 1400, options: [option(8, 'x')] },
      want: ['8:000108000a'],
    },
    { name: 'subnet unset', rule: 'subnet unset', query: { edns: 1400, options: [option(8, 'x')] }, want: [] },
    { name: '{qname}, as the client wrote it', rule: 'local set 1 {qname}', want: [`1:${hex('Name.example.')}`] },
    { name: '{qtype}', rule: 'local set 1 {qtype}', want: ['1:001c'] },
    { name: '{client_ip}', rule: 'local set 1 {client_ip}', query: { remote: '10.1.2.3' }, want: ['1:0a010203'] },
    {
      name: '{client_ip} with a zone',
      rule: 'local set 1 {client_ip}',
      query: { remote: 'fe80::1%eth0' },
      want: ['1:fe800000000000000000000000000001'],
    },
    { name: '{client_port}', rule: 'local set 1 {client_port}', query: { port: 258 }, want: ['1:0102'] },
    { name: '{server_ip}', rule: 'local set 1 {server_ip}', want: ['1:7f000001'] },
    { name: '{server_port}', rule: 'local set 1 {server_port}', want: ['1:0035'] },
    { name: '{protocol}', rule: 'local set 1 {protocol}', query: { transport: 'tcp' }, want: [`1:${hex('tcp')}`] },
    { name: 'metadata, where none is collected', rule: 'local set 1 {plugin/name}', want: [] },
  ];
  it.each(rows)('$name', async ({ rule, query: options, want }) => {
    expect(plain((await asked(`rewrite edns0 ${rule}`, options ?? {})).ednsOptions)).toEqual(want);
  });

  it('a query without an OPT record gets one', async () => {
    expect(await asked('rewrite edns0 nsid set', {})).toMatchObject({ hasEdns: true, udpSize: 4096, do: false });
  });

  it.each([
    { name: 'and its answer has one', rule: 'edns0 nsid set', options: {}, opt: 4096 },
    { name: 'but not by a rule that does nothing', rule: 'edns0 local replace 1 x', options: {}, opt: undefined },
    { name: "which is the client's where it had one", rule: 'edns0 nsid set', options: { edns: 1400 }, opt: 1400 },
  ])('$name', async ({ rule, options, opt }) => {
    const sent = query('Name.example.', 'A', options);
    const outcome = await setup(rewrite, `rewrite ${rule}`).ask(sent, () => reply());
    expect(decodeMessage(finishReply(sent, outcome as Reply, 0)).edns?.udpSize).toBe(opt);
  });

  it('the OPT record of a query keeps what else it says', async () => {
    expect(await asked('rewrite edns0 nsid set', { edns: 1400, do: true })).toMatchObject({
      udpSize: 1400,
      do: true,
      qname: 'Name.example.',
    });
  });

  it('a rule that does nothing lets the next one have its turn, unset does not', async () => {
    expect((await asked('rewrite edns0 local replace 1 x\nrewrite type AAAA A', {})).typeName).toBe('A');
    expect((await asked('rewrite edns0 local set 1 {a/b}\nrewrite type AAAA A', {})).typeName).toBe('A');
    expect((await asked('rewrite edns0 local unset 1\nrewrite type AAAA A', {})).typeName).toBe('AAAA');
  });
});

describe('revert', () => {
  const run = async (text: string, sent: EdnsOption[], returned: EdnsOption[]): Promise<string[] | undefined> => {
    const made = Reply.empty(0).withEdns({ udpSize: 1232, version: 0, do: false, options: returned });
    return plain(
      ((await setup(rewrite, text).ask(query('a.', 'A', { edns: 1232, options: sent }), () => made)) as Reply).edns
        ?.options,
    );
  };
  it.each([
    { name: 'takes away what was set', text: 'rewrite edns0 local set 1 x revert', sent: [], want: [`2:${hex('b')}`] },
    {
      name: 'puts back what was replaced',
      text: 'rewrite edns0 local replace 1 x revert',
      sent: [option(1, 'old')],
      want: [`1:${hex('old')}`, `2:${hex('b')}`],
    },
    {
      name: 'not without the word',
      text: 'rewrite edns0 local set 1 x',
      sent: [],
      want: [`1:${hex('x')}`, `2:${hex('b')}`],
    },
    { name: 'nsid', text: 'rewrite edns0 nsid append revert', sent: [], want: [`1:${hex('x')}`, `2:${hex('b')}`] },
    {
      name: 'of one rule of two',
      text: 'rewrite continue {\nedns0 local set 1 abcd\n}\nrewrite edns0 local replace 1 bcde revert',
      sent: [],
      want: [`1:${hex('abcd')}`, `2:${hex('b')}`],
    },
    { name: 'subnet', text: 'rewrite edns0 subnet set 8 8 revert', sent: [], want: [`1:${hex('x')}`, `2:${hex('b')}`] },
  ])('$name', async ({ text, sent, want }) => {
    expect(
      await run(text, sent, [
        option(1, 'x'),
        option(2, 'b'),
        ...(text.includes('nsid') ? [option(3, 'id')] : []),
        ...(text.includes('subnet') ? [option(8, 's')] : []),
      ]),
    ).toEqual(want);
  });

  it('leaves the options of a reply that has not its own', async () =>
    expect(await run('rewrite edns0 local set 1 x revert', [], [option(2, 'b')])).toEqual([`2:${hex('b')}`]));

  it('leaves a reply without an OPT record', async () => {
    const made = reply();
    const asked = setup(rewrite, 'rewrite edns0 local set 1 x revert').ask(
      query('a.', 'A', { edns: 1232 }),
      () => made,
    );
    expect(await asked).toBe(made);
  });
});
