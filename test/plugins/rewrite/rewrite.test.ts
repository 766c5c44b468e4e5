import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Next, type Outcome, type Query } from '../../../src/chain/index.js';
import { rewrite } from '../../../src/plugins/rewrite/setup.js';
import { encodeRecords, encodeName } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply, rrs, summary, type QuestionOptions } from '../../support/dns.js';
import { exampleUpstream } from '../../support/example-upstream.js';

/** The query that comes out of the rules. */
async function asked(text: string, name: string, type = 'A', options: QuestionOptions = {}): Promise<Query> {
  let last: Query | undefined;
  await setup(rewrite, text).ask(query(name, type, options), (question) => ((last = question), reply()));
  return last!;
}
/** What comes back when the upstream says `answer`. */
const answered = async (text: string, name: string, made: Outcome): Promise<unknown> =>
  summary(await setup(rewrite, text).ask(query(name), () => made));
const long = `${'a'.repeat(60)}.`;

describe('the question', () => {
  it.each([
    { name: 'exact by default', text: 'rewrite name from.nl to.nl', qname: 'from.nl.', want: 'to.nl. A IN' },
    {
      name: 'exact, letter case aside',
      text: 'rewrite name exact From.NL to.nl.',
      qname: 'FROM.nl.',
      want: 'to.nl. A IN',
    },
    { name: 'exact is not below', text: 'rewrite name from.nl to.nl', qname: 'a.from.nl.', want: 'a.from.nl. A IN' },
    { name: 'prefix', text: 'rewrite name prefix pre to', qname: 'pre.nl.', want: 'to.nl. A IN' },
    {
      name: 'prefix ends at a label',
      text: 'rewrite name prefix pre to',
      qname: 'prefix.nl.',
      want: 'prefix.nl. A IN',
    },
    { name: 'suffix', text: 'rewrite name suffix .suffix .nl', qname: 'to.suffix.', want: 'to.nl. A IN' },
    { name: 'substring', text: 'rewrite name substring from.sub to', qname: 'from.sub.nl.', want: 'to.nl. A IN' },
    { name: 'substring, every one', text: 'rewrite name substring a b', qname: 'a.a.nl.', want: 'b.b.nl. A IN' },
    { name: 'substring with a dollar sign', text: 'rewrite name substring a $&', qname: 'a.nl.', want: '$&.nl. A IN' },
    {
      name: 'regex',
      text: 'rewrite name regex (f.*m)\\.regex\\.(nl) to.{2}',
      qname: 'from.regex.nl.',
      want: 'to.nl. A IN',
    },
    { name: 'regex with the whole match', text: 'rewrite name regex ^(a)\\. {0}x', qname: 'a.nl.', want: 'a.x. A IN' },
    {
      name: 'regex takes the lower-case name',
      text: 'rewrite name regex ^(.*)\\.nl\\.$ {1}.be',
      qname: 'A.NL.',
      want: 'a.be. A IN',
    },
    { name: 'type', text: 'rewrite type any HINFO', qname: 'a.', type: 'ANY', want: 'a. HINFO IN' },
    { name: 'another type stays', text: 'rewrite type ANY HINFO', qname: 'A.', type: 'MX', want: 'A. MX IN' },
    { name: 'class', text: 'rewrite class ch IN', qname: 'a.', options: { class: 3 }, want: 'a. A IN' },
    {
      name: 'continue goes on with what came out',
      text: 'rewrite continue class HS CH\nrewrite class CH IN\nrewrite type A MX',
      qname: 'a.',
      options: { class: 4 },
      want: 'a. A IN',
    },
    { name: 'stop is the default', text: 'rewrite name a. b.\nrewrite name b. c.', qname: 'a.', want: 'b. A IN' },
    { name: 'stop in words', text: 'rewrite stop name a. b.\nrewrite name b. c.', qname: 'a.', want: 'b. A IN' },
    {
      name: 'a rule that does not fit is passed by',
      text: 'rewrite name x. y.\nrewrite name a. b.',
      qname: 'a.',
      want: 'b. A IN',
    },
    {
      name: 'several lines',
      text: 'rewrite continue {\nname regex (.*)\\.a {1}.b\nanswer auto\n}\nrewrite {\ntype A AAAA\n}',
      qname: 'x.a.',
      want: 'x.b. AAAA IN',
    },
  ])('$name', async ({ text, qname, type, options, want }) => {
    const got = await asked(text, qname, type, options);
    expect(`${got.qname} ${got.typeName} ${got.className}`).toBe(want);
  });

  it('goes on as it is when no rule fits, and the reply with it', () => {
    const made = reply();
    const q = query('a.');
    const text =
      'rewrite name x. y.\nrewrite name regex ^y z\nrewrite type MX A\nrewrite class CH IN\nrewrite ttl x. 5\nrewrite rcode x. 2 0\nrewrite edns0 nsid replace';
    let seen: Query | undefined;
    expect(setup(rewrite, text).ask(q, (question) => ((seen = question), made))).toBe(made);
    expect(seen).toBe(q);
  });

  it('that is no name any more gets SERVFAIL', async () => {
    const made = (await setup(rewrite, `rewrite name substring b. ${long}${long}${long}`).ask(
      query(`${long}b.b.`),
      () => reply(),
    )) as Reply;
    expect(made).toMatchObject({ rcode: 2, written: false });
    expect(made.cause!.message).toMatch(/^invalid name after rewrite: (a{60}\.){7}$/);
  });
});

