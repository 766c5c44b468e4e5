import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

/** Runs a program behind `cat` with these lines. */
const filter = (program: string, lines: readonly string[]): Promise<{ text: string; code: number }> =>
  driven.run(`cat <<'EOF' | ${program}\n${lines.join('\n')}\nEOF`);

const POD = ['Name: a', 'Volumes:', '  config:', '    Type: ConfigMap', 'QoS: x', 'Volumes:', '  other:'];

/** Lines whose surroundings touch, overlap and do not. */
const GROUPS = ['a', 'x', 'a', 'y', 'z', 'a'];

describe('behind a pipe', () => {
  it.each([
    { program: 'grep Vol -A1', lines: POD, want: ['Volumes:', '  config:', '--', 'Volumes:', '  other:'] },
    { program: 'grep -i volumes -A5', lines: POD, want: POD.slice(1) },
    { program: 'grep -B1 QoS', lines: POD, want: ['    Type: ConfigMap', 'QoS: x'] },
    { program: 'grep -C1 QoS', lines: POD, want: ['    Type: ConfigMap', 'QoS: x', 'Volumes:'] },
    { program: 'grep -B1 a', lines: GROUPS, want: ['a', 'x', 'a', '--', 'z', 'a'] },
    { program: 'grep -A1 a', lines: GROUPS, want: ['a', 'x', 'a', 'y', '--', 'a'] },
    { program: 'grep -C1 a', lines: GROUPS, want: ['a', 'x', 'a', 'y', 'z', 'a'] },
    { program: 'grep -B2 a', lines: GROUPS, want: ['a', 'x', 'a', 'y', 'z', 'a'] },
    { program: 'grep -A2 a', lines: GROUPS, want: ['a', 'x', 'a', 'y', 'z', 'a'] },
    { program: 'grep -n -B1 a', lines: GROUPS, want: ['1:a', '2-x', '3:a', '--', '5-z', '6:a'] },
    { program: 'grep -n -A1 a', lines: GROUPS, want: ['1:a', '2-x', '3:a', '4-y', '--', '6:a'] },
    { program: 'grep -n -C1 a', lines: GROUPS, want: ['1:a', '2-x', '3:a', '4-y', '5-z', '6:a'] },
    { program: 'grep -v -n a', lines: GROUPS, want: ['2:x', '4:y', '5:z'] },
    { program: 'grep -m1 -A1 a', lines: GROUPS, want: ['a', 'x'] },
    { program: 'grep -m2 -B1 a', lines: GROUPS, want: ['a', 'x', 'a'] },
    { program: 'grep -n Type', lines: POD, want: ['4:    Type: ConfigMap'] },
    { program: 'grep -n -A1 Type', lines: POD, want: ['4:    Type: ConfigMap', '5-QoS: x'] },
    { program: 'grep -m 1 Vol', lines: POD, want: ['Volumes:'] },
    { program: 'grep -m 2 -E "a|b"', lines: ['a', 'c', 'b', 'a'], want: ['a', 'b'] },
    { program: 'grep -w is', lines: ['this', 'is'], want: ['is'] },
    { program: 'grep -x is', lines: ['is it', 'is'], want: ['is'] },
    { program: 'grep -F a.c', lines: ['abc', 'a.c'], want: ['a.c'] },
    { program: 'grep -o "[0-9]\\+"', lines: ['a1b22'], want: ['1', '22'] },
    { program: 'grep -oE "[[:digit:]]+"', lines: ['a1b22'], want: ['1', '22'] },
    { program: 'grep "a(b)"', lines: ['a(b)', 'ab'], want: ['a(b)'] },
    { program: 'grep -v ^#', lines: ['# x', 'y'], want: ['y'] },
    { program: 'grep -c a', lines: ['a', 'b', 'a'], want: ['2'] },
    { program: 'grep -q a', lines: ['a'], want: [] },
    { program: 'head -n 1', lines: ['a', 'b'], want: ['a'] },
    { program: 'head -2', lines: ['a', 'b', 'c'], want: ['a', 'b'] },
    { program: 'head -n -1', lines: ['a', 'b', 'c'], want: ['a', 'b'] },
    { program: 'tail -1', lines: ['a', 'b'], want: ['b'] },
    { program: 'tail -n +2', lines: ['a', 'b', 'c'], want: ['b', 'c'] },
    { program: 'wc -l', lines: ['a', 'b'], want: ['2'] },
    { program: 'wc', lines: ['a b', 'c'], want: ['      2       3       6'] },
    { program: 'sort', lines: ['b', 'a'], want: ['a', 'b'] },
    { program: 'sort -rn', lines: ['2', '10', '1'], want: ['10', '2', '1'] },
    { program: 'sort -u', lines: ['b', 'a', 'b'], want: ['a', 'b'] },
    { program: 'sort -k 2', lines: ['a 2', 'b 1'], want: ['b 1', 'a 2'] },
    { program: 'sort | uniq -c | sort -rn', lines: ['a', 'b', 'a'], want: ['      2 a', '      1 b'] },
    { program: 'uniq -d', lines: ['a', 'a', 'b'], want: ['a'] },
    { program: 'cut -d: -f2-', lines: ['a:b:c', 'none'], want: ['b:c', 'none'] },
    { program: "awk '{print $1, $NF}'", lines: ['a b c'], want: ['a c'] },
    { program: "awk -F: '/b/ {print $2}'", lines: ['a:1', 'b:2'], want: ['2'] },
    { program: 'tr a-c A-C', lines: ['abcd'], want: ['ABCd'] },
    { program: "tr -d '\"'", lines: ['"a"'], want: ['a'] },
    { program: "tr -s ' '", lines: ['a   b'], want: ['a b'] },
    { program: 'less', lines: ['a'], want: ['a'] },
    { program: "sed 's/a/b/'", lines: ['aa'], want: ['ba'] },
    { program: "sed 's/a/[&]/g'", lines: ['aa'], want: ['[a][a]'] },
    { program: "sed -E 's/(a)(b)/\\2\\1/'", lines: ['ab'], want: ['ba'] },
    { program: "sed 's#/a#/b#'", lines: ['/a'], want: ['/b'] },
    { program: 'sed -n 2p', lines: ['a', 'b'], want: ['b'] },
    { program: "sed -n '/b/,/c/p'", lines: ['a', 'b', 'x', 'c', 'd'], want: ['b', 'x', 'c'] },
    { program: "sed '/a/d; s/b/c/'", lines: ['a', 'b'], want: ['c'] },
    { program: "sed '$d'", lines: ['a', 'b'], want: ['a'] },
    { program: "sed '/a/a after'", lines: ['a', 'b'], want: ['a', 'after', 'b'] },
    { program: "sed '1i before'", lines: ['a'], want: ['before', 'a'] },
    { program: "sed '1c other'", lines: ['a', 'b'], want: ['other', 'b'] },
    { program: 'jq .a[1].b', lines: ['{"a":[1,{"b":"x"}]}'], want: ['"x"'] },
    { program: 'jq -r .a[].b', lines: ['{"a":[{"b":"x"},{"b":"y"}]}'], want: ['x', 'y'] },
    { program: 'jq -c .', lines: ['{"a": 1}'], want: ['{"a":1}'] },
    { program: 'yq .data', lines: ['data:', '  a.b: c'], want: ['{', '  "a.b": "c"', '}'] },
    { program: 'yq -y .data', lines: ['data:', '  a.b: c'], want: ['a.b: c'] },
    { program: `yq '.data["a.b"]'`, lines: ['data:', '  a.b: c'], want: ['"c"'] },
    {
      program: 'jq --indent 1 -c --arg a x --argjson b 2 "[.n, \\$a, \\$b]"',
      lines: ['{"n":', '1}', '{"n":3}'],
      want: ['[1,"x",2]', '[3,"x",2]'],
    },
    { program: 'tee kept', lines: ['a'], want: ['a'] },
  ])('$program', async ({ program, lines, want }) =>
    expect(await filter(program, lines)).toEqual({ text: want.map((line) => `${line}\n`).join(''), code: 0 }),
  );

  it('nothing that matches is code 1', async () =>
    expect(await filter('grep x', ['a'])).toEqual({ text: '', code: 1 }));
  it.each([
    { command: 'diff one one', want: '', code: 0 },
    { command: 'diff one two', want: '2c2\n< b\n---\n> c\n', code: 1 },
    { command: 'diff -u one two', want: '--- one\n+++ two\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n', code: 1 },
  ])('$command', async ({ command, want, code }) => {
    await driven.run("printf 'a\\nb\\n' > one; printf 'a\\nc\\n' > two");
    expect(await driven.run(command)).toEqual({ text: want, code });
  });
  it('tee keeps a file', async () => expect((await driven.run('cat kept')).text).toBe('a\n'));
  it('>> adds to a file', async () => {
    await driven.run('echo one > grown; echo two >> grown');
    expect((await driven.run('cat grown')).text).toBe('one\ntwo\n');
  });
  it('sed -i changes a file of the session', async () =>
    expect((await driven.run("echo one > own && sed -i 's/one/two/' own && cat own")).text).toBe('two\n'));
});

