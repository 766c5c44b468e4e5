import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome } from '../../../src/chain/index.js';
import type { LoadBalance } from '../../../src/plugins/loadbalance/handler.js';
import { loadbalance } from '../../../src/plugins/loadbalance/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { query, reply, summary, texts } from '../../support/dns.js';
import { exampleUpstream, recordedSets } from '../../support/example-upstream.js';

const addresses = (count: number): string[] => Array.from({ length: count }, (_, i) => `a. 5 IN A 192.0.2.${i + 1}`);
/** The last character, a closing dot aside. */
const last = (text: string): string => text.replace(/\.$/, '').at(-1)!;
/** How often each order of the last characters came up in `rounds` replies. */
function orders(
  text: string,
  records: string[],
  rounds: number,
  type = 'A',
  options: TestBlockOptions = {},
): Record<string, number> {
  const { ask } = setup(loadbalance, text, options);
  const counts: Record<string, number> = {};
  for (let i = 0; i < rounds; i++) {
    const order = texts((ask(query('a.', type), () => reply({ answer: records })) as Reply).answer)
      .map(last)
      .join('');
    counts[order] = (counts[order] ?? 0) + 1;
  }
  return counts;
}

describe.each(recordedSets('loadbalance'))('recorded: $set', ({ block, cases }) => {
  it.each(cases)('$qname $type', ({ qname, type, want }) => {
    const got = summary(setup(loadbalance, block).ask(query(qname, type), exampleUpstream) as Outcome) as {
      answer: string[];
    };
    expect({ ...got, answer: got.answer.sort() }).toEqual({ ...want, answer: want.answer!.sort() });
  });
});

describe('round_robin', () => {
  it.each([
    { name: 'two addresses', records: addresses(2), possible: 2 },
    { name: 'three addresses', records: addresses(3), possible: 6 },
    {
      name: 'addresses of both families',
      records: ['a. 5 IN A 192.0.2.1', 'a. 5 IN AAAA 2001:db8::2', 'a. 5 IN A 192.0.2.3'],
      possible: 6,
    },
    { name: 'mail exchanges', records: ['a. 5 IN MX 1 m.1.', 'a. 5 IN MX 1 m.2.', 'a. 5 IN MX 1 m.3.'], possible: 6 },
  ])('$name: every order as likely as any other', ({ records, possible }) => {
    const counts = Object.values(orders('loadbalance', records, 600 * possible));
    expect(counts).toHaveLength(possible);
    for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(100);
  });

  it('shuffles each section by itself, aliases first', () => {
    const { ask } = setup(loadbalance, 'loadbalance round_robin');
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const made = ask(query('a.'), () =>
        reply({
          answer: [...addresses(2), 'x. 5 IN CNAME a.'],
          authority: ['n. 5 IN NS a.'],
          additional: addresses(2),
        }),
      ) as Reply;
      expect(texts(made.answer)[0]).toBe('x. 5 IN CNAME a.');
      expect(texts(made.authority)).toEqual(['n. 5 IN NS a.']);
      seen.add([...made.answer, ...made.additional].map((record) => last(texts([record])[0]!)).join(''));
    }
    expect(seen.size).toBe(4);
  });

  it.each([
    { name: 'one address', made: reply({ answer: ['x. 5 IN CNAME a.', 'a. 5 IN A 192.0.2.1'] }) },
    { name: 'an error', made: reply({ rcode: 3, answer: addresses(9) }) },
    { name: 'a failure', made: Reply.failure(0) },
    { name: 'no reply', made: DROP as Outcome },
    { name: 'a zone transfer', made: reply({ answer: addresses(9) }), type: 'AXFR' },
    { name: 'an incremental zone transfer', made: reply({ answer: addresses(9) }), type: 'IXFR' },
  ])('passes $name untouched', ({ made, type }) => {
    expect(setup(loadbalance, 'loadbalance').ask(query('a.', type), () => made)).toBe(made);
  });

  it('keeps flags, TTL, EDNS and the marks of owners', () => {
    const edns = { udpSize: 1232, version: 0, do: false, options: [] };
    const { records } = reply({ answer: addresses(3) });
    const made = Reply.ofRecords(0x400, 0, { ...records, owners: [0] }, 77, edns);
    const { ask } = setup(loadbalance, 'loadbalance');
    let got: Outcome = made;
    while (got === made) got = ask(query('a.'), () => made) as Outcome;
    expect(got).toMatchObject({ flags: 0x8400, rcode: 0, ttl: 77, edns, written: true });
    const { owners, bytes } = (got as Reply).records;
    expect(bytes[owners![0]! + 3 + 2 + 2 + 4 + 2 + 3]).toBe(1);
  });

  it('waits for a promised reply', async () => {
    const made = reply({ answer: addresses(2) });
    expect(
      ((await setup(loadbalance, 'loadbalance').ask(query('a.'), () => Promise.resolve(made))) as Reply).answerCount,
    ).toBe(2);
  });

  it('need not see every query, the others do', () => {
    const sees = (text: string): boolean => (setup(loadbalance, text).handlers[0] as LoadBalance).dependsOn === 'query';
    expect([sees('loadbalance'), sees('loadbalance weighted /w'), sees('loadbalance {\nprefer 10.0.0.0/8\n}')]).toEqual(
      [false, true, true],
    );
    expect((setup(loadbalance, 'loadbalance').handlers[0] as LoadBalance).role).toBe('wraps');
  });
});

