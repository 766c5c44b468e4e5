import { describe, expect, it } from 'vitest';
import { runDig, runHost, runNslookup } from '../../src/resolver/index.js';
import { Flag, parseRr, type EdnsOption, type Rr } from '../../src/wire/index.js';
import { FakeNetwork, lab, type Answer } from './lab.js';

/** dig's text for a reply with these records and EDNS options; `echo` makes options of the query's. */
async function dig(
  words: string,
  parts: {
    answer?: Rr[];
    options?: EdnsOption[];
    echo?: (sent: readonly EdnsOption[]) => EdnsOption[];
    flags?: number;
    do?: boolean;
  } = {},
  timeZone?: string,
): Promise<string> {
  const reply: Answer = (query) => ({
    ...query,
    flags: Flag.QR | (parts.flags ?? Flag.RD | Flag.RA),
    answer: parts.answer ?? [],
    edns: query.edns && {
      udpSize: 1232,
      version: 0,
      do: parts.do ?? false,
      options: parts.echo?.(query.edns.options) ?? parts.options ?? [],
    },
  });
  const { env, finish } = lab(undefined, new FakeNetwork(reply));
  return (await finish(runDig(words.split(' '), { ...env, ...(timeZone !== undefined && { timeZone }) }))).text;
}

const line = (text: string, start: string): string | undefined => text.split('\n').find((one) => one.startsWith(start));

describe('the OPT pseudo section', () => {
  it.each([
    {
      name: 'a cookie that comes back',
      echo: (sent: readonly EdnsOption[]) => [...sent],
      want: /^; COOKIE: [\da-f]{16} \(echoed\)$/,
    },
    {
      name: "a cookie with the server's part",
      echo: ([sent]: readonly EdnsOption[]) => [{ code: 10, data: Buffer.concat([sent!.data, Buffer.alloc(16, 7)]) }],
      want: /^; COOKIE: [\da-f]{16}(07){16} \(good\)$/,
    },
    {
      name: 'another cookie',
      echo: () => [{ code: 10, data: Buffer.alloc(8, 1) }],
      want: /^; COOKIE: (01){8} \(bad\)$/,
    },
  ])('$name', async ({ echo, want }) => expect(line(await dig('google.com', { echo }), '; COOKIE')).toMatch(want));

  it.each([
    { name: 'a server identifier', option: { code: 3, data: Buffer.from('gp\x01') }, want: '; NSID: 67 70 01 ("gp.")' },
    {
      name: 'a client subnet',
      option: { code: 8, data: Uint8Array.of(0, 1, 20, 16, 10, 1, 0) },
      want: '; CLIENT-SUBNET: 10.1.0.0/20/16',
    },
    {
      name: 'an IPv6 client subnet',
      option: { code: 8, data: Uint8Array.of(0, 2, 32, 0, 0x20, 1, 0xd, 0xb8) },
      want: '; CLIENT-SUBNET: 2001:db8::/32/0',
    },
    { name: 'another option', option: { code: 65_001, data: Uint8Array.of(1, 0xab) }, want: '; OPT=65001: 01 ab' },
  ])('$name', async ({ option, want }) =>
    expect((await dig('google.com', { options: [option] })).split('\n')).toContain(want),
  );

  it('DO', async () =>
    expect(line(await dig('+dnssec google.com', { do: true }), '; EDNS')).toBe(
      '; EDNS: version: 0, flags: do; udp: 1232',
    ));
});

