import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome } from '../../../src/chain/index.js';
import { Flag, echoOwners, encodeRecords, type Edns } from '../../../src/wire/index.js';
import { reply, rrs, type QuestionOptions } from '../../support/dns.js';
import { SOA, World, counting, fixed } from './world.js';

type Asked = [name: string, type: string, options: QuestionOptions];

const ANSWER = { answer: ['www.example.org. 300 IN A 192.0.2.1'] };
const edns = (over: Partial<Edns>): Edns => ({ udpSize: 1232, version: 0, do: false, options: [], ...over });

describe('what is for those who ask with the same options only', () => {
  const subnet = { code: 8, data: Buffer.of(0, 1, 24, 0, 192, 0, 2) };
  const nsid = { code: 3, data: Buffer.alloc(0) };
  it.each([
    { name: 'an answer for a client subnet', options: [subnet], reply: ANSWER, kept: false },
    { name: 'an answer to another option', options: [nsid], reply: ANSWER, kept: true },
    { name: 'a failure with an option', options: [nsid], reply: { rcode: 2 }, kept: false },
    { name: 'a refusal of the kind of query with an option', options: [subnet], reply: { rcode: 4 }, kept: false },
    { name: 'a failure of a plain query', options: [], reply: { rcode: 2 }, kept: true },
  ])('is not kept: $name', async ({ options, reply: parts, kept }) => {
    const world = new World('cache', fixed(parts));
    for (let i = 0; i < 2; i++) await world.summary('www.example.org.', 'A', { edns: 1232, options });
    expect(world.asked).toHaveLength(kept ? 1 : 2);
  });
});

