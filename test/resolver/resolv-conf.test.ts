import { describe, expect, it } from 'vitest';
import { ResolvConfError, parseResolvConf, settingsFor, type ProfileName } from '../../src/resolver/index.js';

describe('parseResolvConf', () => {
  it('reads every line', () => {
    const file = parseResolvConf(
      '# comment\n; another\n\nsearch a.b c.\nnameserver 10.96.0.10\n nameserver\tfd00::a\noptions ndots:5 rotate\noptions timeout:1\n',
    );
    expect(file.nameservers).toEqual([
      { address: '10.96.0.10', line: 5 },
      { address: 'fd00::a', line: 6 },
    ]);
    expect(file.search).toEqual({ domains: ['a.b', 'c.'], line: 4, text: 'a.b c.' });
    expect(file.options).toEqual([
      { name: 'ndots', value: 5, line: 7 },
      { name: 'rotate', value: undefined, line: 7 },
      { name: 'timeout', value: 1, line: 8 },
    ]);
    expect(file.ignored).toEqual([]);
  });
  it('of search and domain the last line counts', () =>
    expect(parseResolvConf('search a b\ndomain c\n').search?.domains).toEqual(['c']));
  it('the zone of a link-local address is dropped', () =>
    expect(parseResolvConf('nameserver fe80::1%eth0').nameservers).toEqual([{ address: 'fe80::1', line: 1 }]));
  it('lists what nobody knows', () => {
    expect(parseResolvConf('lookup file bind\nsortlist 10.0.0.0\noptions frobnicate rotate:3\n').ignored).toEqual([
      { line: 1, text: 'lookup file bind', reason: "no resolver knows 'lookup'" },
      { line: 2, text: 'sortlist 10.0.0.0', reason: 'sortlist orders addresses of old calls only' },
      { line: 3, text: 'frobnicate', reason: "no resolver knows the option 'frobnicate'" },
      { line: 3, text: 'rotate:3', reason: "no resolver knows the option 'rotate:3'" },
    ]);
  });

  it.each([
    { text: 'nameserver', error: 'resolv.conf:1: nameserver: expected an IPv4 or IPv6 address, got nothing' },
    {
      text: '\nnameserver dns.example',
      error: "resolv.conf:2: nameserver: expected an IPv4 or IPv6 address, got 'dns.example'",
    },
    {
      text: 'nameserver 10.0.0.256',
      error: "resolv.conf:1: nameserver: expected an IPv4 or IPv6 address, got '10.0.0.256'",
    },
    { text: 'search', error: 'resolv.conf:1: search: expected a domain, got nothing' },
    { text: 'domain', error: 'resolv.conf:1: domain: expected a domain, got nothing' },
    { text: 'search a..b', error: "resolv.conf:1: search: 'a..b' is no domain: an empty label" },
    {
      text: `search ${'a'.repeat(64)}`,
      error: `resolv.conf:1: search: '${'a'.repeat(64)}' is no domain: label '${'a'.repeat(64)}' has more than 63 characters`,
    },
    {
      text: `search ${'a.'.repeat(128)}`,
      error: 'resolv.conf:1: search: a domain of 256 characters, at most 254 are allowed',
    },
    { text: 'options ndots', error: "resolv.conf:1: options ndots: expected a number after the colon, got 'ndots'" },
    {
      text: 'options timeout:',
      error: "resolv.conf:1: options timeout: expected a number after the colon, got 'timeout:'",
    },
    {
      text: 'options attempts:-1',
      error: "resolv.conf:1: options attempts: expected a number after the colon, got 'attempts:-1'",
    },
  ])('refuses $text', ({ text, error }) => {
    expect(() => parseResolvConf(text)).toThrow(error);
    expect(() => parseResolvConf(text)).toThrow(ResolvConfError);
  });
});