describe('records', () => {
  it.each([
    { name: 'fields in columns', text: 'a.b. 30 A 192.0.2.1', want: 'a.b.\t\t\t30\tIN\tA\t192.0.2.1' },
    {
      name: 'a name up to the TTL',
      text: 'abcdefghijklmnopqrstuv. 30 A 192.0.2.1',
      want: 'abcdefghijklmnopqrstuv.\t30\tIN\tA\t192.0.2.1',
    },
    {
      name: 'a name over the TTL',
      text: 'abcdefghijklmnopqrstuvwxyz. 30 A 192.0.2.1',
      want: 'abcdefghijklmnopqrstuvwxyz. 30\tIN\tA\t192.0.2.1',
    },
    { name: 'a long TTL', text: 'a. 1234567890 A 192.0.2.1', want: 'a.\t\t\t1234567890 IN\tA\t192.0.2.1' },
    {
      name: 'an escaped name',
      text: "a\\ b\\'\\$\\.c\\200. 30 CNAME x\\ y.",
      want: "a\\032b'\\$\\.c\\200.\t30\tIN\tCNAME\tx\\032y.",
    },
    {
      name: 'a key in words of 56 characters',
      text: `a. 30 DNSKEY 257 3 8 ${'A'.repeat(120)}`,
      want: `a.\t\t\t30\tIN\tDNSKEY\t257 3 8 ${'A'.repeat(56)} ${'A'.repeat(56)} ${'A'.repeat(8)}`,
    },
    {
      name: 'a name over the class',
      text: '_postgres._tcp.db.default.svc.cluster.local. 30 SRV 0 50 5432 db-0.db.default.svc.cluster.local.',
      want: '_postgres._tcp.db.default.svc.cluster.local. 30\tIN SRV 0 50 5432 db-0.db.default.svc.cluster.local.',
    },
    {
      name: 'a name up to the class',
      text: 'db-0.db.default.svc.cluster.local. 30 A 172.20.1.50',
      want: 'db-0.db.default.svc.cluster.local. 30 IN A\t172.20.1.50',
    },
    {
      name: 'a reverse name',
      text: '212.152.96.10.in-addr.arpa. 30 PTR webpod.default.svc.cluster.local.',
      want: '212.152.96.10.in-addr.arpa. 30\tIN\tPTR\twebpod.default.svc.cluster.local.',
    },
    { name: 'an unknown type', text: 'a. 30 TYPE65280 \\# 2 ABCD', want: 'a.\t\t\t30\tIN\tTYPE65280 \\# 2 ABCD' },
  ])('$name', async ({ text, want }) =>
    expect((await dig('+noall +answer google.com', { answer: [parseRr(text)] })).trimEnd()).toBe(want),
  );

  it.each([
    { name: 'google.com.', want: ';google.com.\t\t\tIN\tA' },
    { name: 'nosuch.default.svc.cluster.local.', want: ';nosuch.default.svc.cluster.local. IN\tA' },
    { name: 'google.com.default.svc.cluster.local.', want: ';google.com.default.svc.cluster.local. IN A' },
    { name: 'google.com.svc.cluster.local.', want: ';google.com.svc.cluster.local.\tIN\tA' },
  ])('the question $name', async ({ name, want }) => expect(await dig(`+noall +question ${name}`)).toBe(`${want}\n`));

  it.each([
    { ttl: 0, want: '0s' },
    { ttl: 59, want: '59s' },
    { ttl: 3600, want: '1h' },
    { ttl: 694_861, want: '1w1d1h1m1s' },
  ])('+ttlunits: $ttl', async ({ ttl, want }) =>
    expect(
      await dig('+noall +answer +ttlunits google.com', { answer: [{ ...parseRr('a. 1 A 192.0.2.1'), ttl }] }),
    ).toContain(`\t${want}`),
  );
});

describe('header and footer', () => {
  it.each([
    {
      name: 'all flags',
      flags: Flag.AA | Flag.TC | Flag.RD | Flag.RA | Flag.AD | Flag.CD,
      words: '+ignore google.com',
      want: ';; flags: qr aa tc rd ra ad cd; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1',
    },
    {
      name: 'a flag that must be zero',
      flags: Flag.Z,
      words: '+norec google.com',
      want: ';; flags: qr; MBZ: 0x4; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1',
    },
  ])('$name', async ({ flags, words, want }) => expect(line(await dig(words, { flags }), ';; flags')).toBe(want));
  it.each([
    { zone: undefined, want: ';; WHEN: Fri Nov 20 19:12:05 UTC 2026' },
    { zone: 'America/New_York', want: ';; WHEN: Fri Nov 20 14:12:05 EST 2026' },
  ])('the time in $zone', async ({ zone, want }) => {
    expect(line(await dig('google.com', {}, zone), ';; WHEN')).toBe(want);
  });
});

describe('words that are refused', () => {
  it.each([
    {
      words: '+bufsize=99999 a.',
      want: "invalid buffer size '99999': out of range\ndig: Couldn't parse buffer size\n",
    },
    { words: '+subnet=10.0.0.0/33 a.', want: "dig: invalid address '10.0.0.0/33'\n" },
    { words: '-p', want: 'Invalid option: -p\n' },
    { words: 'a\\', want: "dig: 'a\\' is not a legal name (bad escape)\n" },
  ])('dig $words', async ({ words, want }) => expect((await dig(words)).startsWith(want)).toBe(true));

  it.each([
    { run: runNslookup, words: ['-port=x', 'nosuch.'], want: "invalid port 'x': not a valid number\n" },
    { run: runNslookup, words: ['-ndots=129', 'nosuch.'], want: "invalid ndots '129': out of range\n" },
    { run: runNslookup, words: ['-cl=XX', 'nosuch.'], want: 'unknown query class: XX\n' },
    { run: runHost, words: ['-c', 'XX', 'nosuch.'], want: 'host: invalid class: XX\n' },
  ])('$words', async ({ run, words, want }) => {
    const { env, finish } = lab();
    expect((await finish(run(words, env))).text.startsWith(want)).toBe(true);
  });
});
