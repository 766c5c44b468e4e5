import { describe, expect, it } from 'vitest';
import {
  DROP,
  Reply,
  type Handler,
  type Outcome,
  type ProvidesSearchPaths,
  type Query,
} from '../../../src/chain/index.js';
import { autopath } from '../../../src/plugins/autopath/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { SERVER, query, reply, summary } from '../../support/dns.js';

const FILE =
  '# hosts\nnameserver 10.0.0.1\nsearch old.test\nsearch ns1.svc.cluster.local svc.Cluster.local. cluster.local\noptions ndots:5\n';
const SOA = 'x. 5 IN SOA a. b. 1 2 3 4 5';
const NO = reply({ rcode: 3, authority: [SOA] });

/** Asks with what the rest of the chain says by name; NXDOMAIN for all other names. */
async function walk(
  answers: Record<string, Outcome>,
  qname = 'google.com.ns1.svc.cluster.local.',
  text = 'autopath /r',
  options: TestBlockOptions = { files: { '/r': FILE } },
): Promise<{ got: unknown; asked: string[] }> {
  const asked: string[] = [];
  const { ask } = setup(autopath, text, options);
  const outcome = await ask(query(qname), (seen: Query) => {
    asked.push(seen.qname);
    return answers[seen.name] ?? NO;
  });
  return { got: summary(outcome), asked };
}

const ALL = [
  'google.com.ns1.svc.cluster.local.',
  'google.com.svc.cluster.local.',
  'google.com.cluster.local.',
  'google.com.',
];

