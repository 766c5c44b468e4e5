import { describe, expect, it } from 'vitest';
import type { Directive, Option } from '../../src/corefile/directive.js';
import type { CorefileEntry } from '../../src/corefile/entry.js';
import { parseCorefile } from '../../src/corefile/load.js';
import { messageOf } from './memory-files.js';

/** The first directive of a block whose second line begins with `text`. */
const directive = (text: string): Directive =>
  parseCorefile({ name: 'Corefile', text: `. {\n${text}\n}` }).blocks[0]!.directives[0]!;
const option = (text: string): Option => directive(`forward . 1.1.1.1 {\n${text}\n}`).options![0]!;

describe('Directive', () => {
  it('has its words and options', () => {
    const cache = directive('cache 30 a.org {\n  success 9984 30\n}');
    expect(cache).toMatchObject({ name: 'cache', args: ['30', 'a.org'], file: 'Corefile', line: 2 });
    expect(cache.options).toHaveLength(1);
    expect(cache.options![0]).toMatchObject({
      name: 'success',
      args: ['9984', '30'],
      file: 'Corefile',
      line: 3,
      directive: 'cache',
      options: undefined,
    });
  });
  it('tells no block from an empty one', () => {
    expect(directive('cache').options).toBeUndefined();
    expect(directive('cache {\n}').options).toEqual([]);
  });
  it('fails at its line', () =>
    expect(messageOf(() => directive('cache 30').fail('no'))).toBe('Corefile:2: cache: no'));
  it("fails at an option's line", () => {
    const cache = directive('cache {\n success\n denial\n}');
    expect(messageOf(() => cache.fail('no', cache.options![1]))).toBe('Corefile:4: cache: denial: no');
  });
});

describe('Option', () => {
  it('fails at its line, inside others with all their names', () => {
    expect(messageOf(() => option('expire x').fail('no'))).toBe('Corefile:3: forward: expire: no');
    expect(messageOf(() => option('a {\n b\n}').options![0]!.fail('no'))).toBe('Corefile:4: forward: a: b: no');
  });
  it.each([
    { name: 'max_fail', want: "unknown option 'max_fail'; allowed: max_fails, expire; did you mean 'max_fails'?" },
    { name: 'spray', want: "unknown option 'spray'; allowed: max_fails, expire" },
  ])('does not know $name', ({ name, want }) =>
    expect(messageOf(() => option(name).unknown(['max_fails', 'expire']))).toBe(`Corefile:3: forward: ${want}`),
  );
});

describe('numbers of arguments', () => {
  it.each([
    {
      name: 'none allowed',
      text: 'loop extra',
      run: (d: Directive) => d.argCount(0, 0),
      want: "loop: got 1 argument ('extra'), allowed: no argument",
    },
    {
      name: 'none given',
      text: 'forward',
      run: (d: Directive) => d.argCount(2, Infinity, 'forward FROM TO...'),
      want: 'forward: got no argument, allowed: at least 2 arguments; usage: forward FROM TO...',
    },
    {
      name: 'too many',
      text: 'health a b',
      run: (d: Directive) => d.argCount(0, 1),
      want: "health: got 2 arguments ('a' 'b'), allowed: 0 to 1 arguments",
    },
    {
      name: 'exactly two',
      text: 'a b',
      run: (d: Directive) => d.argCount(2, 2),
      want: "a: got 1 argument ('b'), allowed: 2 arguments",
    },
    {
      name: 'one',
      text: 'a b c',
      run: (d: Directive) => d.one('a NAME'),
      want: "a: got 2 arguments ('b' 'c'), allowed: 1 argument; usage: a NAME",
    },
    {
      name: 'a flag with an argument',
      text: 'a b',
      run: (d: Directive) => d.flag(),
      want: "a: got 1 argument ('b'), allowed: no argument",
    },
    {
      name: 'a flag with a block',
      text: 'a {\n}',
      run: (d: Directive) => d.flag(),
      want: 'a: got a block in { }, allowed: none',
    },
    {
      name: 'a block',
      text: 'a {\n b\n}',
      run: (d: Directive) => d.noOptions(),
      want: 'a: got a block in { }, allowed: none',
    },
  ])('refuses $name', ({ text, run, want }) =>
    expect(messageOf(() => run(directive(text)))).toBe(`Corefile:2: ${want}`),
  );

  it('takes what is allowed', () => {
    expect(directive('a b').one()).toBe('b');
    directive('a').flag();
    directive('a b c').argCount(1, Infinity);
    directive('a b c').noOptions();
  });
});

