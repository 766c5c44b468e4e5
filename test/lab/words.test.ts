import { describe, expect, it } from 'vitest';
import { parseLine, wantsMore } from '../../src/lab/session/words.js';

describe('parseLine', () => {
  it.each([
    {
      name: 'words and quotes',
      text: `echo a 'b  c' "d|e" f\\ g # rest`,
      want: [{ stages: [['echo', 'a', 'b  c', 'd|e', 'f g']] }],
    },
    { name: 'a pipe', text: 'a | b|c', want: [{ stages: [['a'], ['b'], ['c']] }] },
    { name: 'a file', text: 'a > f', want: [{ stages: [['a']], file: { name: 'f', append: false } }] },
    { name: 'a file that grows', text: 'a >> f', want: [{ stages: [['a']], file: { name: 'f', append: true } }] },
    { name: 'a job', text: 'a&', want: [{ stages: [['a']], background: true }] },
    {
      name: 'one after the other',
      text: 'a; b && c || d',
      want: [
        { stages: [['a']], then: ';' },
        { stages: [['b']], then: '&&' },
        { stages: [['c']], then: '||' },
        { stages: [['d']] },
      ],
    },
    { name: 'a semicolon at the end', text: 'a;', want: [{ stages: [['a']] }] },
    { name: 'an empty line', text: '  # nothing', want: [{ stages: [[]] }] },
    { name: 'lines that are joined', text: 'a \\\n   b', want: [{ stages: [['a', 'b']] }] },
    {
      name: 'a here-document',
      text: 'a -f - <<EOF | b\none\n  two\nEOF',
      want: [{ stages: [['a', '-f', '-'], ['b']], input: 'one\n  two\n' }],
    },
    {
      name: 'a here-document that keeps its dollars',
      text: "a <<'E'\n$x `y`\nE",
      want: [{ stages: [['a']], input: '$x `y`\n' }],
    },
    {
      name: 'a dollar that stands for itself',
      text: "grep 'x$' a$ b",
      want: [{ stages: [['grep', 'x$', 'a$', 'b']] }],
    },
  ])('reads $name', ({ text, want }) => {
    const lines = parseLine(text).map(({ stages, ...rest }) => ({ ...rest, stages: stages.map(({ words }) => words) }));
    expect(lines).toEqual(
      want.map((one) => ({ input: undefined, file: undefined, background: false, then: ';', ...one })),
    );
  });

  it('reads what is set for one program', () => {
    expect(parseLine("EDITOR='sed -i s/a/b/' X=1 kubectl edit")[0]!.stages).toEqual([
      { words: ['kubectl', 'edit'], env: { EDITOR: 'sed -i s/a/b/', X: '1' } },
    ]);
  });

  it.each([
    { text: 'a "b', error: 'the quote " is not closed' },
    { text: '| a', error: 'a command is missing beside |' },
    { text: '&& a', error: 'a command is missing before &&' },
    { text: 'a &&', error: 'a command is missing after &&' },
    { text: 'a >>', error: '>> needs the name of a file' },
    {
      text: 'a < b',
      error:
        '"<" is not supported here; a line may have pipes, "> FILE", ">> FILE", "<<WORD", "&&", "||", ";", and "&" at its end',
    },
    { text: 'a <<EOF\nb', error: '<<EOF: got no closing line "EOF"' },
    { text: 'a\nb', error: 'got several lines, allowed: one at a time' },
    { text: 'ping $IP', error: '"$IP" is not supported here: there are no variables and no command substitution' },
    { text: 'echo "now: $(date)"', error: '"$(" is not supported here' },
    { text: 'echo `date`', error: '"`" is not supported here' },
    { text: 'IP=10.0.0.1', error: 'IP=10.0.0.1: a variable lasts for one command only, allowed: NAME=VALUE COMMAND' },
    { text: 'for i in 1 2; do a; done', error: '"for" is not supported here: there are no loops and conditions' },
  ])('refuses $text', ({ text, error }) => expect(() => parseLine(text)).toThrow(error));
});

it.each([
  { text: 'a', want: false },
  { text: 'a \\', want: true },
  { text: 'a \\\\', want: false },
  { text: 'a <<EOF', want: true },
  { text: 'a <<EOF\nb', want: true },
  { text: 'a <<EOF\nb\nEOF', want: false },
  { text: 'a \\\nb', want: false },
])('wantsMore($text)', ({ text, want }) => expect(wantsMore(text)).toBe(want));
