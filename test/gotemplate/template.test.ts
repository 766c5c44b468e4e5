import { describe, expect, it } from 'vitest';
import {
  GoStruct,
  GoTemplate,
  GoTemplateError,
  counted,
  integer,
  text,
  type GoValue,
} from '../../src/gotemplate/index.js';

const data = (): GoStruct =>
  new GoStruct(
    'test',
    {
      Name: 'www.example.',
      Empty: '',
      Zero: 0n,
      Three: 3n,
      Half: 0.5,
      Yes: true,
      No: false,
      List: ['a', 'b', 'c'],
      None: [],
      Nils: [null],
      One: new Map<string, GoValue>([['a', '1']]),
      NoMap: new Map<string, GoValue>(),
      Group: new Map<string, GoValue>([
        ['b', '2'],
        ['a', '1'],
      ]),
      Inner: new GoStruct('inner', { Field: 'deep' }),
      Lazy: () => 'made',
    },
    { Twice: counted('Twice', 1, 1, ([value]) => text('Twice', value).repeat(2)) },
  );
const run = (source: string): string =>
  new GoTemplate(source, { add: counted('add', 2, 2, ([a, b]) => integer('add', a) + integer('add', b)) }).execute(
    data(),
  );

/** A template that uses itself until it is used for so many characters. */
const deep = (length: number): string =>
  `{{ define "x" }}{{ if lt (len .) ${length} }}{{ template "x" (print . "a") }}{{ else }}{{ len . }}{{ end }}{{ end }}` +
  '{{ template "x" "" }}';