describe('asked twice', () => {
  it('answers the second time from the cache: plain, authoritative, aged', async () => {
    const world = new World('cache', fixed(ANSWER));
    expect(await world.summary('www.example.org.')).toEqual({
      rcode: 'NOERROR',
      flags: 'ra',
      answer: ['www.example.org. 300 IN A 192.0.2.1'],
    });
    world.seconds(17.9);
    const outcome = world.ask(world.question('WWW.Example.org.'));
    expect(outcome).toBeInstanceOf(Reply);
    expect(await world.summary('www.example.org.')).toEqual({
      rcode: 'NOERROR',
      flags: 'aa,ra',
      answer: ['www.example.org. 283 IN A 192.0.2.1'],
    });
    expect(world.asked).toHaveLength(1);
  });

  it('asks again when the time is over', async () => {
    const world = new World('cache 10', counting(300));
    expect(await world.ttl('www.example.org.')).toBe(10);
    world.seconds(9.999);
    expect(await world.ttl('www.example.org.')).toBe(1);
    world.seconds(0.001);
    expect(await world.summary('www.example.org.')).toMatchObject({
      flags: 'ra',
      answer: ['www.example.org. 10 IN A 192.0.2.2'],
    });
  });

  it('counts the time from when the reply came, not the query', async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const world = new World('cache', () => new Promise<Reply>((resolve) => (answer = resolve)));
    const early = world.question('www.example.org.');
    const first = world.ask(early);
    world.seconds(4);
    answer(reply(ANSWER));
    await first;
    expect(await world.ttl('www.example.org.')).toBe(300);
    expect((world.ask(early) as Reply).ttl).toBe(300);
  });

  it.each<{ name: string; first: Asked; second: Asked }>([
    { name: 'another type', first: ['www.example.org.', 'A', {}], second: ['www.example.org.', 'AAAA', {}] },
    { name: 'another class', first: ['www.example.org.', 'A', {}], second: ['www.example.org.', 'A', { class: 3 }] },
    {
      name: 'another class than class 0',
      first: ['www.example.org.', 'A', { class: 0 }],
      second: ['www.example.org.', 'A', {}],
    },
    {
      name: 'DO',
      first: ['www.example.org.', 'A', { edns: 1232 }],
      second: ['www.example.org.', 'A', { edns: 1232, do: true }],
    },
    { name: 'CD', first: ['www.example.org.', 'A', {}], second: ['www.example.org.', 'A', { cd: true }] },
    {
      name: 'DO in place of CD',
      first: ['www.example.org.', 'A', { cd: true }],
      second: ['www.example.org.', 'A', { edns: 1232, do: true }],
    },
    { name: 'another name', first: ['www.example.org.', 'A', {}], second: ['ww.example.org.', 'A', {}] },
  ])('keeps apart: $name', async ({ first, second }) => {
    const world = new World('cache', fixed({ authority: [SOA] }));
    await world.reply(...first);
    await world.reply(...second);
    expect(world.asked).toHaveLength(2);
    await world.reply(...first);
    await world.reply(...second);
    expect(world.asked).toHaveLength(2);
  });

  it.each<{ name: string; first: string; second: Asked }>([
    { name: 'letter case', first: 'www.example.org.', second: ['WWW.eXample.org.', 'A', {}] },
    { name: 'transport', first: 'www.example.org.', second: ['www.example.org.', 'A', { transport: 'tcp' }] },
    { name: 'EDNS without DO', first: 'www.example.org.', second: ['www.example.org.', 'A', { edns: 4096 }] },
    { name: 'RD', first: 'www.example.org.', second: ['www.example.org.', 'A', { rd: false }] },
    { name: 'AD', first: 'www.example.org.', second: ['www.example.org.', 'A', { ad: true }] },
  ])('makes no difference: $name', async ({ first, second }) => {
    const world = new World('cache', counting(300));
    await world.reply(first);
    await world.reply(...second);
    expect(world.asked).toHaveLength(1);
  });

  it("keeps the first client's spelling of the name for those after it", async () => {
    const records = echoOwners(
      encodeRecords({
        answer: rrs('www.example.org. 30 IN A 192.0.2.1', 'other.example.org. 30 IN A 192.0.2.2'),
        authority: [],
        additional: [],
      }),
      'www.example.org.',
    );
    const world = new World('cache', () => Reply.ofRecords(Flag.AA, 0, records));
    const answers = async (name: string): Promise<string[]> => {
      const question = world.question(name);
      return ((await world.ask(question)) as Reply).messageFor(question).answer.map((record) => record.name);
    };
    expect(await answers('WWW.example.org.')).toEqual(['WWW.example.org.', 'other.example.org.']);
    expect(await answers('www.Example.org.')).toEqual(['WWW.example.org.', 'other.example.org.']);
    expect(((await world.reply('www.example.org.')) as Reply).lease?.everySpelling).toBe(true);
  });
});