describe('settingsFor', () => {
  const of = (profile: ProfileName, text: string): ReturnType<typeof settingsFor> =>
    settingsFor(profile, parseResolvConf(text));
  const all = ['glibc', 'musl', 'go', 'bind', 'busybox'] as const;

  it.each([
    { name: 'glibc', want: { ndots: 15, timeout: 30, attempts: 5 } },
    { name: 'musl', want: { ndots: 15, timeout: 60, attempts: 10 } },
    { name: 'go', want: { ndots: 15, timeout: 99, attempts: 99 } },
    { name: 'bind', want: { ndots: 15, timeout: 99, attempts: 99 } },
    { name: 'busybox', want: { ndots: 1, timeout: 5, attempts: 2 } },
  ] as const)('$name cuts numbers to its limits', ({ name, want }) =>
    expect(of(name, 'options ndots:99 timeout:99 attempts:99')).toMatchObject(want),
  );

  it.each([
    { name: 'glibc', want: { ndots: 0, timeout: 0, attempts: 0 } },
    { name: 'musl', want: { ndots: 0, timeout: 0, attempts: 0 } },
    { name: 'go', want: { ndots: 0, timeout: 1, attempts: 1 } },
    { name: 'bind', want: { ndots: 0, timeout: 0, attempts: 1 } },
    { name: 'busybox', want: { ndots: 1, timeout: 5, attempts: 2 } },
  ] as const)('$name raises numbers to its limits', ({ name, want }) =>
    expect(of(name, 'options ndots:0 timeout:0 attempts:0')).toMatchObject(want),
  );

  it.each([
    { name: 'glibc', want: { ndots: 1, timeout: 5, attempts: 2 } },
    { name: 'musl', want: { ndots: 1, timeout: 5, attempts: 2 } },
    { name: 'go', want: { ndots: 1, timeout: 5, attempts: 2 } },
    { name: 'bind', want: { ndots: 1, timeout: 5, attempts: 3 } },
    { name: 'busybox', want: { ndots: 1, timeout: 5, attempts: 2 } },
  ] as const)('$name without options', ({ name, want }) =>
    expect(of(name, '')).toMatchObject({
      ...want,
      search: [],
      rotate: false,
      edns0: name === 'go',
      useVc: false,
      trustAd: false,
    }),
  );

  it.each([
    {
      name: 'glibc',
      want: {
        rotate: true,
        singleRequest: true,
        singleRequestReopen: true,
        useVc: true,
        edns0: true,
        trustAd: true,
        noTldQuery: true,
      },
    },
    {
      name: 'musl',
      want: {
        rotate: false,
        singleRequest: false,
        singleRequestReopen: false,
        useVc: false,
        edns0: false,
        trustAd: false,
        noTldQuery: false,
      },
    },
    {
      name: 'go',
      want: {
        rotate: true,
        singleRequest: true,
        singleRequestReopen: true,
        useVc: true,
        edns0: true,
        trustAd: true,
        noTldQuery: false,
      },
    },
    {
      name: 'bind',
      want: {
        rotate: false,
        singleRequest: false,
        singleRequestReopen: false,
        useVc: false,
        edns0: false,
        trustAd: false,
        noTldQuery: false,
      },
    },
    {
      name: 'busybox',
      want: {
        rotate: false,
        singleRequest: false,
        singleRequestReopen: false,
        useVc: false,
        edns0: false,
        trustAd: false,
        noTldQuery: false,
      },
    },
  ] as const)('$name knows these switches', ({ name, want }) => {
    expect(
      of(name, 'options rotate single-request single-request-reopen use-vc edns0 trust-ad no-tld-query'),
    ).toMatchObject(want);
  });

  it.each(all)('%s reads three servers', (profile) => {
    const settings = of(
      profile,
      'nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n',
    );
    expect(settings.servers).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    expect(settings.ignored).toEqual([{ line: 4, text: '10.0.0.4', reason: `${profile} reads 3 name servers` }]);
  });
  it.each([
    { name: 'glibc', want: ['127.0.0.1'] },
    { name: 'musl', want: ['127.0.0.1'] },
    { name: 'busybox', want: ['127.0.0.1'] },
    { name: 'go', want: ['127.0.0.1', '::1'] },
    { name: 'bind', want: ['127.0.0.1', '::1'] },
  ] as const)('$name without servers asks itself', ({ name, want }) => {
    expect(of(name, 'search a').servers).toEqual(want);
  });
  it('the last value of an option counts', () => expect(of('glibc', 'options ndots:2\noptions ndots:3').ndots).toBe(3));
  it('says what a resolver does not know', () =>
    expect(of('musl', 'nameserver 10.0.0.1\noptions ndots:2 rotate').ignored).toEqual([
      { line: 2, text: 'rotate', reason: 'musl does not know it' },
    ]));

  const long = `search ${Array.from({ length: 40 }, (_, i) => `domain-${i}.example`).join(' ')}`;
  it('musl does not read long lines', () => {
    expect(of('musl', long).search).toEqual([]);
    expect(of('musl', long).ignored[0]!.reason).toBe('musl does not read lines of more than 255 bytes');
    expect(of('glibc', long).search).toHaveLength(40);
    const lineOf = (bytes: number): string => 'search a b'.padEnd(bytes);
    expect([255, 256].map((bytes) => of('musl', lineOf(bytes)).search.length)).toEqual([2, 0]);
  });
  it('BIND reads eight search domains', () => {
    expect(of('bind', 'search a b c d e f g h i j').search).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(of('bind', 'search a b c d e f g h i').ignored).toEqual([
      { line: 1, text: 'i', reason: 'bind reads 8 search domains' },
    ]);
  });
  it('closing dots do not matter, and Go leaves the root out', () =>
    expect([of('glibc', 'search a. .').search, of('go', 'search a. .').search]).toEqual([['a', '.'], ['a']]));
});