describe('names of the reply', () => {
  const record = (owner: string, data = 'A 192.0.2.1'): string => `${owner} 5 IN ${data}`;
  it.each([
    {
      name: 'exact changes back owners and values, also of names below',
      text: 'rewrite name a.x b.y',
      qname: 'a.x.',
      answer: [record('b.y.', 'CNAME sub.B.y.'), record('sub.b.y.'), record('c.y.'), record('xb.y.')],
      want: [record('a.x.', 'CNAME sub.a.x.'), record('sub.a.x.'), record('c.y.'), record('xb.y.')],
    },
    {
      name: 'suffix without auto changes nothing',
      text: 'rewrite name suffix .x .y',
      qname: 'a.x.',
      answer: [record('a.y.')],
      want: [record('a.y.')],
    },
    {
      name: 'suffix with auto changes all ends',
      text: 'rewrite name suffix .x .y answer auto',
      qname: 'a.x.',
      answer: [record('a.y.', 'CNAME Other.Y.'), record('other.y.')],
      want: [record('a.x.', 'CNAME Other.x.'), record('other.x.')],
    },
    {
      name: 'prefix without auto changes nothing',
      text: 'rewrite name prefix a b',
      qname: 'a.x.',
      answer: [record('b.x.')],
      want: [record('b.x.')],
    },
    {
      name: 'prefix with auto',
      text: 'rewrite name prefix a b answer auto',
      qname: 'a.x.',
      answer: [record('b.x.')],
      want: [record('a.x.')],
    },
    {
      name: 'substring with auto',
      text: 'rewrite name substring a b answer auto',
      qname: 'a.a.',
      answer: [record('b.b.')],
      want: [record('a.a.')],
    },
    {
      name: 'regex with auto',
      text: 'rewrite name regex ^(.)\\.x {1}.y answer auto',
      qname: 'a.x.',
      answer: [record('a.y.')],
      want: [record('a.x.')],
    },
    {
      name: 'answer name',
      text: 'rewrite name regex ^(.)\\.x {1}.y answer name ^(.)\\.y {1}.z',
      qname: 'a.x.',
      answer: [record('b.y.', 'CNAME c.y.')],
      want: [record('b.z.', 'CNAME c.y.')],
    },
    {
      name: 'answer value',
      text: 'rewrite name regex ^(.)\\.x {1}.y answer value ^(.)\\.y {1}.z',
      qname: 'a.x.',
      answer: [record('b.y.', 'CNAME c.y.')],
      want: [record('b.y.', 'CNAME c.z.')],
    },
    {
      name: 'answer name and value, the second without its word',
      text: 'rewrite name regex ^(.)\\.x {1}.y answer name ^(.)\\.y {1}.z value (.)\\.y {1}.w',
      qname: 'a.x.',
      answer: [record('b.y.', 'CNAME c.y.')],
      want: [record('b.z.', 'CNAME c.w.')],
    },
    {
      name: 'answer auto and value',
      text: 'rewrite name exact a.x b.y answer auto answer value ^c q',
      qname: 'a.x.',
      answer: [record('b.y.', 'CNAME c.')],
      want: [record('a.x.', 'CNAME q.')],
    },
    {
      name: 'rules in the opposite order',
      text: 'rewrite continue name a. b.\nrewrite name b. c.',
      qname: 'a.',
      answer: [record('c.')],
      want: [record('a.')],
    },
    {
      name: 'all types that hold a name',
      text: 'rewrite name suffix .x .y answer auto',
      qname: 'a.x.',
      answer: [
        'CNAME n.y.',
        'DNAME n.y.',
        'NS n.y.',
        'PTR n.y.',
        'MX 10 n.y.',
        'SRV 1 2 3 n.y.',
        'NAPTR 1 2 "u" "s" "" n.y.',
        'SOA n.y. h.y. 1 2 3 4 5',
        'TXT "n.y."',
      ].map((data) => record('o.', data)),
      want: [
        'CNAME n.x.',
        'DNAME n.x.',
        'NS n.x.',
        'PTR n.x.',
        'MX 10 n.x.',
        'SRV 1 2 3 n.x.',
        'NAPTR 1 2 "u" "s" "" n.x.',
        'SOA n.x. h.y. 1 2 3 4 5',
        'TXT "n.y."',
      ].map((data) => record('o.', data)),
    },
  ])('$name', async ({ text, qname, answer, want }) => {
    expect(await answered(text, qname, reply({ answer, authority: answer, additional: answer }))).toEqual({
      rcode: 'NOERROR',
      flags: 'ra',
      answer: want,
      authority: want,
      additional: want,
    });
  });

  it('that take over the spelling of the question are written out, for the client asked for another one', async () => {
    const records = {
      ...encodeRecords({ answer: rrs(record('long-name.y.')), authority: [], additional: [] }),
      owners: [0],
    };
    const made = (await setup(rewrite, 'rewrite name regex ^a long-name.y').ask(query('a.'), () =>
      Reply.ofRecords(0, 0, records),
    )) as Reply;
    expect(summary(made)).toMatchObject({ answer: [record('long-name.y.')] });
    expect(made.records.owners).toBeUndefined();
    expect(Buffer.from(made.records.bytes.subarray(0, 13))).toEqual(encodeName('long-name.y.'));
  });

  it('that are none any more make the reply a failure, at once and later', async () => {
    const text = `rewrite name a. b. \nrewrite name suffix .x .y answer name ^(.*)$ {1}${long}`;
    const made = reply({ answer: [record(`${long.repeat(4)}b.y.`)] });
    const { ask } = setup(rewrite, text);
    for (const outcome of [
      await ask(query('a.x.'), () => made),
      await ask(query('a.x.'), () => Promise.resolve(made)),
    ]) {
      expect(outcome).toMatchObject({ rcode: 2, written: false });
      expect((outcome as Reply).cause!.message).toContain('invalid name after rewrite: ');
    }
  });

  it('leaves a failure and its cause, and no reply at all', async () => {
    const failed = Reply.failure(2, new Error('unreachable'));
    expect(await setup(rewrite, 'rewrite name a. b.').ask(query('a.'), () => failed)).toBe(failed);
    expect(await setup(rewrite, 'rewrite name a. b.').ask(query('a.'), () => DROP)).toBe(DROP);
  });
});