describe('one TTL for all records', () => {
  it.each([
    {
      name: 'the smallest of all sections',
      corefile: 'cache',
      parts: {
        answer: ['a. 300 IN A 192.0.2.1'],
        authority: ['a. 200 IN NS b.'],
        additional: ['b. 100 IN A 192.0.2.2'],
      },
      want: 100,
    },
    {
      name: 'at most 3600 by default',
      corefile: 'cache',
      parts: { answer: ['a. 4294967295 IN A 192.0.2.1'] },
      want: 3600,
    },
    {
      name: 'more than 3600 under a higher limit',
      corefile: 'cache 7200',
      parts: { answer: ['a. 86400 IN A 192.0.2.1'] },
      want: 7200,
    },
    { name: 'at least 5 by default', corefile: 'cache', parts: { answer: ['a. 0 IN A 192.0.2.1'] }, want: 5 },
    { name: 'the limit wins over the least', corefile: 'cache 3', parts: { answer: ['a. 1 IN A 192.0.2.1'] }, want: 3 },
    {
      name: 'least TTL of success',
      corefile: 'cache {\nsuccess 1024 600 60\n}',
      parts: { answer: ['a. 1 IN A 192.0.2.1'] },
      want: 60,
    },
    {
      name: 'NXDOMAIN: at most 1800 by default',
      corefile: 'cache',
      parts: { rcode: 3, authority: ['. 86400 IN SOA a. b. 1 2 3 4 86400'] },
      want: 1800,
    },
    {
      name: "NXDOMAIN: denial's limit",
      corefile: 'cache {\ndenial 1024 7\n}',
      parts: { rcode: 3, authority: [SOA] },
      want: 7,
    },
    {
      name: 'NODATA: least TTL of denial',
      corefile: 'cache {\ndenial 1024 7 7\n}',
      parts: { authority: ['. 0 IN SOA a. b. 1 2 3 4 0'] },
      want: 7,
    },
    {
      name: 'NXDOMAIN behind an alias',
      corefile: 'cache',
      parts: { rcode: 3, answer: ['a. 40 IN CNAME b.'], authority: [SOA] },
      want: 5,
    },
    { name: 'referral', corefile: 'cache', parts: { authority: ['a. 300 IN NS b.'] }, want: 5 },
    { name: 'NXDOMAIN without SOA', corefile: 'cache', parts: { rcode: 3, authority: ['a. 90 IN NS b.'] }, want: 90 },
    { name: 'an alias to nothing', corefile: 'cache', parts: { answer: ['a. 60 IN CNAME b.'] }, want: 60 },
    {
      name: 'an alias to nothing, with SOA: denial',
      corefile: 'cache {\ndenial 1024 7\n}',
      parts: { answer: ['a. 60 IN CNAME b.'], authority: [SOA] },
      want: 7,
    },
    {
      name: 'REFUSED with records',
      corefile: 'cache',
      parts: { rcode: 5, additional: ['a. 300 IN TXT "no"'] },
      want: 5,
    },
    {
      name: 'SERVFAIL with records',
      corefile: 'cache {\nservfail 90s\n}',
      parts: { rcode: 2, authority: [SOA] },
      want: 90,
    },
    {
      name: 'SERVFAIL that is not kept',
      corefile: 'cache {\nservfail 0\n}',
      parts: { rcode: 2, authority: [SOA] },
      want: 0,
    },
  ])('$name', async ({ corefile, parts, want }) => {
    expect(await new World(corefile, fixed(parts)).ttl('a.')).toBe(want);
  });

  it('reads the TTL of a reply that has one for all', async () => {
    const aged = Reply.ofRecords(0, 0, reply(ANSWER).records, 42);
    expect(await new World('cache', () => aged).ttl('www.example.org.')).toBe(42);
  });

  it('keepttl: the same until it expires', async () => {
    const world = new World('cache {\nkeepttl\n}', counting(30));
    expect(await world.ttl('www.example.org.')).toBe(30);
    world.seconds(29);
    expect(await world.ttl('www.example.org.')).toBe(30);
    expect(world.asked).toHaveLength(1);
    world.seconds(1);
    await world.reply('www.example.org.');
    expect(world.asked).toHaveLength(2);
  });
});

