import { describe, expect, it } from 'vitest';
import { FlagError, HelpAsked, parseFlags, usage, type FlagSpec } from '../../src/lib/go-flags.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'conf', type: 'string', help: 'A file', default: 'Corefile', alias: 'c' },
  { name: 'quiet', type: 'bool', help: 'Less' },
  { name: 'count', type: 'int', help: 'A number', default: '1' },
  { name: 'plugin', type: 'string', help: 'Several', many: true },
];

/** What was given, and what is left. */
const read = (...args: string[]): [Record<string, string>, readonly string[]] => {
  const { values, given, rest } = parseFlags(args, FLAGS);
  return [Object.fromEntries([...given].map((name) => [name, values[name]!])), rest];
};

describe('a command line in the manner of Go', () => {
  it.each([
    { args: [], want: {} },
    { args: ['-conf', 'a'], want: { conf: 'a' } },
    { args: ['--conf', 'a'], want: { conf: 'a' } },
    { args: ['-conf=a'], want: { conf: 'a' } },
    { args: ['-conf=a=b'], want: { conf: 'a=b' } },
    { args: ['-conf='], want: { conf: '' } },
    { args: ['-conf', ''], want: { conf: '' } },
    { args: ['-c', 'a'], want: { conf: 'a' } },
    { args: ['-conf', '-quiet'], want: { conf: '-quiet' } },
    { args: ['-conf', 'a', '-conf', 'b'], want: { conf: 'b' } },
    { args: ['-quiet'], want: { quiet: 'true' } },
    { args: ['-quiet=f'], want: { quiet: 'false' } },
    { args: ['-count', '-7'], want: { count: '-7' } },
    { args: ['-plugin', 'a', '-plugin=b c'], want: { plugin: 'a\nb c' } },
    { args: ['-quiet', 'false', '-conf', 'a'], want: { quiet: 'true' }, rest: ['false', '-conf', 'a'] },
    { args: ['-quiet', '--', '-conf'], want: { quiet: 'true' }, rest: ['-conf'] },
    { args: ['-'], want: {}, rest: ['-'] },
  ])('$args', ({ args, want, rest = [] }) => {
    expect(read(...args)).toEqual([want, rest]);
  });

  it('fills in what was not given', () => {
    expect(parseFlags([], FLAGS).values).toEqual({ conf: 'Corefile', quiet: 'false', count: '1', plugin: '' });
  });

  it.each([
    { args: ['-conf'], error: 'flag needs an argument: -conf' },
    { args: ['-nosuch'], error: 'flag provided but not defined: -nosuch' },
    { args: ['---conf'], error: 'bad flag syntax: ---conf' },
    { args: ['-=a'], error: 'bad flag syntax: -=a' },
    { args: ['-quiet=maybe'], error: 'invalid boolean value "maybe" for -quiet: parse error' },
    { args: ['-count', 'one'], error: 'invalid value "one" for flag -count: parse error' },
  ])('refuses $args', ({ args, error }) => {
    expect(() => read(...args)).toThrow(error);
  });

  it.each([[['-h']], [['--h']], [['-help']], [['--help']], [['-h=x']], [['-quiet', '-h', '-nosuch']]])(
    '%j asks for help',
    (args) => expect(() => read(...args)).toThrow(HelpAsked),
  );

  it.each([
    { name: 'what follows an unknown flag', args: ['-nosuch', '-h'], error: 'defined: -nosuch' },
    { name: 'another word that begins so', args: ['-helper'], error: 'defined: -helper' },
  ])('$name does not', ({ args, error }) => {
    expect(() => read(...args)).not.toThrow(HelpAsked);
    expect(() => read(...args)).toThrow(error);
  });

  it.each([
    { name: 'a value', args: ['-conf', '-h'], want: { conf: '-h' }, rest: [] },
    { name: 'a word behind the flags', args: ['word', '-h'], want: {}, rest: ['word', '-h'] },
  ])('-h as $name is none', ({ args, want, rest }) => expect(read(...args)).toEqual([want, rest]));

  it('a flag of that name is a flag', () => {
    const flags: readonly FlagSpec[] = [{ name: 'host', type: 'string', help: 'A host', alias: 'h' }];
    expect(parseFlags(['-h', 'a'], flags).values).toEqual({ host: 'a' });
  });
});

// As `flag.PrintDefaults` of Go writes it; Go programs end with 2 after that.
it('is told of in the order of the names, with defaults that say something', () => {
  const flags: readonly FlagSpec[] = [...FLAGS, { name: 'dry', type: 'bool', help: 'None', default: 'false' }];
  expect(usage('nodens', flags)).toBe(
    [
      'Usage of nodens:',
      '  -c string',
      '    \tA file (default "Corefile")',
      '  -conf string',
      '    \tA file (default "Corefile")',
      '  -count int',
      '    \tA number (default 1)',
      '  -dry',
      '    \tNone',
      '  -plugin string',
      '    \tSeveral',
      '  -quiet',
      '    \tLess',
      '',
    ].join('\n'),
  );
  expect(usage('p', [{ name: 'log', type: 'string', help: 'A file', default: '' }])).not.toContain('default');
  expect(new FlagError('no').exitCode).toBe(2);
});