describe('execute', () => {
  it.each([
    { name: 'text alone', source: 'a { } b', want: 'a { } b' },
    { name: 'nothing', source: '', want: '' },
    { name: 'a field', source: '{{ .Name }}', want: 'www.example.' },
    { name: 'a field that is made when read', source: '{{.Lazy}}', want: 'made' },
    { name: 'a field of a field', source: '{{ .Inner.Field }}', want: 'deep' },
    { name: 'a field of parentheses', source: '{{ (.Inner).Field }}', want: 'deep' },
    { name: 'an entry of a map', source: '{{ .Group.a }}', want: '1' },
    { name: 'a key that a map does not have', source: '{{ .Group.x }}', want: '<no value>' },
    { name: 'a field of what is not there', source: '{{ .Group.x.y }}', want: '<no value>' },
    { name: 'a list and a map of one for true', source: '{{ if .Nils }}x{{ end }}{{ if .One }}y{{ end }}', want: 'xy' },
    { name: 'a field of nil', source: '{{ (index .Nils 0).y }}', want: '<no value>' },
    { name: 'nil to functions', source: '{{ print .Group.x }} {{ .Group.x | print }}', want: '<nil> <nil>' },
    { name: 'and by index', source: '[{{ index .Group "x" }}]', want: '[]' },
    { name: 'a method', source: '{{ .Twice "ab" }}', want: 'abab' },
    { name: 'a method behind a pipe', source: '{{ "ab" | .Twice }}', want: 'abab' },
    { name: 'index into a list', source: '{{ index .List 1 }}', want: 'b' },
    { name: 'index into text gives an octet', source: '{{ index .Name 0 }}', want: '119' },
    { name: 'index without keys', source: '{{ index .Name }}', want: 'www.example.' },
    {
      name: 'slice',
      source: '{{ slice .Name 4 11 }} {{ slice .List 1 }} {{ slice .List 0 2 }}',
      want: 'example [b c] [a b]',
    },
    { name: 'len', source: '{{ len .Name }} {{ len .List }} {{ len .Group }} {{ len "ü" }}', want: '12 3 2 2' },
    {
      name: 'literals',
      source:
        '{{ 1 }} {{ -2 }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 017 }} {{ 1_000 }} {{ 1.5 }} {{ 1e3 }} {{ \'a\' }} {{ true }} {{ "q\\"\\t\\u00e9\\x41\\101" }} {{ `r\\n` }}',
      want: '1 -2 31 3 15 15 1000 1.5 1000 97 true q"\té\x41A r\\n',
    },
    {
      name: 'large and small numbers',
      source: '{{ 9223372036854775807 }} {{ 1e21 }} {{ 1e6 }} {{ 123456.7 }} {{ 0.00001 }} {{ 0.0001 }}',
      want: '9223372036854775807 1e+21 1e+06 123456.7 1e-05 0.0001',
    },
    {
      name: 'lists, maps and structs',
      source: '{{ .List }} {{ .Group }} {{ .Inner }}',
      want: '[a b c] map[a:1 b:2] {deep}',
    },
    {
      name: 'the dot and the root',
      source: '{{ with .Inner }}{{ .Field }} {{ $.Name }}{{ end }}',
      want: 'deep www.example.',
    },
    { name: 'if', source: '{{ if .Yes }}a{{ end }}{{ if .No }}b{{ end }}', want: 'a' },
    { name: 'else', source: '{{ if .Empty }}a{{ else }}b{{ end }}', want: 'b' },
    { name: 'else if', source: '{{ if .No }}a{{ else if .Three }}b{{ else }}c{{ end }}', want: 'b' },
    {
      name: 'what has something in it',
      source: '{{ if .One }}m{{ end }}{{ if .NoMap }}n{{ end }}{{ if .List }}l{{ end }}',
      want: 'ml',
    },
    {
      name: 'else with',
      source: '{{ with .Empty }}a{{ else with .Name }}{{ . }}{{ else }}c{{ end }}',
      want: 'www.example.',
    },
    {
      name: 'what is false',
      source:
        '{{ range .None }}{{ else }}none{{ end }}{{ if .Zero }}0{{ end }}{{ if .None }}l{{ end }}{{ if .Group.x }}m{{ end }}{{ if .Inner }}s{{ end }}',
      want: 'nones',
    },
    { name: 'range over a list', source: '{{ range .List }}<{{ . }}>{{ end }}', want: '<a><b><c>' },
    {
      name: 'range with variables',
      source: '{{ range $i, $e := .List }}{{ $i }}={{ $e }},{{ end }}',
      want: '0=a,1=b,2=c,',
    },
    { name: 'range with one variable', source: '{{ range $e := .List }}{{ $e }}{{ . }}{{ end }}', want: 'aabbcc' },
    {
      name: 'range over a map, in order of its keys',
      source: '{{ range $k, $v := .Group }}{{ $k }}{{ $v }}{{ end }}',
      want: 'a1b2',
    },
    { name: 'range over a number', source: '{{ range 3 }}{{ . }}{{ end }}', want: '012' },
    { name: 'range over the largest number', source: '{{ range 65536 }}{{ end }}.', want: '.' },
    { name: 'range over nothing', source: '{{ range .Group.x }}a{{ else }}b{{ end }}', want: 'b' },
    {
      name: 'break and continue',
      source: '{{ range .List }}{{ if eq . "a" }}{{ continue }}{{ end }}{{ . }}{{ break }}{{ end }}',
      want: 'b',
    },
    { name: 'a variable', source: '{{ $x := .Name }}{{ $x }}', want: 'www.example.' },
    {
      name: 'a variable given another value',
      source: '{{ $x := 1 }}{{ if .Yes }}{{ $x = 2 }}{{ end }}{{ $x }}',
      want: '2',
    },
    {
      name: 'a variable of an inner block hides the outer one',
      source: '{{ $x := 1 }}{{ if .Yes }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}',
      want: '21',
    },
    { name: 'a field of a variable', source: '{{ $x := .Inner }}{{ $x.Field }}', want: 'deep' },
    { name: 'a pipeline', source: '{{ .Name | len | printf "%03d" }}', want: '012' },
    { name: 'a pipeline in parentheses', source: '{{ printf "%d" (add 1 (len .List)) }}', want: '4' },
    { name: 'trimming', source: 'a  {{- 1 -}}  b {{ 2 -}}\n c {{- /* no */ -}} d', want: 'a1b 2cd' },
    { name: 'a comment', source: 'a{{/* x }} y */}}b', want: 'ab' },
    { name: 'and', source: '{{ and 1 .Empty 2 }}|{{ and 1 2 }}|{{ 3 | and 1 }}', want: '|2|3' },
    { name: 'or', source: '{{ or .Empty 0 2 }}|{{ or 1 (index .List 9) }}', want: '2|1' },
    { name: 'not', source: '{{ not .Yes }} {{ not .Empty }}', want: 'false true' },
    {
      name: 'comparisons',
      source:
        '{{ eq 1 2 1 }} {{ ne "a" "b" }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt "b" "a" }} {{ ge 0.5 0.75 }} {{ eq .Group.x nil }}',
      want: 'true true true true true false true',
    },
    { name: 'print and println', source: '{{ print 1 2 "a" 3 }}{{ println "a" 1 }}', want: '1 2a3a 1\n' },
    {
      name: 'html, js and urlquery',
      source: '{{ html "<a&\'>" }} {{ js "it\'s <x>" }} {{ urlquery "a b&c*" }}',
      want: "&lt;a&amp;&#39;&gt; it\\'s \\u003Cx\\u003E a+b%26c%2A",
    },
    {
      name: 'everything that html, js and urlquery write otherwise',
      source: `{{ html "\\"'&<>\\x00;" }} {{ js "\\\\'\\"<>&=;\\x01\\u200b" }} {{ urlquery "!'()*-_.~" }}`,
      want: '&#34;&#39;&amp;&lt;&gt;\ufffd; \\\\\\\'\\"\\u003C\\u003E\\u0026\\u003D;\\u0001\\u200B %21%27%28%29%2A-_.~',
    },
    { name: 'the last character', source: '{{ "\\U0010ffff" }}', want: '\u{10ffff}' },
    { name: 'several arguments are printed first', source: '{{ html 1 2 "<" }}', want: '1 2&lt;' },
    {
      name: 'both sides of each comparison',
      source:
        '{{ lt 1 1 }} {{ lt 2 1 }} {{ le 1 2 }} {{ le 2 1 }} {{ gt 1 1 }} {{ gt 1 2 }} {{ ge 1 1 }} {{ ge 2 1 }} {{ ne 1 1 }} {{ eq 1 2 3 }}',
      want: 'false false true false false false true true false false',
    },
    {
      name: 'nil is equal to nothing else',
      source: '{{ eq 1 nil }} {{ eq nil 1 }} {{ eq nil nil }}',
      want: 'false false true',
    },
    {
      name: 'a part of nothing',
      source: '[{{ slice .Name 12 }}{{ slice .Name 3 3 }}{{ slice .Name 0 12 }}]',
      want: '[www.example.]',
    },
    {
      name: 'define and template',
      source: '{{ define "x" }}<{{ . }}{{ $ }}>{{ end }}{{ template "x" .Name }}{{ template "x" }}',
      want: '<www.example.www.example.><<no value><no value>>',
    },
    { name: 'block', source: '{{ block "x" .Three }}{{ . }}{{ end }}', want: '3' },
    { name: 'white space around an action', source: '  {{ 1 }}  ', want: '  1  ' },
    { name: 'trimming at both ends of the text', source: '{{- 1 -}}a', want: '1a' },
    { name: 'a variable made of another', source: '{{ $x := .Name }}{{ $y := $x }}{{ $y }}', want: 'www.example.' },
    {
      name: 'variables before and after a template that is defined, and used',
      source: '{{ $x := 1 }}{{ define "x" }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}{{ template "x" }}{{ $x }}',
      want: '121',
    },
    {
      name: 'break behind a template that is defined in a range',
      source: '{{ range .List }}{{ define "x" }}{{ end }}{{ . }}{{ break }}{{ end }}',
      want: 'a',
    },
    {
      name: 'break in a range in a range',
      source: '{{ range .List }}{{ range $.List }}{{ . }}{{ end }}{{ break }}{{ end }}',
      want: 'abc',
    },
    {
      name: 'a template used often',
      source: '{{ define "x" }}.{{ end }}{{ range 101 }}{{ template "x" }}{{ end }}',
      want: '.'.repeat(101),
    },
    { name: 'templates 100 deep', source: deep(98), want: '98' },
  ])('$name', ({ source, want }) => {
    expect(run(source)).toBe(want);
  });

  it.each([
    { name: 'no such field', source: '{{ .Grup.d }}', error: "can't evaluate field Grup in type test" },
    { name: 'a field of text', source: '{{ .Name.x }}', error: "can't evaluate field x in type string" },
    { name: 'arguments to a field', source: '{{ .Name 1 }}', error: 'Name has arguments but is no method' },
    { name: 'arguments to an entry', source: '{{ .Group.a 1 }}', error: 'a is not a method but has arguments' },
    { name: 'arguments to a value', source: '{{ 1 2 }}', error: "can't give argument to non-function 1" },
    { name: 'nil alone', source: '{{ nil }}', error: 'nil is not a command' },
    {
      name: 'too few arguments',
      source: '{{ add 1 }}',
      error: 'error calling add: wrong number of args for add: want 2 got 1',
    },
    {
      name: 'too many arguments',
      source: '{{ slice .Name 1 2 3 }}',
      error: 'error calling slice: wrong number of args for slice: want 1 to 3 got 4',
    },
    ...[
      { call: 'not 1 2', want: '1 got 2' },
      { call: 'len .List 2', want: '1 got 2' },
      { call: 'index', want: 'at least 1 got 0' },
      { call: 'slice', want: '1 to 3 got 0' },
      { call: 'printf', want: 'at least 1 got 0' },
      { call: 'eq 1', want: 'at least 2 got 1' },
      { call: 'ne 1 2 3', want: '2 got 3' },
      { call: 'lt 1 2 3', want: '2 got 3' },
      { call: 'le 1 2 3', want: '2 got 3' },
      { call: 'gt 1 2 3', want: '2 got 3' },
      { call: 'ge 1 2 3', want: '2 got 3' },
    ].map(({ call, want }) => ({
      name: `arguments of ${call}`,
      source: `{{ ${call} }}`,
      error: `wrong number of args for ${call.split(' ', 1)[0]}: want ${want}`,
    })),
    { name: 'no arguments to and', source: '{{ and }}', error: 'wrong number of args for and: want at least 1 got 0' },
    {
      name: 'another kind of argument',
      source: '{{ add 1 "2" }}',
      error: 'error calling add: wrong type for an argument of add: want int got string',
    },
    {
      name: 'a number where text is wanted',
      source: '{{ .Twice 1 }}',
      error: 'wrong type for an argument of Twice: want string got int',
    },
    { name: 'index past the end', source: '{{ index .List 3 }}', error: 'error calling index: index out of range: 3' },
    {
      name: 'index before the start',
      source: '{{ index .List -1 }}',
      error: 'error calling index: index out of range: -1',
    },
    {
      name: 'index into a number',
      source: '{{ index 1 2 }}',
      error: "error calling index: can't index item of type int",
    },
    {
      name: 'slice of a number',
      source: '{{ slice 1 2 }}',
      error: "error calling slice: can't slice item of type int",
    },
    {
      name: 'slice backwards',
      source: '{{ slice .Name 3 2 }}',
      error: 'error calling slice: slice out of range: 3 to 2',
    },
    { name: 'length of a number', source: '{{ len 3 }}', error: 'error calling len: len of type int' },
    {
      name: 'length of null',
      source: '{{ range .Nils }}{{ len . }}{{ end }}',
      error: 'error calling len: len of type nil',
    },
    { name: 'range over text', source: '{{ range .Name }}{{ end }}', error: "range can't iterate over string" },
    {
      name: 'range over a huge number',
      source: '{{ range 99999999 }}{{ end }}',
      error: 'range over 99999999, at most 65536 rounds are allowed',
    },
    { name: 'comparing kinds', source: '{{ eq 1 "1" }}', error: 'error calling eq: incompatible types for comparison' },
    {
      name: 'comparing lists',
      source: '{{ eq .List .List }}',
      error: 'error calling eq: non-comparable types list and list',
    },
    {
      name: 'comparing a list with text',
      source: '{{ eq "a" .List }}',
      error: 'error calling eq: non-comparable types string and list',
    },
    {
      name: 'comparing text with a list',
      source: '{{ eq .List "a" }}',
      error: 'error calling eq: non-comparable types list and string',
    },
    {
      name: 'ordering a list and a number',
      source: '{{ lt 1 .List }}',
      error: 'error calling lt: invalid type for comparison: list',
    },
    { name: 'slice past the end', source: '{{ slice .Name 1 13 }}', error: 'slice out of range: 1 to 13' },
    { name: 'slice before the start', source: '{{ slice .Name -1 3 }}', error: 'slice out of range: -1 to 3' },
    { name: 'ordering kinds', source: '{{ lt 1 0.5 }}', error: 'error calling lt: incompatible types for comparison' },
    {
      name: 'ordering truths',
      source: '{{ lt .Yes .No }}',
      error: 'error calling lt: invalid type for comparison: bool',
    },
    { name: 'a template that is not there', source: '{{ template "x" }}', error: "template 'x' not defined" },
    { name: 'templates 101 deep', source: deep(99), error: 'templates that use each other more than 100 deep' },
    {
      name: 'templates without end',
      source: '{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}',
      error: 'templates that use each other more than 100 deep',
    },
    {
      name: 'endless output',
      source: '{{ range 60000 }}{{ $.Name }}{{ end }}',
      error: 'more than 262144 characters of output',
    },
  ])('fails: $name', ({ source, error }) => {
    const template = new GoTemplate(source, {
      add: counted('add', 2, 2, ([a, b]) => integer('add', a) + integer('add', b)),
    });
    expect(() => template.execute(data())).toThrow(GoTemplateError);
    expect(() => template.execute(data())).toThrow(error);
  });
});

