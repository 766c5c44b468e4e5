import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome } from '../../../src/chain/index.js';
import { errors } from '../../../src/plugins/errors/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

const failure = (message: string, rcode = 2): Reply => Reply.failure(rcode, new Error(message));
const refused = 'read udp 127.0.0.1:39039->127.0.0.9:53: read: connection refused';

describe('errors', () => {
  it.each([
    {
      name: 'why there was no answer',
      outcome: failure(refused),
      lines: [`[ERROR] plugin/errors: 2 www.example.org. HINFO: ${refused}`],
    },
    {
      name: 'another rcode',
      outcome: failure('no', 5),
      lines: ['[ERROR] plugin/errors: 5 www.example.org. HINFO: no'],
    },
    { name: 'nothing for an rcode without a cause', outcome: Reply.failure(5), lines: [] },
    { name: 'nothing for an answer', outcome: reply({ answer: ['www.example.org. 5 IN A 192.0.2.1'] }), lines: [] },
    { name: 'nothing for an error that is an answer', outcome: reply({ rcode: 2 }), lines: [] },
    { name: 'nothing for a query without a reply', outcome: DROP as Outcome, lines: [] },
  ])('writes $name, and passes the outcome on', async ({ outcome, lines }) => {
    for (const wait of [false, true]) {
      const { ask, block } = setup(errors, 'errors');
      const got = ask(query('WWW.example.org.', 'HINFO'), () => (wait ? Promise.resolve(outcome) : outcome));
      expect(got instanceof Promise).toBe(wait);
      expect(await got).toBe(outcome);
      expect(block.log.lines).toEqual(lines);
    }
  });

  it('passes by what no client asks', () => expect(setup(errors, 'errors').handlers[0]!.keepsRecord).toBe(true));

  it('lets faults pass', () => {
    const { ask, block } = setup(errors, 'errors');
    expect(() =>
      ask(query('a.'), () => {
        throw new Error('bug');
      }),
    ).toThrow('bug');
    expect(block.log.lines).toEqual([]);
  });

  it.each([
    { name: 'at error by itself', level: '', want: 'ERROR' },
    { name: 'at error', level: 'error', want: 'ERROR' },
    { name: 'at warning', level: 'warning', want: 'WARNING' },
    { name: 'at info', level: 'info', want: 'INFO' },
    { name: 'at debug', level: 'debug', want: 'DEBUG' },
  ])('gathers errors into one line $name', ({ level, want }) => {
    const { ask, block } = setup(errors, `errors {\n consolidate 30s "timeout$" ${level}\n}`);
    for (let i = 0; i < 3; i++) void ask(query('a.'), () => failure('i/o timeout'));
    block.clock.advance(29_999);
    expect(block.log.lines).toEqual([]);
    block.clock.advance(1);
    expect(block.log.lines).toEqual([`[${want}] plugin/errors: 3 errors like 'timeout$' occurred in last 30s`]);
    block.clock.advance(60_000);
    expect(block.log.lines).toHaveLength(1);
  });

  it('counts from the first error after a line', () => {
    const { ask, block } = setup(errors, 'errors {\n consolidate 1m x\n}');
    void ask(query('a.'), () => failure('x'));
    block.clock.advance(90_000);
    void ask(query('a.'), () => failure('x'));
    block.clock.advance(59_999);
    expect(block.log.lines).toHaveLength(1);
    block.clock.advance(1);
    expect(block.log.lines).toEqual(Array(2).fill("[ERROR] plugin/errors: 1 errors like 'x' occurred in last 1m0s"));
  });

  it('gives an error to the first pattern, and one that matches none a line', () => {
    const { ask, block } = setup(
      errors,
      'errors {\n consolidate 1s "^(?P<what>read) udp" info\n consolidate 1s refused\n}',
    );
    void ask(query('a.'), () => failure(refused));
    void ask(query('a.'), () => failure('dial tcp: refused'));
    void ask(query('a.'), () => failure('something else'));
    block.clock.advance(1000);
    expect(block.log.lines).toEqual([
      '[ERROR] plugin/errors: 2 a. A: something else',
      "[INFO] plugin/errors: 1 errors like '^(?P<what>read) udp' occurred in last 1s",
      "[ERROR] plugin/errors: 1 errors like 'refused' occurred in last 1s",
    ]);
  });

  it.each([
    { name: 'one alone has no other line', count: 1, lines: ['2 a. A: i/o timeout'] },
    {
      name: 'two are counted',
      count: 2,
      lines: ['2 a. A: i/o timeout', "2 errors like 'timeout$' occurred in last 30s"],
    },
    {
      name: 'several are counted all the same',
      count: 3,
      lines: ['2 a. A: i/o timeout', "3 errors like 'timeout$' occurred in last 30s"],
    },
  ])('shows the first at once: $name', ({ count, lines }) => {
    const { ask, block } = setup(errors, 'errors {\n consolidate 30s "timeout$" warning show_first\n}');
    for (let round = 1; round <= 2; round++) {
      for (let i = 0; i < count; i++) void ask(query('a.'), () => failure('i/o timeout'));
      expect(block.log.lines.slice((round - 1) * lines.length)).toEqual([`[WARNING] plugin/errors: ${lines[0]}`]);
      block.clock.advance(30_000);
      expect(block.log.lines).toHaveLength(round * lines.length);
    }
    expect(block.log.lines.slice(lines.length)).toEqual(lines.map((line) => `[WARNING] plugin/errors: ${line}`));
  });

  it('shows the first as an error where no level is given', () => {
    const { ask, block } = setup(errors, 'errors {\n consolidate 30s "timeout$" show_first\n}');
    void ask(query('a.'), () => failure('i/o timeout'));
    expect(block.log.lines).toEqual(['[ERROR] plugin/errors: 2 a. A: i/o timeout']);
    block.clock.advance(30_000);
  });

  it('writes what it counted when it stops, and each error from then on', async () => {
    const { ask, block } = setup(errors, 'errors {\n consolidate 5m x\n consolidate 5m y\n}');
    void ask(query('a.'), () => failure('x'));
    await block.run('stop');
    void ask(query('a.'), () => failure('x'));
    expect(block.log.lines).toEqual([
      "[ERROR] plugin/errors: 1 errors like 'x' occurred in last 5m0s",
      '[ERROR] plugin/errors: 2 a. A: x',
    ]);
    expect(block.clock.pending).toBe(0);
  });

  it.each([
    { name: 'without', text: 'errors stdout', stacktrace: false },
    { name: 'with', text: 'errors {\n stacktrace\n}', stacktrace: true },
  ])('sets stacks for faults: $name', ({ text, stacktrace }) => {
    expect(setup(errors, text).block.settings.stacktrace).toBe(stacktrace);
  });

  it.each([
    {
      name: 'a file',
      text: 'errors errors.log',
      error: "Corefile:2: errors: where errors go: got 'errors.log', allowed: stdout",
    },
    {
      name: 'two arguments',
      text: 'errors stdout x',
      error: "Corefile:2: errors: got 2 arguments ('stdout' 'x'), allowed: 0 to 1 arguments; usage: errors [stdout]",
    },
    {
      name: 'a second time',
      text: 'errors\nerrors',
      error:
        'Corefile:3: errors: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
    {
      name: 'an unknown option',
      text: 'errors {\n stack\n}',
      error: "Corefile:3: errors: unknown option 'stack'; allowed: consolidate, stacktrace",
    },
    {
      name: 'stacktrace with an argument',
      text: 'errors {\n stacktrace on\n}',
      error: "Corefile:3: errors: stacktrace: got 1 argument ('on'), allowed: no argument",
    },
    {
      name: 'consolidate without a pattern',
      text: 'errors {\n consolidate 5m\n}',
      error:
        "Corefile:3: errors: consolidate: got 1 argument ('5m'), allowed: 2 to 4 arguments; usage: consolidate DURATION REGEXP [LEVEL] [show_first]",
    },
    {
      name: 'too many words',
      text: 'errors {\n consolidate 5m a info show_first x\n}',
      error:
        "Corefile:3: errors: consolidate: got 5 arguments ('5m' 'a' 'info' 'show_first' 'x'), allowed: 2 to 4 arguments",
    },
    {
      name: 'a word that is no flag',
      text: 'errors {\n consolidate 5m a info once\n}',
      error: "Corefile:3: errors: consolidate: got 'once', allowed: show_first",
    },
    {
      name: 'show_first before the level',
      text: 'errors {\n consolidate 5m a show_first info\n}',
      error: "Corefile:3: errors: consolidate: got 'info', allowed: show_first",
    },
    {
      name: 'a pattern over 10,000 bytes',
      text: `errors {\n consolidate 5m ${'a'.repeat(10_001)}\n}`,
      error: 'Corefile:3: errors: consolidate: got a regular expression of 10001 bytes, allowed: at most 10000',
    },
    {
      name: 'a bad duration',
      text: 'errors {\n consolidate 5 a\n}',
      error:
        "Corefile:3: errors: consolidate: DURATION: got '5', allowed: a duration such as 30s, 250ms or 1h30m, at least 1ms",
    },
    {
      name: 'no duration',
      text: 'errors {\n consolidate 0s a\n}',
      error: "Corefile:3: errors: consolidate: DURATION: got '0s', allowed: a duration",
    },
    {
      name: 'a bad pattern',
      text: 'errors {\n consolidate 5m (\n}',
      error: "Corefile:3: errors: consolidate: got regular expression '('",
    },
    {
      name: 'a bad level',
      text: 'errors {\n consolidate 5m a fatal\n}',
      error: "Corefile:3: errors: consolidate: LEVEL: got 'fatal', allowed: debug, info, warning, error",
    },
    {
      name: 'a block behind consolidate',
      text: 'errors {\n consolidate 5m a {\n }\n}',
      error: 'Corefile:3: errors: consolidate: got a block in { }, allowed: none',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(errors, text)).toThrow(error);
  });
});