describe('ttl', () => {
  it.each([
    { name: 'one value', ttl: '15', want: [15, 15, 15] },
    { name: 'a range', ttl: '30-300', want: [30, 100, 300] },
    { name: 'no lower end', ttl: '-30', want: [5, 30, 30] },
    { name: 'no upper end', ttl: '30-', want: [30, 100, 4000] },
  ])('$name', async ({ ttl, want }) => {
    const made = reply({
      answer: ['a. 5 IN A 192.0.2.1', 'a. 100 IN A 192.0.2.1'],
      additional: ['a. 4000 IN A 192.0.2.1'],
    });
    const got = (await setup(rewrite, `rewrite ttl a. ${ttl}`).ask(query('a.'), () => made)) as Reply;
    expect([...got.answer, ...got.additional].map((record) => record.ttl)).toEqual(want);
  });

  it.each([
    { name: 'exact', match: 'exact a.b', fits: ['a.b.', 'A.b.'], not: ['b.', 'x.a.b.'] },
    { name: 'prefix', match: 'prefix a', fits: ['a.b.'], not: ['ab.'] },
    { name: 'suffix', match: 'suffix .b', fits: ['a.b.'], not: ['b.', 'ab.'] },
    { name: 'substring', match: 'substring b', fits: ['a.b.c.', 'ab.'], not: ['bc.'] },
    { name: 'regex', match: 'regex ^[ab]\\.c', fits: ['a.c.', 'b.cd.'], not: ['ab.c.'] },
  ])('$name, as for rcode', async ({ match, fits, not }) => {
    for (const field of [`ttl ${match} 7`, `rcode ${match} NOERROR REFUSED`]) {
      for (const name of [...fits, ...not]) {
        const got = (await setup(rewrite, `rewrite ${field}`).ask(query(name), () =>
          reply({ answer: ['a. 5 IN A 192.0.2.1'] }),
        )) as Reply;
        expect([name, got.answer[0]!.ttl === 7 || got.rcode === 5]).toEqual([name, fits.includes(name)]);
      }
    }
  });

  it('changes a reply whose TTL stands beside its records', async () => {
    const { records } = reply({ answer: ['a. 5 IN A 192.0.2.1'] });
    const got = (await setup(rewrite, 'rewrite ttl a. -30').ask(query('a.'), () =>
      Reply.ofRecords(0, 0, records, 77),
    )) as Reply;
    expect([got.ttl, got.answer[0]!.ttl]).toEqual([undefined, 30]);
  });
});

