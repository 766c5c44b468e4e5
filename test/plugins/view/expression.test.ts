import { describe, expect, it } from 'vitest';
import { compileCondition, type Callable } from '../../../src/plugins/view/expression/compile.js';
import { ExpressionError } from '../../../src/plugins/view/expression/parse.js';
import type { Type, ExprValue } from '../../../src/plugins/view/expression/types.js';

interface Subject {
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
}

const about = (type: Type, run: (subject: Subject) => ExprValue): Callable<Subject> => ({ args: [], type, run });
const functions = new Map<string, Callable<Subject>>([
  ['name', about('string', ({ name }) => name)],
  ['size', about('int', ({ size }) => size)],
  ['signed', about('bool', ({ signed }) => signed)],
  ['echo', { args: ['string'], type: 'string', run: (_subject, [text]) => text! }],
]);
const subject: Subject = { name: 'abc.x.test.', size: 512, signed: false };
const holds = (text: string): boolean => compileCondition(text, functions).run(subject);

describe('expressions that hold', () => {
  it.each([
    "name() == 'abc.x.test.'",
    'name() == "abc.x.test."',
    "name() != 'b.'",
    '!signed()',
    'not signed()',
    'not signed() and size() == 512',
    'signed() or size() >= 512 && true',
    'true || size() % 0 == 1',
    "name() matches '^abc\\\\..*\\\\.test\\\\.$'",
    "name() not matches 'org'",
    "name() matches echo('^abc')",
    'name() matches `^abc\\..*\\.test\\.$`',
    "name() startsWith 'abc' and name() endsWith 'test.' and name() contains '.x.'",
    "name() not startsWith 'x'",
    "'A' in ['A', 'AAAA']",
    "'MX' not in ['A', 'AAAA']",
    '3 in 1..3',
    'size() in [512, 1232]',
    'size() > 1 + 2 * 3',
    '2 ** 3 ** 2 == 512.0',
    '2 ^ 3 == 8',
    '10 / 4 == 2.5',
    '7 % 4 == 3',
    '-1 < 0 and +1 > 0',
    '1 - 2 - 3 == -4',
    '0x2A == 42 and 0o52 == 42 and 0b101010 == 42 and 4_2 == 42',
    '.5 + 1e1 == 10.5',
    "'a' + 'b' == 'ab'",
    "'a' < 'b'",
    '[1, 2] == [1, 2]',
    '[] == []',
    '[1, 2][1] == 2 and [1, 2][-1] == 2',
    'nil == nil',
    "(nil ?? 'x') == 'x'",
    "(signed() ? 'a' : 'b') == 'b'",
    "name() | upper() | hasPrefix('ABC')",
    "lower('ABC') == 'abc' and trim(' a ') == 'a' and trim('__a_', '_') == 'a'",
    "trimPrefix('abc', 'a') == 'bc' and trimSuffix('abc', 'c') == 'ab' and trimSuffix('abc', '') == 'abc'",
    "indexOf('abcb', 'b') == 1 and lastIndexOf('abcb', 'b') == 3",
    "replace('a.b.c', '.', '$&') == 'a$&b$&c'",
    "split('a.b.c', '.') == ['a', 'b', 'c'] and split('a.b.c', '.', 2) == ['a', 'b.c']",
    "join(['a', 'b'], '-') == 'a-b' and join(['a', 'b']) == 'ab'",
    "repeat('ab', 2) == 'abab'",
    "len(name()) == 11 and len('äé') == 2 and len([1]) == 1",
    "int('42') == 42 and int(4.9) == 4 and float('.5') == 0.5 and string(42) == '42'",
    'abs(-3) == 3 and max(1, 2.5) == 2.5 and min(3, 1, 2) == 1',
    'ceil(1.2) == 2 and floor(1.8) == 1 and round(-1.5) == -2',
    "any(['x', 'test.'], name() endsWith #)",
    "any(['x', 'test.'], { name() endsWith # })",
    "all(split(name(), '.'), len(#) < 5) and none([1, 2], # > 2) and one([1, 2], # == 2)",
    'count([1, 2, 3], # > 1) == 2',
    'any([[1], [2, 3]], any(#, # == 3))',
    "((((name()))) == 'abc.x.test.')",
    "`` == '' and `a`== 'a'",
    '-3 + 3 == 0 and +3 == 3',
    '1 <= 1 and 1 >= 1 and not (1 < 1) and not (1 > 1)',
    'len(1..3) == 3 and len(2..3) == 2 and len(5..1) == 0 and len(1..1000000) == 1000000',
    "split('a.b', '.', 0) == [] and split('a.b', '.', 1) == ['a.b'] and split('a.b', '.', 2) == ['a', 'b']",
    "split('a.b', '.', -1) == ['a', 'b'] and split('a.b', '.', 3) == ['a', 'b']",
    "trim('a_', '_') == 'a' and trim('__', '_') == ''",
    "repeat('a', 0) == '' and len(repeat('a', 1000000)) == 1000000",
    "len('a😀') == 2 and max(1) == 1",
    '[[], [1]] == [[], [1]] and [[1], []] == [[1], []] and [] != [1]',
    `${'true'.padEnd(10_000)}`,
    `${'!'.repeat(100)}true`,
  ])('%s', (text) => expect(holds(text)).toBe(true));
});

