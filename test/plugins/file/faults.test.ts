import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DROP, type NotifiesServers } from '../../../src/chain/index.js';
import { file } from '../../../src/plugins/file/setup.js';
import { setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';
import { running } from '../../support/running.js';

const head = (serial: number): string => `$TTL 60\n@ SOA ns host ${serial} 2 3 4 5\n@ NS ns\nkept A 192.0.2.1\n`;
/** Bytes that are no text; the same for each run. */
const garbage = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197 + (i >> 3) * 31) & 0xff));

/** A served file that is replaced by another text, behind a whole zone with a newer serial. */
const replaced = async (text: string | Buffer, more: Record<string, string> = {}) => {
  const files: Record<string, string | Buffer> = { '/db': head(1), ...more };
  const mtimes: Record<string, number> = { '/db': 1 };
  const { block, ask } = setup(file, 'file /db {\nreload 1s\n}', { zones: ['example.'], files, mtimes });
  await block.run('start');
  files['/db'] = text;
  mtimes['/db'] = 2;
  await block.clock.advanceAsync(1000);
  const { answer } = summary(await ask(query('kept.example.'))) as { answer?: string[] };
  const serial = summary(await ask(query('example.', 'SOA'))) as { answer: string[] };
  await block.run('stop');
  return { answer, serial: serial.answer[0]!.split(' ')[6], lines: block.log.lines };
};

describe('a zone stays as it was while its file has', () => {
  it.each<{ name: string; text: string; more?: Record<string, string>; says: string }>([
    { name: 'an unknown word', text: 'a BOGUS x', says: "/db:5: expected TTL, class or record type, got 'BOGUS'" },
    { name: 'a bad address', text: 'a A 192.0.2.256', says: "/db:5: expected an IPv4 address, got '192.0.2.256'" },
    { name: 'an include of itself', text: '$INCLUDE /db', says: '/db:5: more than 7 files within each other' },
    {
      name: 'includes in a circle',
      text: '$INCLUDE /one',
      more: { '/one': '$INCLUDE /two\n', '/two': '\n$INCLUDE /one\n' },
      says: '/one:1: more than 7 files within each other',
    },
    { name: 'an include that is not there', text: '$INCLUDE gone', says: '/db:5: cannot read /gone: ENOENT' },
    {
      name: 'a fault in an include',
      text: '$INCLUDE /one',
      more: { '/one': 'a A 192.0.2.1\n\nb AAAA 1\n' },
      says: "/one:3: expected an IPv6 address, got '1'",
    },
    { name: 'an escape above 255', text: 'a\\999 A 192.0.2.1', says: '/db:5: ' },
    { name: 'an escape of two digits', text: 'a\\25 A 192.0.2.1', says: '/db:5: ' },
    { name: 'an escape at the end', text: 'a TXT b\\', says: '/db:5: nothing after the last backslash' },
    { name: 'a TTL above 32 bits', text: 'a 4294967296 A 192.0.2.1', says: '/db:5: expected TTL, class' },
    { name: 'a TTL with a unit above 32 bits', text: 'a 9999999w A 192.0.2.1', says: '/db:5: expected TTL, class' },
    { name: 'a $TTL above 32 bits', text: '$TTL 4294967296', says: '/db:5: expected a TTL' },
    { name: 'a negative TTL', text: 'a -1 A 192.0.2.1', says: '/db:5: expected TTL, class' },
    {
      name: 'a parenthesis without end',
      text: 'a A (192.0.2.1\nb A 192.0.2.2',
      says: '/db:5: parenthesis without end',
    },
    { name: 'a parenthesis too many', text: 'a A 192.0.2.1 )', says: "/db:5: ')' without '(' before it" },
    { name: 'a quote without end', text: 'a TXT "b\nc A 192.0.2.1', says: '/db:5: quote without end' },
    { name: 'an empty label', text: 'a..b A 192.0.2.1', says: '/db:5: name a..b has an empty label' },
    { name: 'a label that is too long', text: `${'a'.repeat(64)} A 192.0.2.1`, says: '/db:5: ' },
    { name: 'a name that is too long', text: `${'a.'.repeat(130)} A 192.0.2.1`, says: '/db:5: ' },
    { name: 'a range that goes back', text: '$GENERATE 3-1 a$ A 192.0.2.$', says: '/db:5: expected a range' },
    { name: 'a range of text', text: '$GENERATE a-b a$ A 192.0.2.$', says: '/db:5: expected a range' },
    { name: 'a step of nothing', text: '$GENERATE 1-2/0 a$ A 192.0.2.$', says: '/db:5: expected a range' },
    { name: 'a range without end', text: '$GENERATE 0-4294967295 a$ A 192.0.2.1', says: 'has more than 65536 steps' },
    {
      name: 'a range that leads to a fault',
      text: '$GENERATE 255-256 a$ A 192.0.2.$',
      says: '/db:5: expected an IPv4',
    },
    { name: 'an unknown directive', text: '$INCLUDES x', says: "/db:5: unknown directive '$INCLUDES'" },
    { name: 'another class', text: 'a CH A 192.0.2.1', says: '/db:5: class CH, allowed: IN' },
    { name: 'a type of questions', text: 'a TYPE252 \\# 0', says: '/db:5: no record in a zone has type 252' },
    { name: 'generic data of another length', text: 'a TYPE4711 \\# 3 ab', says: '/db:5: ' },
    { name: 'generic data that its type has not', text: 'a A \\# 3 c00002', says: '/db:5: ' },
    { name: 'an end in the middle of a record', text: 'a A', says: '/db:5: data is missing' },
    { name: 'an end in the middle of a name', text: 'a CNAME b..', says: '/db:5: ' },
    { name: 'NSEC3', text: '@ NSEC3PARAM 1 0 0 -', says: '/db:5: zones with NSEC3 cannot be served' },
  ])('$name', async ({ text, more, says }) => {
    const { answer, serial, lines } = await replaced(`${head(2)}${text}`, more);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('[ERROR] plugin/file: Parsing zone "example.": ');
    expect(lines[0]).toContain(says);
    expect({ answer, serial }).toEqual({ answer: ['kept.example. 60 IN A 192.0.2.1'], serial: '1' });
  });

  it.each<{ name: string; text: string | Buffer; says: string }>([
    { name: 'nothing in it', text: '', says: '/db:1: no SOA record for zone example.' },
    { name: 'nothing but comments', text: '; nothing\n\n', says: '/db:1: no SOA record for zone example.' },
    { name: 'no SOA record', text: '$TTL 60\n@ NS ns\n', says: '/db:1: no SOA record for zone example.' },
    { name: 'a SOA record that is cut short', text: '$TTL 60\n@ SOA ns host 2 2 3', says: '/db:2: data is missing' },
    { name: 'bytes that are no text', text: garbage, says: '/db:' },
    { name: 'zeros', text: Buffer.alloc(4096), says: '/db:1: ' },
    { name: 'another encoding', text: Buffer.from(head(2), 'utf16le'), says: '/db:1: ' },
    { name: 'a compressed file', text: Buffer.from('1f8b0800000000000003', 'hex'), says: '/db:1: ' },
  ])('$name', async ({ text, says }) => {
    const { answer, serial, lines } = await replaced(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`[ERROR] plugin/file: Parsing zone "example.": ${says}`);
    expect({ answer, serial }).toEqual({ answer: ['kept.example. 60 IN A 192.0.2.1'], serial: '1' });
  });

  it.each([
    { name: 'a second SOA record', text: '@ SOA ns host 3 2 3 4 5', says: '/db:5: a second SOA record', serial: '3' },
    { name: 'an alias beside records', text: 'kept CNAME x', says: '/db:5: a CNAME record beside other', serial: '2' },
    { name: 'a name outside', text: 'x.org. A 192.0.2.1', says: '/db:5: a name outside zone example.', serial: '2' },
  ])('is taken, with a warning, as CoreDNS takes it: $name', async ({ text, says, serial }) => {
    const { lines, ...got } = await replaced(`${head(2)}${text}\n`);
    expect(lines[0]).toContain(`[WARNING] plugin/file: ${says}`);
    expect(got.serial).toBe(serial);
  });
});