describe('prefer', () => {
  const text = 'loadbalance round_robin {\nprefer 10.1.0.0/16 2001:db8::/32\nprefer 10.0.0.0/8\n}';
  it.each([
    {
      name: 'networks in their order',
      answer: ['a. 5 IN A 192.0.2.1', 'a. 5 IN A 10.2.0.1', 'a. 5 IN AAAA 2001:db8::1', 'a. 5 IN A 10.1.0.1'],
      want: ['a. 5 IN A 10.1.0.1', 'a. 5 IN AAAA 2001:db8::1', 'a. 5 IN A 10.2.0.1', 'a. 5 IN A 192.0.2.1'],
    },
    {
      name: 'aliases first, mail exchanges and the rest last',
      answer: ['a. 5 IN TXT "t"', 'a. 5 IN MX 1 m.', 'a. 5 IN A 10.1.0.1', 'x. 5 IN CNAME a.'],
      want: ['x. 5 IN CNAME a.', 'a. 5 IN A 10.1.0.1', 'a. 5 IN MX 1 m.', 'a. 5 IN TXT "t"'],
    },
    { name: 'nothing for one record', answer: ['a. 5 IN A 192.0.2.1'], want: ['a. 5 IN A 192.0.2.1'] },
  ])('$name', ({ answer, want }) => {
    const made = setup(loadbalance, text).ask(query('a.'), () =>
      reply({ answer, additional: answer, authority: ['a. 5 IN A 192.0.2.1'] }),
    ) as Reply;
    expect([texts(made.answer), texts(made.additional), texts(made.authority)]).toEqual([
      want,
      want,
      ['a. 5 IN A 192.0.2.1'],
    ]);
  });

  it('leaves addresses of the same network shuffled', () => {
    expect(Object.keys(orders('loadbalance {\nprefer 192.0.2.2/31\n}', addresses(4), 200)).sort()).toEqual([
      '2314',
      '2341',
      '3214',
      '3241',
    ]);
  });
});