describe('expressions that do not hold', () => {
  it.each([
    'false',
    'signed()',
    "name() == 'other.'",
    'size() < 512',
    '1 in []',
    "'1' == echo('2')",
    'true and false',
    'false and true',
    'true && signed()',
    'name() == nil',
    'nil == [1]',
    '[1] == nil',
    '[1] == [1, 2]',
    '[1, 2] == [1]',
    '[1, 2] == [1, 3]',
  ])('%s', (text) => expect(holds(text)).toBe(false));
});

describe('refused', () => {
  it.each([
    { text: '', error: 'it is empty' },
    { text: 'invalid expression', error: 'got 2 expressions in a row, allowed: one' },
    { text: 'true true', error: 'got 2 expressions in a row, allowed: one' },
    { text: "name() == 'a", error: 'unclosed quote after "a" at character 13' },
    { text: 'name() ==', error: 'expected expression after == at character 10' },
    { text: '(true', error: 'unclosed ( at character 6' },
    { text: 'any([1], {# == 1)', error: 'unclosed { at character 17' },
    { text: '`a', error: 'unclosed quote at character 1' },
    { text: '12ab == 1', error: 'unexpected character after a number at character 3' },
    { text: '[1,,2] == []', error: 'a value is missing between two commas' },
    { text: 'name', error: "'name' is no value; functions are called with ( )" },
    { text: 'nosuch()', error: "unknown function 'nosuch'; allowed: abs, all, any, ceil, count, echo" },
    { text: "constructor('x')", error: "unknown function 'constructor'" },
    { text: 'name().length', error: "'.' has no use here" },
    { text: 'name()()', error: 'only functions by name can be called' },
    { text: 'this', error: "'ThisExpression' has no use here" },
    { text: '1', error: "it has to say true or false, '1' is int" },
    { text: 'name()', error: "it has to say true or false, 'name()' is string" },
    { text: 'name() == 1', error: "'name() == 1': == got string and int, allowed: two values of one type" },
    { text: 'size() && true', error: "'size() && true': && got int, allowed: bool" },
    { text: 'not size()', error: "'not size()': not got int, allowed: bool" },
    { text: '-name() == 1', error: "'-name()': - got string, allowed: a number" },
    { text: "size() matches 'a'", error: 'matches got int, allowed: string' },
    { text: "name() matches '('", error: "'name() matches '('': " },
    { text: "name() in 'abc'", error: 'in got string and string, allowed: a value and a list of such values' },
    { text: '1 in ["a"]', error: 'in got int and list of string' },
    { text: "1 < 'a'", error: '< got int and string, allowed: two numbers or two strings' },
    { text: "1 + 'a' == 2", error: '+ got int and string, allowed: two numbers' },
    { text: '1.5 % 2 == 1', error: '% got float and int, allowed: two whole numbers' },
    { text: "1 .. 'a' == []", error: '.. got int and string, allowed: two whole numbers' },
    { text: "1 startsWith 'a'", error: 'startsWith got int and string, allowed: two strings' },
    { text: "[1, 'a'] == []", error: 'the members of a list are of different types: int and string' },
    { text: "true ? 1 : 'a'", error: "the two values of 'true ? 1 : 'a'' are of different types: int and string" },
    { text: "'x' ? true : false", error: '? got string, allowed: bool' },
    { text: 'name() ?? 1 == 1', error: 'are of different types: string and int' },
    { text: "name(1) == 'a'", error: "'name(1)': got (int), allowed: name()" },
    { text: "echo(1) == 'a'", error: "'echo(1)': got (int), allowed: echo(string)" },
    { text: "upper(1) == 'a'", error: "'upper(1)': got (int), allowed: upper(string)" },
    { text: "trim('a', 'b', 'c') == ''", error: 'allowed: trim(string, [string])' },
    { text: 'len(1) == 1', error: 'allowed: len(string or list)' },
    { text: 'any(1, true)', error: "'any(1, true)': got int, allowed: a list" },
    { text: 'any([1])', error: 'allowed: any(list, condition)' },
    { text: 'any([1], #)', error: 'any got int, allowed: bool' },
    { text: '# == 1', error: "'#' has a meaning only within all, any, none, one, count" },
    { text: 'name()[0] == 1', error: 'got string, allowed: a list' },
    { text: "[1]['a'] == 1", error: '[] got string, allowed: int' },
    { text: "'a' | name", error: "'name' is no value" },
    { text: "'a' | 'b'", error: "'|' needs a function behind it" },
    { text: 'x'.repeat(10_001), error: 'it has 10001 characters, at most 10000 are allowed' },
    { text: `${'!'.repeat(101)}true`, error: 'more than 100 parts within each other' },
    { text: '`a` == 1', error: "'`a` == 1': == got string and int" },
    { text: '1 === 1', error: 'expected expression after == at character 5' },
    { text: '~1 == 1', error: 'unexpected "~" at character 1' },
    { text: 'null == nil', error: "'null' is no value" },
    { text: '[1] == 1', error: '== got list of int and int, allowed: two values of one type' },
    { text: "[1] == ['a']", error: '== got list of int and list of string' },
    { text: '[[1], 1] == []', error: 'the members of a list are of different types: list of int and int' },
    { text: "[[1], ['a']] == []", error: 'the members of a list are of different types: int and string' },
    { text: "[[1], []][0][0] == 'a'", error: '== got int and string' },
    { text: "[[], [1]][1][0] == 'a'", error: '== got int and string' },
    { text: '[1][2 / 2] == 1', error: '[] got float, allowed: int' },
    { text: '[1][0.5 + 0.5] == 1', error: '[] got float, allowed: int' },
    { text: 'size() || true', error: "'size() || true': || got int, allowed: bool" },
    { text: 'any([1], true, true)', error: "'any([1], true, true)': allowed: any(list, condition)" },
    { text: 'any([1], # == 1) and # == 1', error: "'#' has a meaning only within all" },
    ...[
      ['upper', 'string', ['', "'a', 'b'"]],
      ['trim', 'string, [string]', ['', '1', "'a', 1"]],
      ['abs', 'number', ['', "'a'", '1, 2']],
      ['max', 'number, ...', ['', "1, 'a'"]],
      ['int', 'number or string', ['', 'true', '1, 2']],
      ['string', 'value', ['', '1, 2', '[1]']],
      ['len', 'string or list', ['', "'a', 'b'"]],
      ['join', 'list of string, [string]', ['', "'a'", '[1]', "['a'], 1", "['a'], 'b', 'c'"]],
    ].flatMap(([name, usage, wrong]) =>
      (wrong as string[]).map((args) => ({
        text: `${name as string}(${args}) == nil`,
        error: `allowed: ${name as string}(${usage as string})`,
      })),
    ),
  ])('$text', ({ text, error }) => {
    expect(() => compileCondition(text, functions)).toThrow(ExpressionError);
    expect(() => compileCondition(text, functions)).toThrow(error);
  });
});

describe('what cannot be evaluated', () => {
  it.each([
    { text: "name() matches echo('(')", error: 'matches' },
    { text: '1 % (size() - 512) == 0', error: 'division by zero' },
    { text: '[1][size()] == 1', error: 'the list has no such member' },
    { text: 'int(name()) == 1', error: "int: got 'abc.x.test.', allowed: a whole number" },
    { text: 'float(name()) == 1', error: "float: got 'abc.x.test.', allowed: a number" },
    { text: "repeat('a', -1) == ''", error: 'repeat: got -1 times' },
    { text: "repeat('a', 1000001) == ''", error: 'repeat: got 1000001 times, allowed: up to 1000000 characters' },
    { text: '5 in 1..1000001', error: 'a range of more than 1000000 members' },
  ])('$text', ({ text, error }) => {
    const condition = compileCondition(text, functions);
    expect(() => condition.run(subject)).toThrow(error);
  });
});