const entry: CorefileEntry = option('opt');

describe('values', () => {
  it.each<{ name: string; run: () => unknown; want: unknown }>([
    { name: 'an integer', run: () => entry.integer('42'), want: 42 },
    { name: 'a negative integer', run: () => entry.integer('-3', { min: -3 }), want: -3 },
    { name: 'an integer at its largest', run: () => entry.integer('9', { min: 0, max: 9 }), want: 9 },
    { name: 'a decimal', run: () => entry.decimal('0.5', { min: 0, max: 1 }), want: 0.5 },
    { name: 'a percentage', run: () => entry.percent('10%', { min: 10, max: 90 }), want: 10 },
    { name: 'seconds', run: () => entry.seconds('30'), want: 30 },
    { name: 'a duration in milliseconds', run: () => entry.duration('1m30s'), want: 90_000 },
    { name: 'a duration at its shortest', run: () => entry.duration('2s', { min: 2000 }), want: 2000 },
    { name: 'a word', run: () => entry.oneOf('random', ['random', 'sequential']), want: 'random' },
    { name: 'an address', run: () => entry.ip('FD00:0::1'), want: 'fd00::1' },
    {
      name: 'zones',
      run: () => entry.zones(['A.org', '10.0.0.0/15']),
      want: ['a.org.', '0.10.in-addr.arpa.', '1.10.in-addr.arpa.'],
    },
    { name: 'host and port', run: () => entry.hostPort('localhost:8080'), want: { host: 'localhost', port: 8080 } },
    { name: 'a port alone', run: () => entry.hostPort(':9153'), want: { host: '', port: 9153 } },
    { name: 'port 0', run: () => entry.hostPort('127.0.0.1:0'), want: { host: '127.0.0.1', port: 0 } },
    { name: 'an IPv6 address in brackets', run: () => entry.hostPort('[::1]:53'), want: { host: '::1', port: 53 } },
    {
      name: 'an IPv6 address with a scope',
      run: () => entry.hostPort('[fe80::1%eth0]:53', { ipOnly: true }),
      want: { host: 'fe80::1%eth0', port: 53 },
    },
    {
      name: 'an IPv6 address alone',
      run: () => entry.hostPort('fd00::1', { defaultPort: 53 }),
      want: { host: 'fd00::1', port: 53 },
    },
    {
      name: 'an IPv6 address in brackets alone',
      run: () => entry.hostPort('[fd00::1]', { defaultPort: 53 }),
      want: { host: 'fd00::1', port: 53 },
    },
    {
      name: 'an IPv4 address alone',
      run: () => entry.hostPort('1.1.1.1', { defaultPort: 53, ipOnly: true }),
      want: { host: '1.1.1.1', port: 53 },
    },
    {
      name: 'a host name alone',
      run: () => entry.hostPort('dns.example.org', { defaultPort: 53 }),
      want: { host: 'dns.example.org', port: 53 },
    },
  ])('reads $name', ({ run, want }) => expect(run()).toEqual(want));

  const HOSTS = 'allowed: HOST:PORT, [IPV6]:PORT, :PORT; PORT from 0 to 65535';
  it.each<{ name: string; run: () => unknown; want: string }>([
    { name: 'a word as an integer', run: () => entry.integer('x'), want: "got 'x', allowed: a whole number" },
    { name: 'an empty integer', run: () => entry.integer(''), want: "got '', allowed: a whole number" },
    {
      name: 'a fraction as an integer',
      run: () => entry.integer('1.5', { min: 0 }),
      want: "got '1.5', allowed: a whole number, at least 0",
    },
    {
      name: 'an integer too small',
      run: () => entry.integer('-1', { min: 0, max: 9 }),
      want: "got '-1', allowed: a whole number from 0 to 9",
    },
    {
      name: 'an integer too large',
      run: () => entry.integer('10', { max: 9, what: 'COUNT' }),
      want: "COUNT: got '10', allowed: a whole number, at most 9",
    },
    {
      name: 'an integer past exact numbers',
      run: () => entry.integer('9007199254740993'),
      want: "got '9007199254740993', allowed: a whole number",
    },
    { name: 'a hexadecimal integer', run: () => entry.integer('0x10'), want: "got '0x10', allowed: a whole number" },
    {
      name: 'a decimal too large',
      run: () => entry.decimal('1.01', { min: 0, max: 1 }),
      want: "got '1.01', allowed: a number from 0 to 1",
    },
    { name: 'a decimal with an exponent', run: () => entry.decimal('1e3'), want: "got '1e3', allowed: a number" },
    {
      name: 'a percentage without a sign',
      run: () => entry.percent('10', { min: 10, max: 90 }),
      want: "got '10', allowed: a percentage such as 10% from 10% to 90%",
    },
    {
      name: 'a percentage too large',
      run: () => entry.percent('91%', { min: 10, max: 90 }),
      want: "got '91%', allowed: a percentage such as 10% from 10% to 90%",
    },
    {
      name: 'seconds with a unit',
      run: () => entry.seconds('30s', { min: 1, what: 'TTL' }),
      want: "TTL: got '30s', allowed: whole seconds without a unit, at least 1",
    },
    {
      name: 'a duration without a unit',
      run: () => entry.duration('30'),
      want: "got '30', allowed: a duration such as 30s, 250ms or 1h30m",
    },
    {
      name: 'a duration too short',
      run: () => entry.duration('1s', { min: 2000 }),
      want: "got '1s', allowed: a duration such as 30s, 250ms or 1h30m, at least 2s",
    },
    {
      name: 'a duration too long',
      run: () => entry.duration('2h', { min: 0, max: 3_600_000 }),
      want: "got '2h', allowed: a duration such as 30s, 250ms or 1h30m from 0s to 1h0m0s",
    },
    {
      name: 'another word',
      run: () => entry.oneOf('sometimes', ['disabled', 'verified', 'insecure']),
      want: "got 'sometimes', allowed: disabled, verified, insecure",
    },
    {
      name: 'a misspelt word',
      run: () => entry.oneOf('Random', ['random', 'sequential'], 'POLICY'),
      want: "POLICY: got 'Random', allowed: random, sequential; did you mean 'random'?",
    },
    {
      name: 'no address',
      run: () => entry.ip('300.1.1.1', 'ADDRESS'),
      want: "ADDRESS: got '300.1.1.1', allowed: an IPv4 or IPv6 address",
    },
    {
      name: 'a bad zone',
      run: () => entry.zones(['a.org', 'a..b']),
      want: "got zone 'a..b', allowed: no empty label (a dot at the start, or two in a row)",
    },
    { name: 'too many colons', run: () => entry.hostPort('abc:def:ghi'), want: `got 'abc:def:ghi', ${HOSTS}` },
    { name: 'a host without a port', run: () => entry.hostPort('localhost'), want: `got 'localhost', ${HOSTS}` },
    { name: 'an empty port', run: () => entry.hostPort('localhost:'), want: `got 'localhost:', ${HOSTS}` },
    { name: 'a port too large', run: () => entry.hostPort(':65536'), want: `got ':65536', ${HOSTS}` },
    {
      name: 'nothing',
      run: () => entry.hostPort('', { defaultPort: 53 }),
      want: "got '', allowed: HOST:PORT, [IPV6]:PORT, :PORT, HOST alone for port 53; PORT from 0 to 65535",
    },
    { name: 'empty brackets', run: () => entry.hostPort('[]:53'), want: `got '[]:53', ${HOSTS}` },
    { name: 'a name in brackets', run: () => entry.hostPort('[a]:53'), want: `got '[a]:53', ${HOSTS}` },
    {
      name: 'a name where an address is needed',
      run: () => entry.hostPort('dns.example', { defaultPort: 53, ipOnly: true, hostNeeded: true, what: 'TO' }),
      want: "TO: got 'dns.example', allowed: IP:PORT, [IPV6]:PORT, IP alone for port 53; PORT from 0 to 65535",
    },
    {
      name: 'a port alone where a host is needed',
      run: () => entry.hostPort(':53', { hostNeeded: true }),
      want: "got ':53', allowed: HOST:PORT, [IPV6]:PORT; PORT from 0 to 65535",
    },
  ])('refuses $name', ({ run, want }) => expect(messageOf(run)).toBe(`Corefile:3: forward: opt: ${want}`));

  it('gives a word its type', () => {
    const words: 'a' | 'b' = entry.oneOf('a', ['a', 'b']);
    expect(words).toBe('a');
  });
});