describe('weighted', () => {
  const files = { '/w': '# weights\n\nA\n192.0.2.1 3\n 192.0.2.3 2 \n192.0.2.3 200\n\nb.\n2001:db8::2 9\n' };
  const began = async (text: string, options: TestBlockOptions = { files }) => {
    const made = setup(loadbalance, text, options);
    await made.block.run('start');
    const first = (type = 'A', records = addresses(3), rounds = 600): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < rounds; i++) {
        const order = texts((made.ask(query('a.', type), () => reply({ answer: records })) as Reply).answer)
          .map(last)
          .join('');
        counts[order] = (counts[order] ?? 0) + 1;
      }
      return counts;
    };
    return { ...made, first };
  };

  it('draws the first address by weight and swaps it with the one that was first', async () => {
    const counts = (await began('loadbalance weighted /w')).first('A', addresses(3), 6000);
    expect(Object.keys(counts).sort()).toEqual(['123', '213', '321']);
    expect(Math.abs(counts['123']! - 3000)).toBeLessThan(150);
    expect(Math.abs(counts['213']! - 1000)).toBeLessThan(150);
    expect(Math.abs(counts['321']! - 2000)).toBeLessThan(150);
  });

  it.each([
    { name: 'SRV questions too', type: 'SRV', records: addresses(2), want: ['12', '21'] },
    { name: 'other questions not', type: 'MX', records: addresses(2), want: ['12'] },
    {
      name: 'records without addresses not',
      type: 'A',
      records: ['a. 5 IN MX 1 m.1.', 'a. 5 IN CNAME m.2.'],
      want: ['12'],
    },
    {
      name: 'aliases come first even with one address',
      type: 'A',
      records: ['a. 5 IN A 192.0.2.1', 'x. 5 IN CNAME a.2.'],
      want: ['21'],
    },
  ])('$name', async ({ type, records, want }) => {
    expect(Object.keys((await began('loadbalance weighted /w')).first(type, records, 100)).sort()).toEqual(want);
  });

  it('knows IPv6 addresses', async () => {
    const records = ['b. 5 IN AAAA 2001:db8::1', 'b. 5 IN AAAA 2001:db8::2'];
    const counts = (await began('loadbalance weighted /w')).first('AAAA', records, 1000);
    const [one, two] = Object.entries(counts)
      .sort(([, a], [, b]) => a - b)
      .map(([, count]) => count);
    expect([Math.abs(one! - 100) < 50, Math.abs(two! - 900) < 50]).toEqual([true, true]);
  });

  it('goes with prefer', async () => {
    const { first } = await began('loadbalance weighted /w {\nprefer 192.0.2.2/32\n}');
    expect(Object.keys(first()).every((order) => order.startsWith('2'))).toBe(true);
  });

  it('reads the file again when its content changes', async () => {
    const changing = { '/w': 'a\n192.0.2.1 255' };
    const { block, first } = await began('loadbalance weighted /w {\nreload 10s\n}', { files: changing });
    expect(first()['123']).toBeGreaterThan(550);
    changing['/w'] = 'a\n192.0.2.2 255';
    block.clock.advance(10_000);
    expect(first()['213']).toBeGreaterThan(550);
    changing['/w'] = 'nonsense 1';
    block.clock.advance(20_000);
    expect(first()['213']).toBeGreaterThan(550);
    expect(block.log.lines).toEqual([
      '[INFO] plugin/loadbalance: Successfully reloaded weight file /w',
      '[INFO] plugin/loadbalance: Successfully reloaded weight file /w',
      "[ERROR] plugin/loadbalance: weight file /w is not read: weight file /w:1: got 'nonsense 1', allowed: an IPv4 or IPv6 address before the weight",
    ]);
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('looks at the file once with reload 0', async () => {
    const { block } = await began('loadbalance weighted /w {\nreload 0\n}');
    expect(block.clock.pending).toBe(0);
  });

  it('waits for a file that is not there yet', async () => {
    const changing: Record<string, string> = {};
    const { block, first } = await began('loadbalance weighted /w', { files: changing });
    expect(Object.keys(first())).toHaveLength(3);
    changing['/w'] = 'a\n192.0.2.2 255';
    block.clock.advance(30_000);
    expect(first()['213']).toBeGreaterThan(550);
    delete changing['/w'];
    block.clock.advance(30_000);
    expect(first()['213']).toBeGreaterThan(550);
    expect(block.log.lines).toEqual([
      "[WARNING] plugin/loadbalance: Failed to open weight file /w: ENOENT: no such file or directory, open '/w'. Will try again in 30s",
      '[INFO] plugin/loadbalance: Successfully reloaded weight file /w',
      "[ERROR] plugin/loadbalance: weight file /w is not read: ENOENT: no such file or directory, open '/w'",
    ]);
  });

  it.each([
    {
      name: 'a missing file that is not looked at again',
      text: 'loadbalance weighted /x {\nreload 0\n}',
      error: 'loadbalance: cannot read weight file /x: ENOENT',
    },
    { name: 'three words', file: 'a 1 2', error: "weight file /w:1: got 'a 1 2', allowed: NAME, or ADDRESS WEIGHT" },
    {
      name: 'an address alone',
      file: 'a\n192.0.2.1',
      error: "weight file /w:2: got '192.0.2.1', allowed: a domain name, or an address with its weight",
    },
    { name: 'a name that is none', file: 'a..b', error: "weight file /w:1: got 'a..b', allowed: a domain name" },
    {
      name: 'a weight for a name',
      file: 'a\n\nb 3',
      error: "weight file /w:3: got 'b 3', allowed: an IPv4 or IPv6 address before the weight",
    },
    {
      name: 'weight 0',
      file: 'a\n192.0.2.1 0',
      error: "weight file /w:2: got '192.0.2.1 0', allowed: a weight from 1 to 255",
    },
    {
      name: 'weight 256',
      file: 'a\n192.0.2.1 256',
      error: "weight file /w:2: got '192.0.2.1 256', allowed: a weight from 1 to 255",
    },
    {
      name: 'no name',
      file: '192.0.2.1 1',
      error: "weight file /w:1: got '192.0.2.1 1', allowed: a line with a domain name before the first address",
    },
  ])('does not start with $name', async ({ text, file, error }) => {
    const { block } = setup(loadbalance, text ?? 'loadbalance weighted /w', {
      files: file === undefined ? {} : { '/w': file },
    });
    await expect(block.run('start')).rejects.toThrow(error);
  });
});

