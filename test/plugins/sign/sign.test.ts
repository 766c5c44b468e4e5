import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sign } from '../../../src/plugins/sign/setup.js';
import { setup } from '../../support/block.js';

const KEYS = path.resolve(import.meta.dirname, '../../dnssec/keys');
const keyFiles = Object.fromEntries(
  ['ecdsa-ksk', 'ecdsa-zsk', 'ed25519']
    .flatMap((name) => [`${name}.key`, `${name}.private`])
    .map((name) => [name, readFileSync(path.join(KEYS, name), 'utf8')]),
);
const ZONE = `$TTL 60
@         IN SOA  ns host 5 4h 1h 2w 30
          IN NS   ns
          IN DNSKEY 257 3 15 AAAA
          IN NSEC ns A
ns        IN A    192.0.2.53
www       IN A    192.0.2.2
          300 IN A 192.0.2.1
b.a       IN TXT  "x"
sub       IN NS   ns.sub
          IN A    192.0.2.9
ns.sub    IN A    192.0.2.54
safe      IN NS   ns.sub
          IN DS   1 13 2 00
*.apps    IN A    192.0.2.90
elsewhere.test. IN A 192.0.2.1
`;
const TEXT = 'sign db {\nkey file ed25519\ndirectory /out\n}';
const TARGET = '/out/db.example.org.signed';
const DAY = 86_400_000;

const make = (text = TEXT, more: Record<string, string | Buffer> = {}) => {
  const files: Record<string, string | Buffer> = { ...keyFiles, db: ZONE, ...more };
  const made = setup(sign, text, { zones: ['example.org.'], files });
  const { clock, log } = made.block;
  return { ...made, files, clock, log };
};
async function start(...parts: Parameters<typeof make>) {
  const made = make(...parts);
  const started = made.block.run('start');
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
  made.clock.advance(1000);
  await started;
  return made;
}
/** Waits for the signed zone. */
async function there(files: Record<string, string | Buffer>): Promise<void> {
  while (files[TARGET] === undefined) await new Promise((resolve) => setImmediate(resolve));
}
const lines = (content: string | Buffer | undefined): string[] =>
  String(content).trimEnd().replaceAll('\t', ' ').split('\n');

