import { describe, expect, it } from 'vitest';
import { rewrite } from '../../../src/plugins/rewrite/setup.js';
import { setup } from '../../support/block.js';

const TYPES = 'exact, prefix, suffix, substring, regex';
const EDNS_LOCAL = 'edns0 local set|append|replace CODE DATA [revert], edns0 local unset CODE';

describe('bad text', () => {
  it.each([
    { name: 'no field', text: '', error: 'got no field, allowed: name, type, class, edns0, ttl, rcode, cname' },
    { name: 'no field after continue', text: 'continue', error: 'got no field, allowed: name, type' },
    { name: 'an unknown field', text: 'foo', error: "got 'foo', allowed: name, type, class, edns0, ttl, rcode, cname" },
    { name: 'an unknown mode', text: 'sometimes name a b', error: "got 'sometimes', allowed: name, type" },
    { name: 'an answer without a name', text: 'answer auto', error: 'answer: it must come after a name rule' },
    {
      name: 'a block after a rule',
      text: 'name a b {\nanswer auto\n}',
      error: "got a block in { } after 'name a b', allowed: only after rewrite, rewrite continue or rewrite stop",
    },
    {
      name: 'a block in a block',
      text: 'stop {\nname a b {\n}\n}',
      error: 'name: got a block in { }, allowed: none',
      line: 3,
    },
    {
      name: 'name without words',
      text: 'name',
      error: 'name: got no argument, allowed: name [exact|prefix|suffix|substring|regex] FROM TO [answer ...]',
    },
    { name: 'name without TO', text: 'name a.com', error: "name: got 'a.com', allowed: name [exact" },
    { name: 'an unknown match type', text: 'name a.com b.com c.com', error: `name: got 'a.com', allowed: ${TYPES}` },
    { name: 'a name that is none', text: 'name a..com b.com', error: "name: got 'a..com.', allowed: a domain name" },
    {
      name: 'a new name that is none',
      text: `name a.com ${'b'.repeat(64)}`,
      error: `name: got '${'b'.repeat(64)}.', allowed: a domain name`,
    },
    {
      name: 'a bad pattern',
      text: 'name regex ([a]\\.com new-{1}.com',
      error: "name: got regular expression '([a]\\.com', error parsing regexp: missing closing )",
    },
    {
      name: 'more groups than there are',
      text: 'name regex (a)\\.com {1}.{2}',
      error: "name: got '{1}.{2}.', which uses 2 groups, but '(a)\\.com' has 1",
    },
    {
      name: 'words after the names',
      text: 'name substring a.com b.com c.com',
      error: "name: got 'c.com', allowed: answer auto, answer name FROM TO, answer value FROM TO",
    },
    {
      name: 'answer without a kind',
      text: 'name regex a b answer',
      error: "answer: got '', allowed: auto, name, value",
    },
    {
      name: 'an unknown kind of answer',
      text: 'name regex a b answer ttl c d',
      error: "answer: got 'ttl', allowed: auto, name, value",
    },
    {
      name: 'answer name without TO',
      text: 'name regex a b answer name c',
      error: "answer name: got 'c', allowed: answer name FROM TO",
    },
    {
      name: 'answer value without words',
      text: 'name regex a b answer value',
      error: 'answer value: got no argument, allowed: answer value FROM TO',
    },
    {
      name: 'a word too many after an answer',
      text: 'name regex a b answer name c d too.long',
      error: "answer: got 'too.long', allowed: auto, name, value",
    },
    {
      name: 'a bad pattern of an answer',
      text: 'name regex a b answer name \\xg c',
      error: "answer name: got regular expression '\\xg', error parsing regexp: invalid escape sequence",
    },
    {
      name: 'more groups than an answer has',
      text: 'name regex a b answer value (c) {1}{2}',
      error: "answer value: got '{1}{2}', which uses 2 groups, but '(c)' has 1",
    },
    {
      name: 'auto together with name',
      text: 'name regex a b answer auto answer name c d',
      error: 'answer: got both auto and name, allowed: one of them',
    },
    { name: 'type without words', text: 'type', error: 'type: got no argument, allowed: type FROM TO' },
    { name: 'type without TO', text: 'type a', error: "type: got 'a', allowed: type FROM TO" },
    { name: 'type with too many words', text: 'type any a a', error: "type: got 'any a a', allowed: type FROM TO" },
    {
      name: 'an unknown type',
      text: 'type ANY WV',
      error: "type: got 'WV', allowed: a record type such as A, MX or ANY",
    },
    {
      name: 'class with too many words',
      text: 'class ch in in',
      error: "class: got 'ch in in', allowed: class FROM TO",
    },
    { name: 'an unknown class', text: 'class XY IN', error: "class: got 'XY', allowed: IN, CH, HS, NONE or ANY" },
    {
      name: 'ttl without a value',
      text: 'ttl a',
      error: "ttl: got 'a', allowed: ttl [exact|prefix|suffix|substring|regex] FROM SECONDS|MIN-MAX",
    },
    { name: 'ttl with too many words', text: 'ttl exact a 5 6', error: "ttl: got 'exact a 5 6', allowed: ttl [exact" },
    { name: 'ttl with an unknown match type', text: 'ttl ends a 5', error: `ttl: got 'ends', allowed: ${TYPES}` },
    {
      name: 'ttl with a bad pattern',
      text: 'ttl regex ( 5',
      error: "ttl: got regular expression '(', error parsing regexp: missing closing )",
    },
    ...['x', '-', '5-x', '30-5', '1-2-3', '4294967296', '5s'].map((ttl) => ({
      name: `ttl ${ttl}`,
      text: `ttl a ${ttl}`,
      error: `ttl: got '${ttl}', allowed: SECONDS, MIN-MAX, MIN- or -MAX, with whole numbers of seconds and MIN not above MAX`,
    })),
    {
      name: 'rcode without a code',
      text: 'rcode a 2',
      error: "rcode: got 'a 2', allowed: rcode [exact|prefix|suffix|substring|regex] FROM RCODE RCODE",
    },
    {
      name: 'an unknown rcode',
      text: 'rcode a WRONG 0',
      error: "rcode: got 'WRONG', allowed: a response code by name, such as SERVFAIL, or from 0 to 23",
    },
    {
      name: 'an rcode out of range',
      text: 'rcode a 0 24',
      error: "rcode: got '24', allowed: a response code by name, such as SERVFAIL, or from 0 to 23",
    },
    {
      name: 'cname without TO',
      text: 'cname a',
      error: "cname: got 'a', allowed: cname [exact|prefix|suffix|substring|regex] FROM TO",
    },
    { name: 'cname with an unknown match type', text: 'cname ends a b', error: `cname: got 'ends', allowed: ${TYPES}` },
    {
      name: 'cname with a bad pattern',
      text: 'cname regex ( b',
      error: "cname: got regular expression '(', error parsing regexp: missing closing )",
    },
    {
      name: 'edns0 without words',
      text: 'edns0',
      error: 'edns0: got no argument, allowed: edns0 local|nsid|subnet set|append|replace|unset ...',
    },
    {
      name: 'edns0 without an action',
      text: 'edns0 local',
      error: "edns0: got 'local', allowed: edns0 local|nsid|subnet",
    },
    { name: 'an unknown kind', text: 'edns0 cookie set', error: "edns0: got 'cookie', allowed: local, nsid, subnet" },
    {
      name: 'an unknown action',
      text: 'edns0 local foo 0xffee a',
      error: "edns0: got 'foo', allowed: set, append, replace, unset",
    },
    {
      name: 'local without data',
      text: 'edns0 local set 0xffee',
      error: `edns0: got 'local set 0xffee', allowed: ${EDNS_LOCAL}`,
    },
    {
      name: 'local unset with data',
      text: 'edns0 local unset 0xffee a',
      error: `edns0: got 'local unset 0xffee a', allowed: ${EDNS_LOCAL}`,
    },
    {
      name: 'local unset with revert',
      text: 'edns0 local unset 0xffee revert',
      error: `edns0: got 'local unset 0xffee revert', allowed: ${EDNS_LOCAL}`,
    },
    {
      name: 'a code that is no number',
      text: 'edns0 local set code a',
      error: "edns0: got 'code', allowed: an option code from 0 to 65535, decimal or as 0xffee",
    },
    {
      name: 'a code out of range',
      text: 'edns0 local set 0x10000 a',
      error: "edns0: got '0x10000', allowed: an option code from 0 to 65535",
    },
    {
      name: 'half an octet',
      text: 'edns0 local set 1 0xabc',
      error: "edns0: got '0xabc', allowed: two hexadecimal digits for each octet after 0x",
    },
    {
      name: 'no hexadecimal digits',
      text: 'edns0 local set 1 0xabcdefgh',
      error: "edns0: got '0xabcdefgh', allowed: two hexadecimal digits",
    },
    {
      name: 'an unknown variable',
      text: 'edns0 local set 1 {dummy}',
      error:
        "edns0: got '{dummy}', allowed: {qname}, {qtype}, {client_ip}, {client_port}, {server_ip}, {server_port}, {protocol}, or a label of metadata such as {plugin/name}",
    },
    {
      name: 'nsid with data',
      text: 'edns0 nsid set junk',
      error: "edns0: got 'nsid set junk', allowed: edns0 nsid set|append|replace [revert], edns0 nsid unset",
    },
    {
      name: 'nsid unset with revert',
      text: 'edns0 nsid unset revert',
      error: "edns0: got 'nsid unset revert', allowed: edns0 nsid",
    },
    {
      name: 'subnet with too many words',
      text: 'edns0 subnet append 24 56 72',
      error:
        "edns0: got 'subnet append 24 56 72', allowed: edns0 subnet set|append|replace IPV4-BITS IPV6-BITS [revert], edns0 subnet unset",
    },
    {
      name: 'subnet unset with bits',
      text: 'edns0 subnet unset 24 56',
      error: "edns0: got 'subnet unset 24 56', allowed: edns0 subnet",
    },
    {
      name: 'too many IPv4 bits',
      text: 'edns0 subnet set 33 56',
      error: "edns0: IPV4-BITS: got '33', allowed: a whole number from 0 to 32",
    },
    {
      name: 'fewer IPv6 bits than none',
      text: 'edns0 subnet set 24 -56',
      error: "edns0: IPV6-BITS: got '-56', allowed: a whole number from 0 to 128",
    },
  ] as { name: string; text: string; error: string; line?: number }[])('$name', ({ text, error, line }) => {
    expect(() => setup(rewrite, `rewrite ${text}`)).toThrow(`Corefile:${line ?? 2}: rewrite: ${error}`);
  });

  it('names the line of the rule that is wrong', () => {
    expect(() => setup(rewrite, 'rewrite name a b\nrewrite type A')).toThrow('Corefile:3: rewrite: type: ');
  });
});

describe('good text', () => {
  it.each([
    'name a.com b.com',
    'NAME a.com b.com',
    'name exact a.com',
    'Stop Name a.com b.com',
    'continue type any a',
    'class ch in',
    'name regex (dns)\\.(core)\\.(rocks) {2}.{1}.{3} answer name (core)\\.(dns)\\.(rocks) {2}.{1}.{3}',
    'name substring a.com b.com answer auto',
    'name EXACT a.com b.com answer auto answer value c d',
    'ttl a 5',
    'ttl regex (.*)\\.a 5-',
    'rcode prefix a 2 NOERROR',
    'cname a. b.',
    'edns0 local set 0xffee {qname} revert',
    'edns0 nsid set revert',
    'edns0 subnet append 24 56 revert',
    'edns0 local set 1 revert revert',
    'edns0 local unset 0xffee',
    'edns0 subnet unset',
    'edns0 local set 65518 {some-plugin/some-label}',
  ])('%s', (text) => {
    expect(setup(rewrite, `rewrite ${text}`).handlers).toHaveLength(1);
  });
});