describe('autopath', () => {
  it('asks with each domain, and leads to the answer by an alias', async () => {
    const { got, asked } = await walk({ 'google.com.': reply({ answer: ['google.com. 300 IN A 192.0.2.1'] }) });
    expect(asked).toEqual(ALL);
    expect(got).toEqual({
      rcode: 'NOERROR',
      flags: 'ra',
      answer: ['google.com.ns1.svc.cluster.local. 300 IN CNAME google.com.', 'google.com. 300 IN A 192.0.2.1'],
    });
  });

  it("keeps the client's spelling", async () => {
    const { got, asked } = await walk(
      { 'google.com.': reply({ answer: ['Google.com. 300 IN A 192.0.2.1'] }) },
      'Google.com.NS1.svc.cluster.local.',
    );
    expect(asked.at(-1)).toBe('Google.com.');
    expect(got).toMatchObject({ answer: ['Google.com.NS1.svc.cluster.local. 300 IN CNAME Google.com.', 'Google.com. 300 IN A 192.0.2.1'] }); // prettier-ignore
  });

  it.each([
    {
      name: 'an answer to the first name, without alias',
      answers: { [ALL[0]!]: reply({ answer: [`${ALL[0]} 5 IN A 192.0.2.1`] }) },
      count: 1,
      want: { rcode: 'NOERROR', flags: 'ra', answer: [`${ALL[0]} 5 IN A 192.0.2.1`] },
    },
    {
      name: 'NODATA, without alias',
      answers: { [ALL[1]!]: reply({ authority: [SOA] }) },
      count: 2,
      want: { rcode: 'NOERROR', flags: 'ra', authority: [SOA] },
    },
    {
      name: 'an error of an upstream',
      answers: { [ALL[3]!]: reply({ rcode: 2 }) },
      count: 4,
      want: { rcode: 'SERVFAIL', flags: 'ra' },
    },
    { name: 'the first of all that do not exist', answers: { [ALL[1]!]: reply({ rcode: 3, authority: [SOA.replace('x.', 'y.')] }) }, count: 4, want: { rcode: 'NXDOMAIN', flags: 'ra', authority: [SOA] } }, // prettier-ignore
    { name: 'the first of all that do not exist, not the last', answers: { [ALL[3]!]: reply({ rcode: 3, authority: [SOA.replace('x.', 'y.')] }) }, count: 4, want: { rcode: 'NXDOMAIN', flags: 'ra', authority: [SOA] } }, // prettier-ignore
    {
      name: 'an answer to the second name, behind an alias',
      answers: { [ALL[1]!]: reply({ answer: [`${ALL[1]} 5 IN A 192.0.2.1`] }) },
      count: 2,
      want: { rcode: 'NOERROR', flags: 'ra', answer: [`${ALL[0]} 5 IN CNAME ${ALL[1]}`, `${ALL[1]} 5 IN A 192.0.2.1`] },
    },
    {
      name: 'a failure with a cause, at once',
      answers: { [ALL[1]!]: Reply.failure(2, new Error('nobody there')) },
      count: 2,
      want: { rcode: 'SERVFAIL', flags: '' },
    },
    {
      name: 'what comes after a refusal',
      answers: { [ALL[1]!]: Reply.failure(5), [ALL[2]!]: reply({ authority: [SOA] }) },
      count: 3,
      want: { rcode: 'NOERROR', flags: 'ra', authority: [SOA] },
    },
    { name: 'silence, at once', answers: { [ALL[0]!]: DROP as Outcome }, count: 1, want: 'drop' },
  ])('gives $name', async ({ answers, count, want }) => {
    const { got, asked } = await walk(answers);
    expect(asked).toEqual(ALL.slice(0, count));
    expect(got).toEqual(want);
  });

  it.each([
    { name: 'another domain of the path', qname: 'google.com.svc.cluster.local.' },
    { name: 'the first domain itself', qname: 'ns1.svc.cluster.local.' },
    { name: 'another name', qname: 'google.com.' },
    { name: 'a zone that it is not for', qname: ALL[0]!, text: 'autopath example.org /r' },
    { name: 'a file without a path', qname: ALL[0]!, files: { '/r': 'nameserver 10.0.0.1\n' } },
  ])('passes $name', async ({ qname, text, files }) => {
    const { asked } = await walk({}, qname, text, { files: files ?? { '/r': FILE } });
    expect(asked).toEqual([qname]);
  });

  it('passes over names that would be too long', async () => {
    const label = `${'a'.repeat(60)}.`;
    const qname = `${label.repeat(3)}ns1.`;
    const files = { '/r': `search ns1 ${'b'.repeat(60)}.${'c'.repeat(60)} c\n` };
    expect((await walk({}, qname, 'autopath /r', { files })).asked).toEqual([
      qname,
      `${label.repeat(3)}c.`,
      label.repeat(3),
    ]);
  });

  it('counts walks that found something', async () => {
    const { ask, block } = setup(autopath, 'autopath /r', { files: { '/r': FILE } });
    await ask(query(ALL[0]!), () => NO);
    await ask(query(ALL[0]!), () => reply());
    expect(await block.metrics.text()).toContain(`coredns_autopath_success_total{server="${SERVER.label}"} 1\n`);
  });

  describe('with a plugin', () => {
    const knows: Handler & ProvidesSearchPaths = {
      name: 'kubernetes',
      handle: () => NO,
      searchPath: () => ['ns1.'],
    };
    const started = async (chain: readonly Handler[]) => {
      const files = { '/etc/resolv.conf': 'search host.test\n' };
      const made = setup(autopath, 'autopath @kubernetes', { files });
      made.block.chain = [...made.handlers, ...chain];
      await made.block.run('start');
      return made;
    };

    it('asks it for the path, and goes on with that of this host', async () => {
      const { ask } = await started([knows]);
      const asked: string[] = [];
      await ask(query('b.ns1.'), (seen) => {
        asked.push(seen.name);
        return NO;
      });
      expect(asked).toEqual(['b.ns1.', 'b.host.test.', 'b.']);
      const got = await ask(query('a.ns1.'), (seen) =>
        seen.name === 'a.' ? reply({ answer: ['a. 5 IN A 192.0.2.1'] }) : NO,
      );
      expect(summary(got)).toMatchObject({ answer: ['a.ns1. 5 IN CNAME a.', 'a. 5 IN A 192.0.2.1'] });
    });

    it('passes everything where it is not there', async () => {
      const { ask } = await started([]);
      const next = reply({ rcode: 3 });
      expect(await ask(query('a.ns1.'), () => next)).toBe(next);
    });

    it('refuses one that knows no paths', () =>
      expect(started([{ name: 'kubernetes', handle: () => NO }])).rejects.toThrow(
        "Corefile:2: autopath: got '@kubernetes', allowed",
      ));
  });

  it('depends on the client where its pod decides', () => {
    expect(setup(autopath, 'autopath @kubernetes').handlers[0]).toMatchObject({ dependsOn: 'client' });
    expect(setup(autopath, 'autopath /r', { files: { '/r': FILE } }).handlers[0]).toMatchObject({
      dependsOn: 'question',
    });
  });

  it.each([
    { name: 'nothing', text: 'autopath', error: 'got no argument, allowed: at least 1 argument' },
    { name: 'a missing file', text: 'autopath /nosuch', error: "cannot use '/nosuch': ENOENT" },
    { name: 'a domain that is none', text: 'autopath /bad', error: "cannot use '/bad': search: got 'a..b'" },
    { name: 'a block', text: 'autopath /r {\n}', error: 'got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    const files = { '/r': FILE, '/bad': 'search a..b\n' };
    expect(() => setup(autopath, text, { files })).toThrow(`Corefile:2: autopath: ${error}`);
  });
});
