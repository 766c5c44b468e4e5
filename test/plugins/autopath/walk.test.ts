import { describe, expect, it } from 'vitest';
import { Query, Reply, type Handler, type Outcome } from '../../../src/chain/index.js';
import type { ProvidesSearchLists, QueryContext } from '../../../src/chain/index.js';
import { autopath } from '../../../src/plugins/autopath/setup.js';
import { Flag } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { SERVER, query, reply, summary, type QuestionOptions } from '../../support/dns.js';

const FIRST = 'ns1.svc.cluster.local.';
const LIST = { domains: [FIRST, 'svc.cluster.local.', 'cluster.local.', 'corp.test.'], ndots: 5 };
const SOA = '. 5 IN SOA a. b. 1 2 3 4 5';
const NO = reply({ rcode: 3, authority: [SOA] });
const NODATA = reply({ authority: [SOA] });
const FOUND = { 'www.test. A': reply({ answer: ['www.test. 60 IN A 192.0.2.1'] }), 'www.test. AAAA': NODATA };
type Answers = Readonly<Record<string, Outcome | (() => Promise<Outcome>)>>;
const provider = (list: typeof LIST): Handler & ProvidesSearchLists => ({
  name: 'node',
  handle: () => NO,
  searchList: () => list,
});

/** Asks with what the server says by name and type; NXDOMAIN for everything else. */
async function walk(answers: Answers = FOUND, asked: Query = query(`www.test.${FIRST}`), list = LIST) {
  const seen: string[] = [];
  const answer = (of: Query): Outcome | Promise<Outcome> => {
    const key = `${of.name} ${of.typeName}`;
    seen.push(key);
    const known = answers[key] ?? NO;
    return typeof known === 'function' ? known() : known;
  };
  const { ask, block, handlers } = setup(autopath, 'autopath @node', { ask: answer });
  block.chain = [...handlers, provider(list)];
  await block.run('start');
  return { outcome: ask(asked, answer), seen, block, handler: handlers[0]! };
}

const withOptions = (options: QuestionOptions): Query => query(`www.test.${FIRST}`, 'A', options);