describe('bad text', () => {
  it.each([
    {
      name: 'an unknown policy',
      text: 'loadbalance random',
      error: "Corefile:2: loadbalance: got 'random', allowed: round_robin, weighted",
    },
    {
      name: 'words after round_robin',
      text: 'loadbalance round_robin x',
      error: "Corefile:2: loadbalance: got 'x', allowed: nothing after round_robin",
    },
    {
      name: 'weighted without a file',
      text: 'loadbalance weighted',
      error: 'Corefile:2: loadbalance: weighted: got no file, allowed: weighted FILE',
    },
    {
      name: 'too many words',
      text: 'loadbalance weighted a b',
      error:
        "Corefile:2: loadbalance: got 3 arguments ('weighted' 'a' 'b'), allowed: 0 to 2 arguments; usage: loadbalance [round_robin | weighted FILE]",
    },
    {
      name: 'reload without weighted',
      text: 'loadbalance {\nreload 5s\n}',
      error: "Corefile:3: loadbalance: unknown option 'reload'; allowed: prefer",
    },
    {
      name: 'an unknown option',
      text: 'loadbalance weighted /w {\nx\n}',
      error: "Corefile:3: loadbalance: unknown option 'x'; allowed: reload, prefer",
    },
    {
      name: 'reload without a duration',
      text: 'loadbalance weighted /w {\nreload\n}',
      error: 'Corefile:3: loadbalance: reload: got no argument, allowed: 1 argument; usage: reload DURATION',
    },
    {
      name: 'reload with a bad duration',
      text: 'loadbalance weighted /w {\nreload x\n}',
      error: "Corefile:3: loadbalance: reload: got 'x', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      name: 'prefer without a network',
      text: 'loadbalance {\nprefer\n}',
      error: 'Corefile:3: loadbalance: prefer: got no argument, allowed: at least 1 argument; usage: prefer CIDR...',
    },
    {
      name: 'prefer with an address',
      text: 'loadbalance {\nprefer 10.0.0.1\n}',
      error:
        "Corefile:3: loadbalance: prefer: got '10.0.0.1', allowed: an address block such as 10.0.0.0/8 or 2001:db8::/32",
    },
    {
      name: 'a block in an option',
      text: 'loadbalance {\nprefer 10.0.0.0/8 {\n}\n}',
      error: 'Corefile:3: loadbalance: prefer: got a block in { }, allowed: none',
    },
  ])('$name', ({ text, error }) => {
    expect(() => setup(loadbalance, text)).toThrow(error);
  });

  it('of two directives the last policy counts', () => {
    expect((setup(loadbalance, 'loadbalance weighted /w\nloadbalance').handlers[0] as LoadBalance).dependsOn).toBe(
      'question',
    );
  });
});