describe('rcode', () => {
  it.each([
    { name: 'by name', text: 'rewrite rcode a. SERVFAIL NOERROR', made: reply({ rcode: 2 }), want: 0 },
    { name: 'by number', text: 'rewrite rcode a. 2 3', made: reply({ rcode: 2 }), want: 3 },
    { name: 'another one stays', text: 'rewrite rcode a. 2 3', made: reply({ rcode: 5 }), want: 5 },
    {
      name: 'of a failure',
      text: 'rewrite rcode a. servfail noerror',
      made: Reply.failure(2, new Error('unreachable')),
      want: 0,
    },
  ])('$name', async ({ text, made, want }) => {
    const got = (await setup(rewrite, text).ask(query('a.'), () => made)) as Reply;
    expect(got).toMatchObject({ rcode: want, written: made.written, cause: made.cause });
  });
});

describe('cname', () => {
  const upstream = reply({ answer: ['a. 5 IN CNAME App.Cdn.example.', 'app.cdn.example. 9 IN A 192.0.2.1'] });
  const ask: Next = (question) =>
    question.name === 'gone.' ? DROP : reply({ answer: [`${question.qname} 100 IN A 198.51.100.1`], flags: 0x280 });
  const run = async (text: string, made = upstream, asking = ask): Promise<{ got: unknown; lines: string[] }> => {
    const { block, ask: through } = setup(rewrite, text, { ask: asking });
    return { got: summary(await through(query('a.'), () => made)), lines: block.log.lines };
  };
  const retargeted = (target: string) => ({
    rcode: 'NOERROR',
    flags: 'tc,ra',
    answer: [`a. 5 IN CNAME ${target}`, `${target} 100 IN A 198.51.100.1`],
  });

  it.each([
    { name: 'exact by default', text: 'rewrite cname APP.cdn.example. new.example.', target: 'new.example.' },
    { name: 'prefix', text: 'rewrite cname prefix app. new.', target: 'new.cdn.example.' },
    { name: 'suffix', text: 'rewrite cname suffix .cdn.example. .other.', target: 'app.other.' },
    { name: 'substring', text: 'rewrite cname substring cdn www', target: 'app.www.example.' },
    { name: 'regex', text: 'rewrite cname regex (.*)\\.cdn\\.example\\. {1}.cdn.other.', target: 'app.cdn.other.' },
  ])('$name', async ({ text, target }) => {
    expect((await run(text)).got).toEqual(retargeted(target));
  });

  it('waits for the answer', async () => {
    expect(
      (await run('rewrite cname prefix app. new.', upstream, (question) => Promise.resolve(ask(question)))).got,
    ).toEqual(retargeted('new.cdn.example.'));
  });

  it.each([
    { name: 'another target stays', text: 'rewrite cname exact b. c.', made: upstream },
    {
      name: 'a reply without alias stays',
      text: 'rewrite cname substring a b',
      made: reply({ answer: ['a. 5 IN A 192.0.2.1'] }),
    },
  ])('$name', async ({ text, made }) => {
    expect((await run(text, made)).got).toEqual(summary(made));
  });

  it('leaves the reply where the new target is not answered, and says so', async () => {
    expect(await run('rewrite cname regex .* gone.')).toEqual({
      got: summary(upstream),
      lines: ['[ERROR] plugin/rewrite: no answer for the CNAME target gone.'],
    });
  });

  it('refuses a target that is no name', async () => {
    expect((await run(`rewrite cname regex .* ${'a'.repeat(64)}.`)).got).toEqual({ rcode: 'SERVFAIL', flags: '' });
  });

  it('keeps all aliases, with the new target, and goes with name rules', async () => {
    const made = reply({ answer: ['b. 5 IN CNAME c.', 'c. 5 IN CNAME old.', 'old. 5 IN A 192.0.2.1'] });
    expect((await run('rewrite continue name a. b.\nrewrite cname old. new.', made)).got).toEqual({
      rcode: 'NOERROR',
      flags: 'tc,ra',
      answer: ['a. 5 IN CNAME new.', 'c. 5 IN CNAME new.', 'new. 100 IN A 198.51.100.1'],
    });
  });

  it('asks the example upstream', async () => {
    const { ask: through } = setup(rewrite, 'rewrite cname www.example.org. google.com.', { ask: exampleUpstream });
    expect(summary(await through(query('alias.example.org.'), exampleUpstream))).toMatchObject({
      answer: ['alias.example.org. 120 IN CNAME google.com.', 'google.com. 300 IN A 142.250.196.110'],
    });
  });
});