describe('reading', () => {
  it.each([
    { name: 'an action without end', source: 'a {{ .Name', error: 'action without closing }}' },
    { name: 'an empty action', source: '{{ }}', error: 'missing value in action' },
    { name: 'text without end', source: '{{ "a }}', error: 'text in " without end' },
    { name: 'raw text without end', source: '{{ `a }}', error: 'text in ` without end' },
    { name: 'a character without end', source: "{{ 'a }}", error: "text in ' without end" },
    {
      name: 'two characters in quotes',
      source: "{{ 'ab' }}",
      error: "got 'ab', allowed: one character in single quotes",
    },
    { name: 'an unknown escape', source: '{{ "\\y" }}', error: 'unknown escape \\y in "\\y"' },
    { name: 'an escape that is no character', source: '{{ "\\U00110000" }}', error: 'unknown escape \\U00110000' },
    {
      name: 'an unknown function',
      source: '{{ notAFunction }}',
      error: "function 'notAFunction' not defined; allowed: not, len,",
    },
    { name: 'an unknown variable', source: '{{ $x }}', error: "undefined variable '$x'" },
    { name: 'a value given to an unknown variable', source: '{{ $x = 1 }}', error: "undefined variable '$x'" },
    {
      name: 'a variable outside its block',
      source: '{{ if .Yes }}{{ $x := 1 }}{{ end }}{{ $x }}',
      error: "undefined variable '$x'",
    },
    {
      name: 'two variables outside range',
      source: '{{ $a, $b := .List }}',
      error: "two variables are allowed in range only, got '$a, $b' in action",
    },
    {
      name: 'a number that is too large',
      source: '{{ 9223372036854775808 }}',
      error: '9223372036854775808 overflows int',
    },
    { name: 'a bad number', source: '{{ 12ab }}', error: "bad number '12ab'" },
    { name: 'a number with two zeros before it', source: '{{ 09 }}', error: "bad number '09'" },
    { name: 'a strange character', source: '{{ # }}', error: 'unexpected # in an action' },
    { name: 'if without end', source: '{{ if .Yes }}a', error: '{{if}} without {{end}}' },
    { name: 'else without end', source: '{{ if .Yes }}a{{ else }}b', error: '{{if}} without {{end}}' },
    {
      name: 'two times else',
      source: '{{ if .Yes }}a{{ else }}b{{ else }}c{{ end }}',
      error: 'more than one {{else}}',
    },
    { name: 'end alone', source: '{{ end }}', error: 'unexpected {{end}}' },
    { name: 'else alone', source: '{{ else }}', error: 'unexpected {{else}}' },
    { name: 'words after end', source: '{{ if .Yes }}{{ end x }}', error: "unexpected 'x' in {{end}}" },
    { name: 'if without a value', source: '{{ if }}{{ end }}', error: 'missing value in if' },
    { name: 'break outside range', source: '{{ break }}', error: '{{break}} outside {{range}}' },
    {
      name: 'continue in the else of a range',
      source: '{{ range .List }}{{ else }}{{ continue }}{{ end }}',
      error: '{{continue}} outside {{range}}',
    },
    { name: 'break in an if outside range', source: '{{ if .Yes }}{{ break }}{{ end }}', error: 'outside {{range}}' },
    { name: 'break behind a range', source: '{{ range .List }}{{ end }}{{ break }}', error: 'outside {{range}}' },
    {
      name: 'break in a template that is defined in a range',
      source: '{{ range .List }}{{ define "x" }}{{ break }}{{ end }}{{ end }}',
      error: '{{break}} outside {{range}}',
    },
    {
      name: 'a variable of the head behind its block',
      source: '{{ if $x := .Yes }}{{ end }}{{ $x }}',
      error: "undefined variable '$x'",
    },
    {
      name: 'a variable of a block in its else',
      source: '{{ if .Yes }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}',
      error: "undefined variable '$x'",
    },
    {
      name: 'a variable of the text around in a template',
      source: '{{ $x := 1 }}{{ define "y" }}{{ $x }}{{ end }}',
      error: "undefined variable '$x'",
    },
    {
      name: 'another block after else',
      source: '{{ if .No }}a{{ else with .Name }}b{{ end }}',
      error: "unexpected 'with' in {{else}}",
    },
    { name: 'define without end', source: '{{ define "x" }}', error: '{{define "x"}} without {{end}}' },
    {
      name: 'define without a name',
      source: '{{ define x }}{{ end }}',
      error: "{{define}} needs a name in quotes, got 'x'",
    },
    { name: 'block without a value', source: '{{ block "x" }}{{ end }}', error: 'missing value for {{block}}' },
    { name: 'a parenthesis without end', source: '{{ (len .Name }}', error: "unexpected '}}' in parentheses" },
    { name: 'a parenthesis too many', source: '{{ .Name ) }}', error: "unexpected ')' in an action" },
    { name: 'a value behind a pipe', source: '{{ .Name | 1 }}', error: 'a value without arguments behind | in action' },
    { name: 'a pipe without a command', source: '{{ .Name | }}', error: 'missing value in action' },
    { name: 'a field of a literal', source: '{{ "a".b }}', error: "unexpected .b in action: it can't follow a value" },
    {
      name: 'operands without space',
      source: '{{ printf "a""b" }}',
      error: 'unexpected \'"b"\' in action: operands are separated by spaces',
    },
    { name: 'a comma', source: '{{ len , }}', error: "unexpected ',' in action" },
  ])('refuses $name', ({ source, error }) => {
    expect(() => new GoTemplate(source)).toThrow(GoTemplateError);
    expect(() => new GoTemplate(source)).toThrow(error);
  });

  it.each([
    { source: '{{ .Name }} 60 IN A {{ index  .Match   1 }}', text: '{{.Name}} 60 IN A {{index .Match 1}}' },
    { source: 'a {{- /* x */ -}} b', text: 'ab' },
    { source: '{{ if ( eq .A  "b" ) | not }}x{{ else }}y{{ end }}', text: '{{if (eq .A "b") | not}}x{{else}}y{{end}}' },
    {
      source: '{{ range $i , $e:=.L }}{{ $e.F }}{{ break }}{{ end }}',
      text: '{{range $i, $e := .L}}{{$e.F}}{{break}}{{end}}',
    },
    {
      source: '{{ $x := . }}{{ $x = nil | print }}{{ (print).F }}',
      text: '{{$x := .}}{{$x = nil | print}}{{(print).F}}',
    },
    { source: '{{ template "x" .A }}{{ template "y" }}', text: '{{template "x" .A}}{{template "y"}}' },
  ])('writes $source in normal spelling', ({ source, text: normal }) => {
    expect(new GoTemplate(source).text).toBe(normal);
  });
});
