import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import { Rcode } from '../../../src/wire/index.js';
import { reply } from '../../support/dns.js';
import { cache } from '../../../src/plugins/cache/setup.js';
import { TestBlock, directives } from '../../support/block.js';
import { World } from './world.js';

const answer = (): Reply => reply({ answer: ['www.example.org. 300 IN A 192.0.2.1'] });

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-persist-'));
  file = path.join(dir, 'saved');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const world = (more = ''): World => new World(`cache 60 {\n persist ${file}\n ${more}\n}`, () => answer());

/** Stops a world and starts another one, so many seconds of wall time later. */
async function restarted(before: World, seconds: number, more = ''): Promise<World> {
  await before.block.run('stop');
  const after = world(more);
  after.block.clock.advance(before.block.clock.now() - after.block.clock.now() + seconds * 1000);
  await after.block.run('start');
  return after;
}

describe('persist', () => {
  it('keeps replies with the time they have left', async () => {
    const before = world();
    await before.reply('www.example.org.');
    before.seconds(10);
    const after = await restarted(before, 5);
    expect(await after.ttl('www.example.org.')).toBe(45);
    expect(await after.summary('www.example.org.')).toMatchObject({
      answer: [expect.stringContaining('www.example.org.')] as string[],
    });
    expect(after.asked).toEqual([]);
    expect(after.block.log.lines).toContain(`[INFO] plugin/cache: 1 replies from ${file}`);
  });

  it.each([
    { name: 'past their time are left out', seconds: 61, more: '', asked: 1 },
    {
      name: 'past their time are served as stale where that is asked for',
      seconds: 61,
      more: 'serve_stale 1h verify 0s 0s 5m',
      asked: 1,
    },
    { name: 'in their last second are kept', seconds: 59, more: '', asked: 0, rcode: 'NOERROR' },
    { name: 'too old for that too are left out', seconds: 60 + 3601, more: 'serve_stale 1h', asked: 1 },
  ])('replies $name', async ({ seconds, more, asked, rcode = 'SERVFAIL' }) => {
    const before = world();
    await before.reply('www.example.org.');
    const after = await restarted(before, seconds, more);
    after.answer = () => Reply.failure(Rcode.SERVFAIL);
    const stale = more.includes('verify');
    expect(await after.summary('www.example.org.')).toMatchObject({ rcode: stale ? 'NOERROR' : rcode });
    expect(after.asked.length).toBe(asked);
  });

  it.each([
    { seconds: 59.5, more: '', kept: 1 },
    { seconds: 60.5, more: '', kept: 0 },
    { seconds: 60 + 3599.5, more: 'serve_stale 1h', kept: 1 },
    { seconds: 60 + 3600.5, more: 'serve_stale 1h', kept: 0 },
  ])('reads $kept replies of 60 s after $seconds s with "$more"', async ({ seconds, more, kept }) => {
    const before = world();
    await before.reply('www.example.org.');
    const after = await restarted(before, seconds, more);
    expect(after.block.log.lines).toContain(`[INFO] plugin/cache: ${kept} replies from ${file}`);
  });

  it('keeps no failures', async () => {
    const before = world();
    before.answer = () => Reply.of(0, Rcode.SERVFAIL);
    await before.reply('www.example.org.');
    const after = await restarted(before, 0);
    await after.reply('www.example.org.');
    expect(after.asked.length).toBe(1);
  });

  it('gives no longer life where the clock was set back', async () => {
    const before = world();
    await before.reply('www.example.org.');
    before.seconds(1000);
    await before.reply('www.example.org.');
    await before.block.run('stop');
    const after = world();
    await after.block.run('start');
    expect(await after.ttl('www.example.org.')).toBeLessThanOrEqual(60);
  });

  it('writes to no link, and for its owner alone', async () => {
    const other = path.join(dir, 'other');
    writeFileSync(other, 'precious');
    symlinkSync(other, file);
    const before = world();
    await before.reply('www.example.org.');
    await before.block.run('stop');
    expect(readFileSync(other, 'utf8')).toBe('precious');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('starts empty without a word where there is no file', async () => {
    const fresh = world();
    await fresh.block.run('start');
    expect(fresh.block.log.lines).toEqual([]);
  });

  const good =
    '{"name":"a.","variant":4,"flags":0,"rcode":0,"ttl":9,"type":"success","kind":"answer","until":9,"counts":[0,0,0],"ttls":[],"bytes":""}';
  it.each([
    { name: 'another format', text: 'nodens cache 99\n', error: "1: got 'nodens cache 99', allowed: nodens cache 1" },
    { name: 'no JSON', text: 'nodens cache 1\n{\n', error: '2: got no JSON, allowed: an entry' },
    { name: 'another thing', text: `nodens cache 1\n${good}\n[]\n`, error: '3: got something else, allowed: an entry' },
    {
      name: 'an offset beyond the bytes',
      text: `nodens cache 1\n${good.replace('"ttls":[]', '"ttls":[40]').replace('[0,0,0]', '[1,0,0]')}\n`,
      error: '2: got something else, allowed: an entry',
    },
    {
      name: 'counts that do not add up',
      text: `nodens cache 1\n${good.replace('[0,0,0]', '[1,0,0]')}\n`,
      error: '2: got something else, allowed: an entry',
    },
  ])('starts empty with $name', async ({ text, error }) => {
    writeFileSync(file, text);
    const fresh = world();
    await fresh.block.run('start');
    expect(fresh.block.log.lines).toEqual([`[WARNING] plugin/cache: starting empty: ${file}:${error}`]);
  });
});

describe('a file that was written by nobody knows whom', () => {
  /** One A record: 16 bytes, whose TTL is at 6. */
  const line = {
    ...{ name: 'www.example.org.', variant: 4, flags: 0x80, rcode: 0, ttl: 60, type: 'success', kind: 'answer' },
    ...{ until: Date.UTC(2025, 6, 30) + 60_000, counts: [1, 0, 0], ttls: [6] },
    bytes: Buffer.from('c00c000100010000003c0004c0000201', 'hex').toString('base64'),
  };
  const others = 0xffff;
  const started = async (changed: object): Promise<World> => {
    writeFileSync(file, `nodens cache 1\n${JSON.stringify({ ...line, ...changed })}\n`);
    const fresh = world();
    await fresh.block.run('start');
    return fresh;
  };

  it.each([
    { name: 'as it is', changed: {} },
    { name: 'the largest numbers', changed: { flags: 0xffff, rcode: 0xfff, ttl: 2 ** 31 - 1 } },
    { name: 'a large variant', changed: { variant: Number.MAX_SAFE_INTEGER } },
    { name: 'the last offset', changed: { ttls: [10] } },
    { name: 'a denial', changed: { type: 'denial', kind: 'denial', rcode: 3 } },
    { name: 'a referral', changed: { kind: 'referral', counts: [0, 1, 0] } },
    {
      name: 'as many records as there may be',
      changed: { counts: [others, 0, 0], ttls: Array.from({ length: others }, () => 6) },
    },
  ])('is read: $name', async ({ changed }) => {
    const { block } = await started(changed);
    expect(block.log.lines).toEqual([`[INFO] plugin/cache: 1 replies from ${file}`]);
  });

  it.each([
    { name: 'no name', changed: { name: 1 } },
    { name: 'a name without its end', changed: { name: 'www.example.org' } },
    { name: 'no bytes', changed: { bytes: 1, counts: [0, 0, 0], ttls: [] } },
    { name: 'another type', changed: { type: 'both' } },
    { name: 'another kind', changed: { kind: 'rumour' } },
    { name: 'a variant below 0', changed: { variant: -1 } },
    { name: 'part of a variant', changed: { variant: 0.5 } },
    { name: 'flags of more than 16 bits', changed: { flags: 0x10000 } },
    { name: 'an rcode of more than 12 bits', changed: { rcode: 0x1000 } },
    { name: 'a TTL of 32 bits', changed: { ttl: 2 ** 31 } },
    { name: 'a time in words', changed: { until: 'tomorrow' } },
    { name: 'two counts', changed: { counts: [1, 0] } },
    { name: 'four counts', changed: { counts: [1, 0, 0, 0] } },
    { name: 'no counts', changed: { counts: 1 } },
    { name: 'no offsets', changed: { ttls: 'x', counts: [1, 0, 0] } },
    { name: 'a count below 0', changed: { counts: [2, -1, 0] } },
    {
      name: 'more records than there may be',
      changed: { counts: [others + 1, 0, 0], ttls: Array.from({ length: others + 1 }, () => 6) },
    },
    { name: 'an offset below 0', changed: { ttls: [-1] } },
    { name: 'an offset that ends behind the bytes', changed: { ttls: [11] } },
  ])('is not read: $name', async ({ changed }) => {
    const { block } = await started(changed);
    expect(block.log.lines).toEqual([
      `[WARNING] plugin/cache: starting empty: ${file}:2: got something else, allowed: an entry`,
    ]);
  });

  it('shows 40 characters of another format', async () => {
    writeFileSync(file, 'x'.repeat(50));
    const fresh = world();
    await fresh.block.run('start');
    expect(fresh.block.log.lines[0]).toContain(`${file}:1: got '${'x'.repeat(40)}', allowed: nodens cache 1`);
  });
});

describe('a file', () => {
  it('of one cache is no other cache’s', () => {
    const block = new TestBlock({ files: {} });
    const text = `cache {\n persist ${file}\n}`;
    cache.setup(directives(text, 'cache'), block);
    expect(() => cache.setup(directives(text, 'cache'), block)).toThrow(
      `Corefile:2: cache: persist: got '${file}' a second time, allowed: a file for each cache`,
    );
  });

  it('that cannot be written is told of', async () => {
    const before = new World(`cache {\n persist ${path.join(dir, 'none', 'saved')}\n}`, () => answer());
    await before.block.run('stop');
    expect(before.block.log.lines[0]).toMatch(/^\[ERROR\] plugin\/cache: not saved: ENOENT/);
  });
});

describe('what is past its time', () => {
  it.each([
    { name: 'an answer', rcode: 0, want: 3 },
    { name: 'a denial', rcode: 3, want: 19 },
  ])('says so to those who can read it: $name', async ({ rcode, want }) => {
    const stale = new World('cache {\n serve_stale\n}', () =>
      rcode === 0 ? answer() : reply({ rcode, answer: [], authority: ['org. 60 IN SOA a. b. 1 2 3 4 60'] }),
    );
    await stale.reply('www.example.org.');
    stale.seconds(400);
    stale.answer = () => Reply.failure(Rcode.SERVFAIL);
    const told = (await stale.reply('www.example.org.', 'A', { edns: 1232 })) as Reply;
    expect(told.edns?.options.map(({ code, data }) => [code, ...data])).toEqual([[15, 0, want]]);
    expect(((await stale.reply('www.example.org.')) as Reply).edns).toBeUndefined();
  });
});