describe('what is kept', () => {
  /** A signature that is valid between two dates (RFC 4034 section 3.1); the tests' clock starts on 2025-07-30. */
  const SIGNED = (from: string, to: string): string => {
    const hex = (date: string): string => (Date.parse(date) / 1000).toString(16).padStart(8, '0');
    return `www.example.org. 300 IN RRSIG \\# 20 0001 08 03 0000012c ${hex(to)} ${hex(from)} 2f13 00 ff`;
  };

  it.each<{ name: string; outcome: Outcome; kept: boolean }>([
    { name: 'an answer', outcome: reply(ANSWER), kept: true },
    { name: 'an empty NOERROR without SOA', outcome: reply(), kept: true },
    { name: 'a referral', outcome: reply({ authority: ['sub. 300 IN NS b.'] }), kept: true },
    { name: 'NODATA', outcome: reply({ authority: [SOA] }), kept: true },
    { name: 'NXDOMAIN', outcome: reply({ rcode: 3, authority: [SOA] }), kept: true },
    { name: 'SERVFAIL', outcome: reply({ rcode: 2 }), kept: true },
    { name: 'NOTIMP', outcome: reply({ rcode: 4 }), kept: true },
    { name: 'NXDOMAIN without SOA', outcome: reply({ rcode: 3 }), kept: false },
    { name: 'REFUSED', outcome: reply({ rcode: 5 }), kept: false },
    { name: 'FORMERR', outcome: reply({ rcode: 1, authority: [SOA] }), kept: false },
    { name: 'BADVERS', outcome: reply({ rcode: 16 }), kept: false },
    { name: 'a truncated reply', outcome: reply({ ...ANSWER, flags: Flag.TC }), kept: false },
    { name: 'a reply that no handler wrote', outcome: Reply.failure(2, new Error('unreachable')), kept: false },
    { name: 'no reply at all', outcome: DROP, kept: false },
    {
      name: 'signed data',
      outcome: reply({ answer: [...ANSWER.answer, SIGNED('2025-07-01', '2025-09-01')] }).withEdns(edns({ do: true })),
      kept: true,
    },
    {
      name: 'an expired signature',
      outcome: reply({ answer: [...ANSWER.answer, SIGNED('2025-05-01', '2025-06-01')] }).withEdns(edns({ do: true })),
      kept: false,
    },
    {
      name: 'a signature of the future',
      outcome: reply({ answer: [...ANSWER.answer, SIGNED('2025-09-01', '2025-10-01')] }).withEdns(edns({ do: true })),
      kept: false,
    },
    {
      name: 'an expired signature that nobody asked for',
      outcome: reply({ answer: [...ANSWER.answer, SIGNED('2025-05-01', '2025-06-01')] }).withEdns(edns({})),
      kept: true,
    },
  ])('$name: $kept', async ({ outcome, kept }) => {
    const world = new World('cache', () => outcome);
    await world.reply('www.example.org.');
    await world.reply('www.example.org.');
    expect(world.asked).toHaveLength(kept ? 1 : 2);
  });

  it.each([
    { name: 'SERVFAIL for 5 s', corefile: 'cache', parts: { rcode: 2 }, seconds: 5 },
    { name: 'SERVFAIL for as long as set', corefile: 'cache {\nservfail 1m\n}', parts: { rcode: 2 }, seconds: 60 },
    { name: 'a referral for 5 s', corefile: 'cache', parts: { authority: ['sub. 300 IN NS b.'] }, seconds: 5 },
    { name: 'an empty answer for 5 s', corefile: 'cache', parts: {}, seconds: 5 },
    { name: 'a denial as long as its SOA', corefile: 'cache', parts: { rcode: 3, authority: [SOA] }, seconds: 900 },
  ])('$name', async ({ corefile, parts, seconds }) => {
    const world = new World(corefile, fixed(parts));
    await world.reply('www.example.org.');
    world.seconds(seconds - 0.001);
    await world.reply('www.example.org.');
    expect(world.asked).toHaveLength(1);
    world.seconds(0.001);
    await world.reply('www.example.org.');
    expect(world.asked).toHaveLength(2);
  });

  it('servfail 0 keeps no failure', async () => {
    const world = new World('cache {\nservfail 0\n}', fixed({ rcode: 2 }));
    await world.reply('www.example.org.');
    await world.reply('www.example.org.');
    expect(world.asked).toHaveLength(2);
  });

  it.each([
    {
      name: 'success in its zone',
      corefile: 'disable success sub.example.org',
      parts: ANSWER,
      qname: 'www.sub.example.org.',
      asked: 2,
    },
    {
      name: 'success outside its zone',
      corefile: 'disable success sub.example.org',
      parts: ANSWER,
      qname: 'www.example.org.',
      asked: 1,
    },
    {
      name: 'a denial where only success is disabled',
      corefile: 'disable success',
      parts: { rcode: 3, authority: [SOA] },
      qname: 'www.example.org.',
      asked: 1,
    },
    {
      name: 'a denial in its zone',
      corefile: 'disable denial example.org',
      parts: { rcode: 3, authority: [SOA] },
      qname: 'www.example.org.',
      asked: 2,
    },
    {
      name: 'a failure counts as denial',
      corefile: 'disable denial example.org',
      parts: { rcode: 2 },
      qname: 'www.example.org.',
      asked: 2,
    },
  ])('disable: $name', async ({ corefile, parts, qname, asked }) => {
    const world = new World(`cache 30 {\n${corefile}\n}`, fixed(parts));
    await world.reply(qname);
    await world.reply(qname);
    expect(world.asked).toHaveLength(asked);
  });

  it('limits the TTL of what it may not keep', async () => {
    expect(await new World('cache 30 {\ndisable success\n}', fixed(ANSWER)).ttl('www.example.org.')).toBe(30);
  });
});