describe('refuses', () => {
  it.each([
    { program: 'grep', text: 'grep: got no pattern' },
    { program: 'grep -r x', text: 'grep: unknown option -r, allowed: -v, -i' },
    { program: 'grep -E "("', text: 'grep: Invalid regular expression' },
    { program: 'grep -A x y', text: 'grep: -A: got "x", allowed: 0 to 1000000' },
    { program: 'sed', text: 'sed: got no script' },
    { program: 'sed y/a/b/', text: 'sed: got "y/a/b/", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p' },
    { program: 'sed s/a/b', text: 'sed: got "s/a/b", allowed' },
    { program: "sed -i 's/a/b/' /etc/shadow", text: 'cannot read /etc/shadow: no such file' },
    { program: 'cut -d: -f x', text: 'cut: -f: got "x", allowed: numbers and ranges such as 1,3-5' },
    { program: "awk 'BEGIN {x'", text: 'awk: syntax error at the end of BEGIN {x' },
    { program: 'tr a', text: 'tr: allowed: tr [-d] [-s] SIGNS [SIGNS]' },
    { program: 'jq nosuch', text: 'jq: error: nosuch/0 is not defined' },
    { program: 'yq .', text: 'yq: ', lines: ['a: [b'] },
    { program: 'tee', text: 'tee: allowed: tee [-a] FILE...' },
    { program: 'xargs -x', text: 'xargs: got -x, allowed: -n, -I, -r, -L, -P' },
  ])('$program', async ({ program, text, lines = ['a'] }) => {
    const ran = await filter(program, lines);
    expect(ran.text).toContain(text);
    expect(ran.code).not.toBe(0);
  });
});
