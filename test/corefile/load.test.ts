import { describe, expect, it } from 'vitest';
import type { CorefileEntry } from '../../src/corefile/entry.js';
import { parseCorefile } from '../../src/corefile/load.js';
import { memoryFiles, messageOf } from './memory-files.js';

const show = (entry: CorefileEntry): string =>
  [
    entry.line,
    entry.name,
    ...entry.args,
    ...(entry.options ? ['{', entry.options.map(show).join('; '), '}'] : []),
  ].join(' ');
const parse = (text: string, env = {}): string[] =>
  parseCorefile({ name: 'Corefile', text }, memoryFiles({}, env)).blocks.map(
    (block) =>
      `${block.line} ${block.keys.map((key) => key.zone).join(' ')} | ${block.directives.map(show).join(' | ')}`,
  );

const DIRECTIVES = ['errors', 'log', 'cache', 'forward', 'whoami'];

describe('parseCorefile', () => {
  it.each([
    { name: 'an empty file', text: '', want: [] },
    { name: 'only comments', text: '# a\n\n# b', want: [] },
    { name: 'a block', text: '. {\n  log\n}\n', want: ['1 . | 2 log'] },
    { name: 'several blocks', text: 'a {\n log\n}\n\nb {\n errors\n}', want: ['1 a. | 2 log', '5 b. | 6 errors'] },
    { name: 'a block without directives', text: '. {\n}', want: ['1 . | '] },
    { name: 'an empty block on one line', text: '. { }', want: ['1 . | '] },
    { name: 'a key alone', text: 'example.org', want: ['1 example.org. | '] },
    {
      name: 'a file that is one block without braces',
      text: 'example.org\nwhoami\nlog . {\n class all\n}',
      want: ['1 example.org. | 2 whoami | 3 log . { 4 class all }'],
    },
    { name: 'the brace on the next line', text: 'example.org\n{\n log\n}', want: ['1 example.org. | 3 log'] },
    { name: 'the first directive on the line of the brace', text: '. { log\n}', want: ['1 . | 1 log'] },
    { name: 'keys over several lines', text: '\na,\nb,\nc {\n log\n}', want: ['2 a. b. c. | 5 log'] },
    { name: 'a key from the environment', text: '{$ZONE}:53 {\n}', env: { ZONE: 'a.org' }, want: ['1 a.org. | '] },
    { name: 'an empty key beside others', text: 'a {$NONE} b {\n}', want: ['1 a. b. | '] },
    {
      name: 'a directive twice',
      text: '. {\n log a\n errors\n log b\n}',
      want: ['1 . | 2 log a | 3 errors | 4 log b'],
    },
    { name: 'an empty directive block', text: '. {\n cache {\n }\n}', want: ['1 . | 2 cache {  }'] },
    {
      name: 'options',
      text: '. {\n cache 30 {\n  success 9984 30\n\n  prefetch 10\n }\n}',
      want: ['1 . | 2 cache 30 { 3 success 9984 30; 5 prefetch 10 }'],
    },
    {
      name: 'blocks in blocks',
      text: '. {\n rewrite stop {\n  a b {\n   c\n  }\n  d\n }\n log\n}',
      want: ['1 . | 2 rewrite stop { 3 a b { 4 c }; 6 d } | 8 log'],
    },
    {
      name: 'a directive block on one line',
      text: '. {\n cache { success 9984 30 }\n log\n}',
      want: ['1 . | 2 cache { 2 success 9984 30 } | 3 log'],
    },
    { name: 'blocks in blocks on one line', text: '. {\n a { b { c } }\n}', want: ['1 . | 2 a { 2 b { 2 c } }'] },
    {
      name: 'an option on the line of the brace',
      text: '. {\n cache { success 1\n denial 2\n }\n}',
      want: ['1 . | 2 cache { 2 success 1; 3 denial 2 }'],
    },
    {
      name: 'quoted braces',
      text: '. {\n log "{" "}"\n cache {\n  "}" "{"\n }\n}',
      want: ['1 . | 2 log { } | 3 cache { 4 } { }'],
    },
    {
      name: 'quoted text over lines',
      text: '. {\n template "a\nb" c\n log\n}',
      want: ['1 . | 2 template a\nb c | 4 log'],
    },
    {
      name: 'braces inside words',
      text: '. {\n template {{ .Name }} {remote}\n}',
      want: ['1 . | 2 template {{ .Name }} {remote}'],
    },
    {
      name: 'the environment in names, arguments and options',
      text: '. {\n {$D} a{$X}b {\n  {%O%} "{$X} {$X}"\n }\n}',
      env: { D: 'log', X: 'x', O: 'opt' },
      want: ['1 . | 2 log axb { 3 opt x x }'],
    },
    {
      name: 'comments everywhere',
      text: '. { # a\n log # b\n # c\n cache { # d\n } # e\n} # f',
      want: ['1 . | 2 log | 4 cache {  }'],
    },
    { name: 'a directive named import in quotes', text: '. {\n "import" x\n}', want: ['1 . | 2 import x'] },
  ])('$name', ({ text, env, want }) => expect(parse(text, env)).toEqual(want));

  it.each([
    {
      name: 'an open server block',
      text: '.:5999 {\n    forward . 127.0.0.1\n',
      want: "Corefile:2: server block '.:5999': expected the '}' for the '{' opened at Corefile:1, got the end of the file",
    },
    {
      name: 'an open directive block',
      text: '. {\n cache {\n  success 1\n}\n',
      want: "Corefile:4: server block '.': expected the '}' for the '{' opened at Corefile:1, got the end of the file",
    },
    {
      name: 'two open blocks',
      text: '. {\n cache {\n  success 1\n',
      want: "Corefile:3: the block of 'cache': expected the '}' for the '{' opened at Corefile:2, got the end of the file",
    },
    {
      name: 'an open option block',
      text: '. {\n a {\n  b {\n',
      want: "Corefile:3: the block of 'b': expected the '}' for the '{' opened at Corefile:3, got the end of the file",
    },
    { name: 'a brace too many', text: '. {\n log\n}\n}\n', want: "Corefile:4: unexpected '}': no block is open here" },
    {
      name: 'a brace too many without braces',
      text: 'a.org\nlog\n}\n',
      want: "Corefile:3: unexpected '}': no block is open here",
    },
    {
      name: 'a block without a key',
      text: '{\n log\n}',
      want: "Corefile:1: got a server block without a key, allowed: at least one zone, such as '. {'",
    },
    {
      name: 'an empty key alone',
      text: '\n""',
      want: "Corefile:2: got a server block without a key, allowed: at least one zone, such as '. {'",
    },
    {
      name: 'a key that the environment leaves empty',
      text: '{$NONE} {\n log\n}',
      want: "Corefile:1: got a server block without a key, allowed: at least one zone, such as '. {'",
    },
    {
      name: 'a comma before the brace',
      text: 'a, {\n}',
      want: "Corefile:1: got '{' after a comma, allowed: another key",
    },
    {
      name: 'a comma at the end',
      text: 'a,',
      want: 'Corefile:1: got the end of the file after a comma, allowed: another key',
    },
    {
      name: 'a comma alone',
      text: 'a , b {\n}',
      want: 'Corefile:1: got a comma alone, allowed: KEY, KEY with the comma at the end of a key',
    },
    {
      name: 'a block on a line of its own',
      text: '. {\n cache\n {\n }\n}',
      want: "Corefile:3: unexpected '{': a directive's block opens on the directive's own line",
    },
    {
      name: "an option's block on a line of its own",
      text: '. {\n a {\n  {\n  }\n }\n}',
      want: "Corefile:3: a: unexpected '{': an option's block opens on the option's own line",
    },
    {
      name: "a server block's brace on a directive's line",
      text: '. {\n log }',
      want: "Corefile:2: log: unexpected '}': the '}' of a server block stands on a line of its own",
    },
    {
      name: 'words after a block',
      text: '. {\n cache {\n } log\n}',
      want: "Corefile:3: cache: unexpected 'log' after '}', allowed: the end of the line",
    },
    {
      name: 'two closing braces on a line',
      text: '. {\n cache {\n } }\n',
      want: "Corefile:3: cache: unexpected '}' after '}', allowed: the end of the line",
    },
    {
      name: 'deep blocks',
      text: `. {\n${'a {\n'.repeat(17)}`,
      want: 'Corefile:18: a: got more than 16 blocks inside each other',
    },
    {
      name: 'a variable that names itself',
      text: '. {\n log {$A}\n}',
      env: { A: '{$A}' },
      want: "Corefile:2: the value of environment variable 'A' leads back to itself or is too long",
    },
    {
      name: 'a bad key',
      text: '\n.:99999 {\n}',
      want: "Corefile:2: server block key '.:99999': got port '99999' in '.:99999', allowed: a number from 1 to 65535, or 0 for any free port",
    },
  ])('refuses $name', ({ text, env, want }) => expect(messageOf(() => parse(text, env))).toBe(want));

  it.each([
    {
      name: 'an unknown directive',
      text: '. {\n nosuchplugin\n}',
      want: "Corefile:2: unknown directive 'nosuchplugin'; allowed: errors, log, cache, forward, whoami",
    },
    {
      name: 'a directive of CoreDNS that is not there',
      text: '. {\n log\n route53 example.org.:Z1Z2Z3Z4DZ5Z6Z7\n}',
      want: "Corefile:3: directive 'route53' of CoreDNS is not to be had here; allowed: errors, log, cache, forward, whoami",
    },
    {
      name: 'a directive that CoreDNS has no more',
      text: '. {\n proxy . 8.8.8.8\n}',
      want: "Corefile:2: directive 'proxy' is none of CoreDNS any more: forward took its place: forward FROM TO...; allowed: errors, log, cache, forward, whoami",
    },
    {
      name: 'a misspelt directive',
      text: '. {\n log\n cahce 30\n}',
      want: "Corefile:3: unknown directive 'cahce'; allowed: errors, log, cache, forward, whoami; did you mean 'cache'?",
    },
    {
      name: 'the next server block',
      text: '. {\n log\nexample.org {\n}\n',
      want: "Corefile:3: unknown directive 'example.org'; allowed: errors, log, cache, forward, whoami; is the '}' of the server block opened at Corefile:1 missing?\nCorefile:4: server block '.': expected the '}' for the '{' opened at Corefile:1, got the end of the file",
    },
    {
      name: 'an unknown directive in a snippet',
      text: '(a) {\n wohami\n}\n. {\n import a\n}',
      want: "Corefile:2: unknown directive 'wohami'; allowed: errors, log, cache, forward, whoami; did you mean 'whoami'? (imported at Corefile:5)",
    },
    {
      name: 'several, each at its line, with the list once',
      text: 'a,b {\n azure\n}\n. {\n import nothing\n cahce 30\n}',
      want:
        "Corefile:1: server block key 'a,b': got zone 'a,b', allowed: a domain name without , : ( ) { }; several zones are separated by spaces\n" +
        "Corefile:2: directive 'azure' of CoreDNS is not to be had here; allowed: errors, log, cache, forward, whoami\n" +
        "Corefile:5: import: no snippet named 'nothing' is defined before this line, and there is no file '/nothing'\n" +
        "Corefile:6: unknown directive 'cahce'; allowed: those above; did you mean 'cache'?",
    },
    {
      name: 'one in a snippet of several blocks, once',
      text: '(a) {\n wohami\n}\n. {\n import a\n}\nb {\n log\n}',
      want: "Corefile:2: unknown directive 'wohami'; allowed: errors, log, cache, forward, whoami; did you mean 'whoami'? (imported at Corefile:5)",
    },
    {
      name: 'an empty name',
      text: '. {\n ""\n}',
      want: "Corefile:2: unknown directive ''; allowed: errors, log, cache, forward, whoami",
    },
  ])('refuses $name', ({ text, want }) =>
    expect(messageOf(() => parseCorefile({ name: 'Corefile', text }, { directives: DIRECTIVES }))).toBe(want),
  );

  it('takes the directives there are', () => {
    const { blocks } = parseCorefile({ name: 'Corefile', text: '. {\n log\n cache\n}' }, { directives: DIRECTIVES });
    expect(blocks[0]?.directives.map((directive) => directive.name)).toEqual(['log', 'cache']);
  });
});
