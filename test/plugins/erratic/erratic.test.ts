import { describe, expect, it } from 'vitest';
import { hasReadiness, type Outcome } from '../../../src/chain/index.js';
import { erratic } from '../../../src/plugins/erratic/setup.js';
import { setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';

const text = (...lines: string[]): string => `erratic {\n${lines.join('\n')}\n}`;

/** What becomes of the first queries: `-` for no answer, `t` for one cut short, `.` for others; upper case if late. */
async function pattern(corefile: string, count: number): Promise<string> {
  const { ask, block } = setup(erratic, corefile);
  let said = '';
  for (let i = 0; i < count; i++) {
    const outcome = ask(query('a.'));
    block.clock.advance(1e6);
    const made = summary(await outcome);
    const letter = made === 'drop' ? '-' : (made as { flags: string }).flags.includes('tc') ? 't' : '.';
    said += outcome instanceof Promise ? (letter === '.' ? 'L' : letter.toUpperCase()) : letter;
  }
  return said;
}

describe('erratic', () => {
  it.each([
    { name: 'nothing said', corefile: 'erratic', want: '-.-.-.-.' },
    { name: 'drop', corefile: text('drop'), want: '-.-.-.-.' },
    { name: 'drop 3', corefile: text('drop 3'), want: '-..-..-.' },
    { name: 'drop 0', corefile: text('drop 0'), want: '........' },
    { name: 'drop 1', corefile: text('drop 1'), want: '--------' },
    { name: 'delay', corefile: text('delay'), want: 'L.L.L.L.' },
    { name: 'delay 3', corefile: text('delay 3 50ms'), want: 'L..L..L.' },
    { name: 'delay by no time', corefile: text('delay 3 0s'), want: 'L..L..L.' },
    { name: 'the largest amount', corefile: text('drop 2147483647'), want: '-.......' },
    { name: 'truncate', corefile: text('truncate'), want: 'tt..tt..' },
    { name: 'truncate 1', corefile: text('truncate 1'), want: 't.t.t.t.' },
    { name: 'delay and drop', corefile: text('delay 2', 'drop 3'), want: '-.L-L.-.' },
    { name: 'delay and drop without numbers', corefile: text('delay', 'drop'), want: 'L.L.L.L.' },
    { name: 'truncate and drop 2', corefile: text('truncate 1', 'drop 2'), want: '-.-.-.-.' },
    { name: 'delay 0', corefile: text('delay 0'), want: '-.-.-.-.' },
    { name: 'truncate 0', corefile: text('truncate 0'), want: '-.-.-.-.' },
    { name: 'delay and truncate', corefile: text('delay 3', 'truncate 1'), want: 'T.tLt.T.' },
  ])('$name: $want', async ({ corefile, want }) => expect(await pattern(corefile, 8)).toBe(want));

  it.each([
    { type: 'A', want: { rcode: 'NOERROR', flags: 'aa', answer: ['x. 0 IN A 192.0.2.53'] } },
    { type: 'AAAA', want: { rcode: 'NOERROR', flags: 'aa', answer: ['x. 0 IN AAAA 2001:db8::53'] } },
    { type: 'MX', want: { rcode: 'SERVFAIL', flags: '' } },
    {
      type: 'AXFR',
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: [
          'x. 0 IN SOA sns.dns.icann.org. noc.dns.icann.org. 2018050825 7200 3600 1209600 3600',
          'x. 0 IN NS b.x.',
          'x. 0 IN NS a.x.',
          'a.x. 0 IN AAAA 2001:bd8::53',
          'b.x. 0 IN AAAA 2001:500::54',
          'x. 0 IN SOA sns.dns.icann.org. noc.dns.icann.org. 2018050825 7200 3600 1209600 3600',
        ],
      },
    },
  ])('answers $type', ({ type, want }) => {
    expect(summary(setup(erratic, text('drop 0')).ask(query('x.', type)) as Outcome)).toEqual(want);
  });

  it('leaves out the last record of a transfer that is cut short', () => {
    const made = summary(setup(erratic, text('truncate 1')).ask(query('x.', 'AXFR')) as Outcome);
    expect((made as { answer: string[] }).answer).toHaveLength(5);
  });

  it('gives 30 records with large', () => {
    const made = summary(setup(erratic, text('drop 0', 'large')).ask(query('x.')) as Outcome);
    expect((made as { answer: string[] }).answer).toHaveLength(30);
  });

  it.each([
    { option: 'delay 1 50ms', duration: 50 },
    { option: 'delay 1', duration: 100 },
  ])('answers after the duration, not before: $option', async ({ option, duration }) => {
    const { ask, block } = setup(erratic, text(option));
    let answered = false;
    const outcome = (ask(query('a.')) as Promise<Outcome>).then(() => (answered = true));
    block.clock.advance(duration - 1);
    await Promise.resolve();
    expect(answered).toBe(false);
    block.clock.advance(1);
    await outcome;
    expect(answered).toBe(true);
  });

  it('is ready while it has seen three or four queries', () => {
    const { ask, handlers } = setup(erratic, text('drop 0'));
    const [handler] = handlers;
    const ready = Array.from({ length: 7 }, () => {
      const now = hasReadiness(handler!) && handler.ready();
      void ask(query('a.'));
      return now;
    });
    expect(ready).toEqual([false, false, false, true, true, false, false]);
  });

  it.each([
    { name: 'an argument', corefile: 'erratic x', error: "2: erratic: got 1 argument ('x'), allowed: no argument" },
    { name: 'another option', corefile: text('lose 3'), error: "3: erratic: unknown option 'lose'" },
    {
      name: 'a negative amount',
      corefile: text('drop -1'),
      error: "3: erratic: drop: AMOUNT: got '-1', allowed: a whole",
    },
    { name: 'too large an amount', corefile: text('drop 2147483648'), error: '3: erratic: drop: AMOUNT: got' },
    { name: 'no number', corefile: text('truncate x'), error: "3: erratic: truncate: AMOUNT: got 'x'" },
    { name: 'two amounts', corefile: text('drop 1 2'), error: "3: erratic: drop: got 2 arguments ('1' '2')" },
    {
      name: 'a time without unit',
      corefile: text('delay 2 50'),
      error: "3: erratic: delay: got '50', allowed: a duration",
    },
    { name: 'large with more', corefile: text('large 3'), error: '3: erratic: large: got 1 argument' },
  ])('refuses $name', ({ corefile, error }) => expect(() => setup(erratic, corefile)).toThrow(`Corefile:${error}`));
});