describe('sign', () => {
  it('writes the whole zone in order, signed', async () => {
    const { files, handlers } = await start();
    expect(handlers).toEqual([]);
    const short = lines(files[TARGET]).map((line) => line.replace(/ IN RRSIG (\S+) 15 (\d).*/, ' IN RRSIG $1 $2'));
    const key = '257 3 15 WqnQQLnPjuL9XdPLWz/u+5sfuKQwNTike4UX+Vgu4+Y=';
    expect(short.filter((line) => !line.includes(' IN CDS '))).toEqual([
      'example.org. 60 IN SOA ns.example.org. host.example.org. 1753833600 14400 3600 1209600 30',
      'example.org. 60 IN RRSIG SOA 2',
      'example.org. 60 IN NS ns.example.org.',
      'example.org. 60 IN RRSIG NS 2',
      `example.org. 60 IN DNSKEY ${key}`,
      'example.org. 60 IN RRSIG DNSKEY 2',
      'example.org. 60 IN RRSIG CDS 2',
      `example.org. 60 IN CDNSKEY ${key}`,
      'example.org. 60 IN RRSIG CDNSKEY 2',
      'example.org. 30 IN NSEC b.a.example.org. NS SOA RRSIG NSEC DNSKEY CDS CDNSKEY',
      'example.org. 30 IN RRSIG NSEC 2',
      'b.a.example.org. 60 IN TXT "x"',
      'b.a.example.org. 60 IN RRSIG TXT 4',
      'b.a.example.org. 30 IN NSEC *.apps.example.org. TXT RRSIG NSEC',
      'b.a.example.org. 30 IN RRSIG NSEC 4',
      '*.apps.example.org. 60 IN A 192.0.2.90',
      '*.apps.example.org. 60 IN RRSIG A 3',
      '*.apps.example.org. 30 IN NSEC ns.example.org. A RRSIG NSEC',
      '*.apps.example.org. 30 IN RRSIG NSEC 3',
      'ns.example.org. 60 IN A 192.0.2.53',
      'ns.example.org. 60 IN RRSIG A 3',
      'ns.example.org. 30 IN NSEC safe.example.org. A RRSIG NSEC',
      'ns.example.org. 30 IN RRSIG NSEC 3',
      'safe.example.org. 60 IN NS ns.sub.example.org.',
      'safe.example.org. 60 IN DS 1 13 2 00',
      'safe.example.org. 60 IN RRSIG DS 3',
      'safe.example.org. 30 IN NSEC sub.example.org. NS DS RRSIG NSEC',
      'safe.example.org. 30 IN RRSIG NSEC 3',
      'sub.example.org. 60 IN NS ns.sub.example.org.',
      'sub.example.org. 60 IN A 192.0.2.9',
      'ns.sub.example.org. 60 IN A 192.0.2.54',
      'sub.example.org. 30 IN NSEC www.example.org. NS RRSIG NSEC',
      'sub.example.org. 30 IN RRSIG NSEC 3',
      'www.example.org. 60 IN A 192.0.2.2',
      'www.example.org. 60 IN A 192.0.2.1',
      'www.example.org. 60 IN RRSIG A 3',
      'www.example.org. 30 IN NSEC example.org. A RRSIG NSEC',
      'www.example.org. 30 IN RRSIG NSEC 3',
    ]);
    expect(short.filter((line) => / IN CDS 8003 15 [12] /.test(line))).toHaveLength(2);
  });

  it('is waited for at the start', async () => {
    const { block, files, clock } = make();
    await block.run('start');
    expect(files[TARGET]).toBeDefined();
    // The next look.
    expect(clock.pending).toBe(1);
  });

  it('goes on where a look comes meanwhile, and says how long it took', async () => {
    const { block, clock, log, files } = make();
    void block.run('start');
    clock.advance(5 * 3_600_000);
    await there(files);
    expect(log.lines.filter((line) => line.includes('Signing'))).toHaveLength(1);
    expect(log.lines.at(-1)).toContain('elapsed 18000.000000, ');
  });

  it('writes a large zone once', async () => {
    const names = Array.from({ length: 700 }, (_, i) => `h${i}.example.org.`);
    const { files } = await start(TEXT, { db: ZONE + names.map((name) => `${name} IN A 192.0.2.1\n`).join('') });
    await there(files);
    const written = lines(files[TARGET]).filter((line) => /^h\d+\.\S+ 60 IN A /.test(line));
    expect(written.map((line) => line.split(' ')[0]).sort()).toEqual([...names].sort());
  });

  it('says so, and when it looks again', async () => {
    const { log } = await start();
    expect(log.lines).toEqual([
      `[INFO] plugin/sign: Signing "example.org." because ENOENT: no such file or directory, open '${TARGET}'`,
      `[INFO] plugin/sign: Successfully signed zone "example.org." in "${TARGET}" with key tags "8003" and 1753833600 SOA serial, elapsed 0.000000, next: 2025-07-30T05:00:00.000Z`,
    ]); // prettier-ignore
  });

  const dates = (content: string | Buffer | undefined): number[] =>
    / RRSIG SOA 15 2 60 (\d+) (\d+) /
      .exec(lines(content)[1]!)!
      .slice(1)
      .map((date) => Date.parse(date.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')));

  it('draws the jitter, and signs again in good time', async () => {
    const made = await start();
    const { files, clock, log } = made;
    const first = String(files[TARGET]);
    const [expiration, inception] = dates(first);
    const now = clock.now() - 1000;
    expect([now - inception! >= 3 * 3_600_000, now - inception! <= 21 * 3_600_000]).toEqual([true, true]);
    expect([expiration! - now >= 32 * DAY - 1000, expiration! - now <= 37 * DAY]).toEqual([true, true]);
    clock.advance(5 * DAY);
    expect(String(files[TARGET])).toBe(first);
    await clock.advanceAsync(DAY);
    for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(String(files[TARGET])).not.toBe(first);
    expect(log.lines.at(-2)).toContain('its signature began more than 6 days ago, at ');
    await made.block.run('stop');
    expect(clock.pending).toBe(0);
  });

  it('leaves a zone that is signed', async () => {
    const { files } = await start();
    const again = await start(TEXT, { [TARGET]: files[TARGET]! });
    expect(again.log.lines).toEqual([
      `[INFO] plugin/sign: Skipping signing zone "example.org." in "${TARGET}": signatures are valid`,
    ]);
  });

  const signature = (from: number, to: number): string => {
    const date = (day: number): string =>
      new Date(Date.UTC(2025, 6, 30) + day * DAY).toISOString().replace(/[-:T]/g, '').slice(0, 14);
    return `example.org. 1 IN RRSIG SOA 15 2 1 ${date(to)} ${date(from)} 1 example.org. AAAA\n`;
  };
  it.each([
    { name: 'no signature', file: 'a. 1 IN A 192.0.2.1\n', why: 'no RRSIG record of the SOA record is among its first 100 records' },
    { name: 'no zone', file: 'hello\n', why: `${TARGET}:1: expected TTL, class or record type, got the end of the line` },
    { name: 'an old signature', file: signature(-6.1, 30), why: 'its signature began more than 6 days ago, at 2025-07-23T21:36:00.000Z' },
    { name: 'one that ends', file: signature(-1, 6.9), why: 'its signature ends in less than 7 days, at 2025-08-05T21:36:00.000Z' },
    { name: 'one that is to begin', file: signature(0.5, 30), why: 'its signature begins in the future, at 2025-07-30T12:00:00.000Z' },
    { name: 'a second one that ends', file: signature(-1, 30) + signature(-1, 6), why: 'its signature ends in less than 7 days, at 2025-08-05T00:00:00.000Z' },
  ])('signs a file with $name', async ({ file, why }) => {
    const { log } = await start(TEXT, { [TARGET]: file });
    expect(log.lines[0]).toBe(`[INFO] plugin/sign: Signing "example.org." because ${why}`);
    expect(log.lines[1]).toContain('Successfully signed');
  }); // prettier-ignore

  it.each([
    { name: 'a faulty zone', files: { db: '@ 1 IN SOA a b 1 2 3 4 5\nx 1 IN A here\n' }, error: "db:2: expected an IPv4 address, got 'here'" },
    { name: 'no SOA record', files: { db: '@ 1 IN NS a\n' }, error: 'db:1: no SOA record for zone example.org.' },
    { name: 'a record that no zone has', files: { db: '@ 1 IN SOA a b 1 2 3 4 5\nx 1 IN TYPE255 \\# 0\n' }, error: 'db:2: no record in a zone has type 255' },
    { name: 'a directory that cannot be written', text: TEXT.replace('/out', '/read-only'), error: "EROFS: read-only file system, open '/read-only/db.example.org.signed'" },
    { name: 'no zone', text: TEXT.replace('db', 'nosuch'), error: "ENOENT: no such file or directory, open 'nosuch'" },
  ])('goes on with $name, and says so', async ({ text, files, error }) => {
    const { log } = await start(text, files);
    expect(log.lines[1]).toBe(
      `[WARNING] plugin/sign: Error signing "example.org." with key tags "8003": ${error}, next: 2025-07-30T05:00:00.000Z`,
    );
  }); // prettier-ignore

  it.each([
    { text: 'sign', error: 'Corefile:2: sign: got no argument' },
    { text: 'sign db', error: "Corefile:2: sign: 'key file KEY...' is required" },
    { text: 'sign db {\nkey file\n}', error: 'Corefile:3: sign: key: got 1 argument' },
    { text: 'sign db {\nkey directory keys\n}', error: "Corefile:3: sign: key: got 'directory', allowed: file; name the files of a directory one by one" },
    { text: 'sign db {\nkey file nosuch\n}', error: "Corefile:3: sign: key: ENOENT: no such file or directory, open 'nosuch.key'" },
    { text: 'sign db {\nkey file ecdsa-zsk\n}', error: 'Corefile:3: sign: key: key ecdsa-zsk (keyid: 51621) is no key signing key: flags are 256, allowed: 257' },
    { text: 'sign db {\ndirectory\n}', error: 'Corefile:3: sign: directory: got no argument' },
    { text: 'sign db {\nnsec3\n}', error: "Corefile:3: sign: unknown option 'nsec3'; allowed: key, directory" },
  ])('refuses $text', ({ text, error }) => expect(() => make(text)).toThrow(error)); // prettier-ignore

  it('names the place of a key that is of no use once', () =>
    expect(() => make('sign db {\nkey file ecdsa-zsk\n}')).toThrow(/^Corefile:3: sign: key: key ecdsa-zsk /));

  it('signs several zones from one file, each with its own name', async () => {
    const { files } = await start('sign db example.org example.net {\nkey file ed25519 ecdsa-ksk\ndirectory /out\n}');
    const text = String(files['/out/db.example.net.signed']);
    expect(text).toMatch(/^example\.net\.\t60\tIN\tSOA/);
    expect(text.match(/RRSIG\tSOA (15|13)/g)).toHaveLength(2);
    expect(files[TARGET]).toBeDefined();
  });
});