describe('a zone stays as it was while its file is', () => {
  it.each([
    { name: 'a directory', make: (at: string): void => mkdirSync(at), says: 'EISDIR' },
    { name: 'a pipe', make: (at: string): void => void execFileSync('mkfifo', [at]), says: 'got a pipe' },
    { name: 'gone', make: (): void => undefined, says: 'ENOENT' },
  ])('$name', async ({ make, says }) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-faults-'));
    const db = path.join(dir, 'db');
    writeFileSync(db, head(1));
    const server = await running(`example:0 {\nbind 127.0.0.1\nfile ${db} {\nreload 20ms\n}\n}\n`);
    try {
      rmSync(db);
      make(db);
      await expect.poll(() => server.log.join('\n'), { timeout: 10_000 }).toContain(says);
      expect(server.log.find((line) => line.includes(says))).toContain(`Failed to open zone "example." in "${db}"`);
      expect((await server.ask('kept.example.')).answer).toHaveLength(1);
      rmSync(db, { recursive: true, force: true });
      writeFileSync(db, head(2));
      await expect.poll(() => server.log.join('\n'), { timeout: 10_000 }).toContain('Successfully reloaded');
    } finally {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

it('other servers are told of zones that are there when the server is, and of those that come later', async () => {
  const files: Record<string, string> = { '/one': head(1) };
  const mtimes: Record<string, number> = { '/one': 1 };
  const text = 'file /one one.example\nfile /two two.example';
  const { block, handlers } = setup(file, text, { zones: ['.'], files, mtimes });
  const told: string[] = [];
  const listener: NotifiesServers = { notify: (zone) => void told.push(zone) };
  block.chain = [{ name: 'listener', handle: () => DROP, ...listener }, ...handlers];
  await block.run('start');
  await block.run('serving');
  expect(told).toEqual(['one.example.']);
  files['/two'] = head(1);
  mtimes['/two'] = 1;
  await block.clock.advanceAsync(60_000);
  expect(told).toEqual(['one.example.', 'two.example.']);
  await block.run('stop');
});