describe('autopath @node', () => {
  it('asks for both types with each domain, and leads to the answer by an alias', async () => {
    const { outcome, seen, block } = await walk();
    expect(summary((await outcome) as Reply)).toEqual({
      rcode: 'NOERROR',
      flags: 'ra',
      answer: [`www.test.${FIRST} 60 IN CNAME www.test.`, 'www.test. 60 IN A 192.0.2.1'],
    });
    const both = (name: string): string[] => [`${name} A`, `${name} AAAA`];
    expect(seen).toEqual([
      ...both(`www.test.${FIRST}`),
      `test.${FIRST} A`,
      ...['www.test.svc.cluster.local.', 'www.test.cluster.local.', 'www.test.corp.test.', 'www.test.'].flatMap(both),
    ]);
    const series = await block.metrics.text();
    expect(series).toContain(`coredns_autopath_walks_total{result="answered",server="${SERVER.label}"} 1\n`);
    expect(series).toContain(`coredns_autopath_success_total{server="${SERVER.label}"} 1\n`);
  });

  it.each([
    { name: 'a query with DO', asked: withOptions({ edns: 1232, do: true }) },
    { name: 'a query with CD', asked: withOptions({ cd: true }) },
    { name: 'another type', asked: query(`www.test.${FIRST}`, 'MX') },
    { name: 'another class', asked: query(`www.test.${FIRST}`, 'A', { class: 3 }) },
    { name: 'another domain of the list', asked: query('www.test.svc.cluster.local.') },
    { name: 'one label', asked: query(`www.${FIRST}`) },
    { name: 'the domain itself', asked: query(FIRST) },
    { name: "a question of the server's own", asked: nested(query(`www.test.${FIRST}`)) },
  ])('passes $name', async ({ asked }) => {
    const { outcome, seen } = await walk(FOUND, asked);
    expect([await outcome, seen.length]).toEqual([NO, 1]);
  });

  it.each<{ name: string; answers: Answers; want?: Reply }>([
    { name: 'an answer to the first name', answers: { [`www.test.${FIRST} A`]: NODATA }, want: NODATA },
    { name: 'only the other type at the first name', answers: { ...FOUND, [`www.test.${FIRST} AAAA`]: NODATA } },
    { name: 'a service in the name', answers: { ...FOUND, [`test.${FIRST} A`]: NODATA } },
    { name: 'a failure on the way', answers: { ...FOUND, 'www.test.cluster.local. A': reply({ rcode: 2 }) } },
    { name: 'a refusal on the way', answers: { ...FOUND, 'www.test.cluster.local. A': Reply.failure(5) } },
    { name: 'a failure for the other type', answers: { ...FOUND, 'www.test. AAAA': reply({ rcode: 2 }) } },
    { name: 'a fault', answers: { ...FOUND, 'www.test. A': () => Promise.reject(new Error('broken')) } },
    { name: 'nothing found', answers: {} },
    { name: 'an answer that would be cut short', answers: { 'www.test. A': long(33), 'www.test. AAAA': NODATA } },
  ])('leaves to the client: $name', async ({ answers, want }) => {
    const { outcome } = await walk(answers);
    expect(await outcome).toBe(want ?? NO);
  });

  it('gives an answer that just fits', async () => {
    const { outcome } = await walk({ 'www.test. A': long(26), 'www.test. AAAA': NODATA });
    expect((await outcome) as Reply).toMatchObject({ answerCount: 27 });
  });

  it('leaves out the name that was asked for as it stands before', async () => {
    const { outcome, seen } = await walk(FOUND, undefined, { ...LIST, ndots: 1 });
    expect([await outcome, seen.includes('www.test. A')]).toEqual([NO, false]);
  });

  it('waits for no more than a second, and takes no harm from what comes later', async () => {
    let fail = (_error: Error): void => undefined;
    const slow = (): Promise<Outcome> => new Promise((_, reject) => (fail = reject));
    const { outcome, block } = await walk({ ...FOUND, 'www.test. AAAA': slow });
    await block.clock.advanceAsync(999);
    const early = await Promise.race([outcome, Promise.resolve('waiting')]);
    await block.clock.advanceAsync(1);
    expect([early, await outcome]).toEqual(['waiting', NO]);
    fail(new Error('broken'));
    expect(await block.metrics.text()).toContain(`{result="left",server="${SERVER.label}"} 1\n`);
  });

  it('vouches for no alias', async () => {
    const authentic = reply({ flags: Flag.RA | Flag.AD, answer: ['www.test. 60 IN A 192.0.2.1'] });
    const { outcome } = await walk({ ...FOUND, 'www.test. A': authentic });
    expect(summary((await outcome) as Reply)).toMatchObject({ flags: 'ra' });
  });

  it('gives nobody else what depends on the client', async () => {
    const { outcome, handler } = await walk();
    const asked = query(`www.test.${FIRST}`);
    expect(((await outcome) as Reply).lease).toBeUndefined();
    expect(handler.seesEach!(asked, NO)).toBe(true);
    expect(handler.seesEach!(asked, NODATA)).toBe(false);
    expect(handler.seesEach!(query('www.test.'), NO)).toBe(false);
  });

  it('refuses a block without node', () => {
    const { block } = setup(autopath, 'autopath @node');
    return expect(block.run('start')).rejects.toThrow(
      "Corefile:2: autopath: got '@node', but there is no directive node in this server block",
    );
  });
});

/** So many addresses of one name. */
function long(count: number): Reply {
  return reply({ answer: Array.from({ length: count }, (_, i) => `www.test. 60 IN A 192.0.2.${i + 1}`) });
}

/** The same, asked by the server itself. */
function nested(asked: Query): Query {
  const context: QueryContext = asked.context.nested();
  return new Query(asked.bytes, context);
}