describe('what passes untouched', () => {
  it('names outside its zones', async () => {
    const world = new World('cache 30 example.org', fixed(ANSWER));
    expect(await world.ttl('www.example.com.')).toBe(300);
    expect(await world.ttl('www.example.org.')).toBe(30);
    expect(await world.metric('requests_total')).toBe(1);
  });

  it.each(['AXFR', 'IXFR'])('%s', async (type) => {
    const world = new World('cache 30', fixed(ANSWER));
    await world.reply('www.example.org.', type);
    expect(await world.ttl('www.example.org.', type)).toBe(300);
    expect(world.asked).toHaveLength(2);
  });

  it('a NOTIFY, which never gets the answer to a query', async () => {
    const world = new World('cache 30', fixed(ANSWER));
    await world.reply('www.example.org.');
    const notify = world
      .question('www.example.org.')
      .withMessage((message) => ({ ...message, flags: message.flags | (4 << 11) }));
    expect(((await world.ask(notify)) as Reply).answer[0]!.ttl).toBe(300);
    expect(world.asked).toHaveLength(2);
  });
});

describe('header and OPT record', () => {
  it.each([
    {
      name: 'AD is for those who ask for it with AD',
      first: { ad: true },
      second: { ad: true },
      want: ['ra,ad', 'aa,ra,ad'],
    },
    {
      name: 'AD is for those who ask for it with DO',
      first: { edns: 1232, do: true },
      second: { edns: 1232, do: true },
      want: ['ra,ad', 'aa,ra,ad'],
    },
    { name: 'AD is not for others', first: {}, second: {}, want: ['ra', 'aa,ra'] },
    {
      name: 'AD is kept for those who ask, and not shown to others',
      first: { ad: true },
      second: {},
      want: ['ra,ad', 'aa,ra'],
    },
    { name: 'AD that the first did not ask for is not kept', first: {}, second: { ad: true }, want: ['ra', 'aa,ra'] },
  ])('$name', async ({ first, second, want }) => {
    const world = new World('cache', fixed({ ...ANSWER, flags: Flag.RA | Flag.AD }));
    const flags = async (options: object): Promise<unknown> =>
      ((await world.summary('www.example.org.', 'A', options)) as Record<string, unknown>).flags;
    expect([await flags(first), await flags(second)]).toEqual(want);
    expect(world.asked).toHaveLength(1);
  });

  it.each([
    { name: 'RA as it came', flags: Flag.RA, want: 'aa,ra' },
    { name: 'no RA as it came', flags: Flag.AA, want: 'aa' },
  ])('$name', async ({ flags, want }) => {
    const world = new World('cache', fixed({ ...ANSWER, flags }));
    await world.reply('www.example.org.');
    expect(await world.summary('www.example.org.')).toMatchObject({ flags: want });
  });

  it("an upstream's OPT record goes no further", async () => {
    const world = new World('cache', () =>
      reply(ANSWER).withEdns(edns({ options: [{ code: 10, data: new Uint8Array(8) }] })),
    );
    expect(((await world.reply('www.example.org.', 'A', { edns: 1232 })) as Reply).edns).toBeUndefined();
    expect(((await world.reply('www.example.org.', 'A', { edns: 1232 })) as Reply).edns).toBeUndefined();
  });
});
