import { describe, expect, it } from 'vitest';
import { DROP, type NotifiesServers, type TransfersZones } from '../../../src/chain/index.js';
import { auto } from '../../../src/plugins/auto/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

const zone = (serial: number): string => `$TTL 60\n@ SOA ns host ${serial} 2 3 4 5\n@ NS ns\nwww A 192.0.2.${serial}\n`;
const DIR = 'auto {\ndirectory /z\n}';
const RELOAD = 'auto {\ndirectory /z\nreload 10s\n}';

/** A block over files in memory; `/z` itself stands for the directory. */
const start = async (text: string, names: Record<string, number | string>, options: TestBlockOptions = {}) => {
  const files: Record<string, string> = { '/z': '' };
  const mtimes: Record<string, number> = {};
  const write = (name: string, content: number | string): void => {
    files[`/z/${name}`] = typeof content === 'string' ? content : zone(content);
    mtimes[`/z/${name}`] = (mtimes[`/z/${name}`] ?? 0) + 1;
  };
  const remove = (name: string): void => void delete files[name];
  for (const [name, content] of Object.entries(names)) write(name, content);
  const made = setup(auto, text, { zones: ['.'], files, mtimes, ...options });
  const { block, handlers } = made;
  const told: string[] = [];
  const listener: NotifiesServers = { notify: (changed) => void told.push(changed) };
  block.chain = [{ name: 'listener', handle: () => DROP, ...listener }, ...handlers];
  await block.run('start');
  await block.run('serving');
  const ask = async (name: string): Promise<unknown> => {
    const { rcode, answer } = summary(await made.ask(query(name))) as { rcode: string; answer?: string[] };
    return answer?.[0]?.split(' ').at(-1) ?? rcode;
  };
  const pass = (time: number): Promise<void> => block.clock.advanceAsync(time);
  return { ...made, ask, write, remove, pass, told, lines: block.log.lines };
};

describe('auto', () => {
  it('serves the zones that the names of files say', async () => {
    const { ask, told, lines } = await start(DIR, { 'db.a.test': 1, 'sub/db.B.test': 2, 'c.test': 3 });
    expect([await ask('www.a.test.'), await ask('www.b.test.'), await ask('www.c.test.')]).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      'REFUSED',
    ]);
    expect(told).toEqual(['a.test.', 'b.test.']);
    expect(lines).toEqual([
      "[INFO] plugin/auto: Inserting zone 'a.test.' from: /z/db.a.test",
      "[INFO] plugin/auto: Inserting zone 'b.test.' from: /z/sub/db.B.test",
    ]);
  });

  it.each([
    { name: 'a group by number', rule: '^(.*)\\.zone$ {1}', file: 'a.test.zone', want: '192.0.2.1' },
    { name: 'a group by name', rule: '^(?P<zone>.*)\\.zone$ {zone}', file: 'a.test.zone', want: '192.0.2.1' },
    { name: 'text beside groups', rule: '^(.)-(.+)$ {1}.${2}', file: 'a-test', want: '192.0.2.1' },
    { name: 'a name that does not match', rule: '^(.*)\\.zone$ {1}', file: 'a.test.zone.old', want: 'REFUSED' },
    { name: 'a match in the middle', rule: 'db\\.(.*)\\.v1 {1}', file: 'x-db.a.test.v1-old', want: '192.0.2.1' },
    { name: 'a group that is not there', rule: 'db\\.(.*) {2}', file: 'db.a.test', want: 'REFUSED' },
  ])('makes origins of $name', async ({ rule, file, want }) => {
    const { ask } = await start(`auto {\ndirectory /z ${rule}\n}`, { [file]: 1 });
    expect(await ask('www.a.test.')).toBe(want);
  });

  it('answers names within its zones only', async () => {
    const { ask } = await start(DIR.replace('auto', 'auto a.test'), { 'db.a.test': 1, 'db.b.test': 2 });
    expect([await ask('www.a.test.'), await ask('www.b.test.')]).toEqual(['192.0.2.1', 'SERVFAIL']);
  });

  it('sees files come, change and go', async () => {
    const { ask, write, remove, pass, told, lines } = await start(RELOAD, { 'db.a.test': 1 });
    write('db.b.test', 2);
    await pass(9_999);
    expect(await ask('www.b.test.')).toBe('REFUSED');
    await pass(1);
    expect(await ask('www.b.test.')).toBe('192.0.2.2');
    write('db.a.test', 7);
    await pass(10_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.7');
    remove('/z/db.b.test');
    await pass(10_000);
    expect([await ask('www.a.test.'), await ask('www.b.test.')]).toEqual(['192.0.2.7', 'REFUSED']);
    expect(told).toEqual(['a.test.', 'b.test.', 'a.test.']);
    expect(lines.slice(1)).toEqual([
      "[INFO] plugin/auto: Inserting zone 'b.test.' from: /z/db.b.test",
      '[INFO] plugin/auto: Successfully reloaded zone "a.test." in "/z/db.a.test" with 7 SOA serial',
      "[INFO] plugin/auto: Deleting zone 'b.test.'",
    ]);
  });

  type World = Awaited<ReturnType<typeof start>>;
  it.each<{ name: string; file: string; change: (world: World) => void }>([
    { name: 'the zone above said of a new zone', file: 'db.test', change: ({ write }) => write('db.a.test', 2) },
    { name: 'a zone said that is gone', file: 'db.a.test', change: ({ remove }) => remove('/z/db.a.test') },
  ])('takes back what $name', async ({ file, change }) => {
    const world = await start(RELOAD, { [file]: 1 });
    const before = world.handlers[0]!.handle(query('www.a.test.'), () => reply()) as { lease?: { revoked: boolean } };
    expect(before.lease?.revoked).toBe(false);
    change(world);
    await world.pass(10_000);
    expect(before.lease?.revoked).toBe(true);
  });

  it('follows a file that moves', async () => {
    const { ask, write, remove, pass } = await start(RELOAD, { '1/db.a.test': 1 });
    remove('/z/1/db.a.test');
    write('2/db.a.test', 2);
    await pass(20_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.2');
  });

  it('looks once with reload 0', async () => {
    const { write, ask, pass, block } = await start(RELOAD.replace('10s', '0'), { 'db.a.test': 1 });
    write('db.b.test', 2);
    await pass(600_000);
    expect(await ask('www.b.test.')).toBe('REFUSED');
    expect(block.clock.pending).toBe(0);
  });

  it('tells of a faulty file once, and serves it when it is right', async () => {
    const { ask, write, pass, lines } = await start(RELOAD, { 'db.a.test': '@ A x', 'db.b.test': 2 });
    expect([await ask('www.a.test.'), await ask('www.b.test.')]).toEqual(['REFUSED', '192.0.2.2']);
    await pass(30_000);
    const faults = lines.filter((line) => line.startsWith('[WARNING]'));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain("[WARNING] plugin/auto: Parse zone 'a.test.': /z/db.a.test:1: ");
    write('db.a.test', 1);
    await pass(10_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.1');
  });

  it('keeps a zone whose file has become faulty', async () => {
    const { ask, write, pass, lines } = await start(RELOAD, { 'db.a.test': 1 });
    write('db.a.test', `${zone(2)}b A x\n`);
    await pass(10_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.1');
    expect(lines.at(-1)).toContain('[ERROR] plugin/auto: Parsing zone "a.test.": /z/db.a.test:5: ');
  });

  it('uses the first of two files for a zone', async () => {
    const { ask, lines, pass } = await start(RELOAD, { '..1/db.a.test': 1, 'db.a.test': 2 });
    await pass(30_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.1');
    expect(lines.slice(1)).toEqual([
      '[WARNING] plugin/auto: Multiple zone files match origin "a.test.": using "/z/..1/db.a.test" instead of "/z/db.a.test"',
    ]);
  });

  it('warns of a name that makes no zone', async () => {
    const { lines } = await start(DIR, { 'db.a..test': 1 });
    expect(lines).toEqual(['[WARNING] plugin/auto: No zone can be made of the name of /z/db.a..test']);
  });

  it('keeps its zones while the directory is gone, and starts without it', async () => {
    const { ask, remove, pass, block } = await start(RELOAD, { 'db.a.test': 1 });
    remove('/z');
    remove('/z/db.a.test');
    await pass(20_000);
    expect(await ask('www.a.test.')).toBe('192.0.2.1');
    expect(block.log.lines.filter((line) => line.includes('Directory'))).toEqual([
      '[WARNING] plugin/auto: Directory does not exist: /z',
    ]);
    const { lines, ask: empty } = await start(DIR.replace('/z', '/none'), {});
    expect(lines).toEqual(['[WARNING] plugin/auto: Directory does not exist: /none']);
    expect(await empty('www.a.test.')).toBe('REFUSED');
  });

  it('does not look anew while it still reads what it found', async () => {
    const { block, write, pass, lines, told } = await start(RELOAD, {});
    write('db.b.test', 2);
    // Nothing that is read can be taken between the two.
    block.clock.advance(10_000);
    block.clock.advance(10_000);
    await pass(0);
    expect(told).toEqual(['b.test.']);
    expect(lines).toEqual(["[INFO] plugin/auto: Inserting zone 'b.test.' from: /z/db.b.test"]);
    await block.run('stop');
  });

  it('gives its zones to other servers', async () => {
    const { handlers } = await start(DIR, { 'db.a.test': 1 });
    const [source] = handlers as unknown as TransfersZones[];
    expect(source!.zoneTransfer('a.test.', undefined)).toMatchObject({ serial: 1 });
    expect(source!.zoneTransfer('b.test.', undefined)).toBeUndefined();
  });

  it('serves the zones of several directories', async () => {
    const { ask } = await start(`${DIR}\nauto {\ndirectory /z ^(.*)\\.zone$ {1}\n}`, {
      'db.a.test': 1,
      'b.test.zone': 2,
    });
    expect([await ask('www.a.test.'), await ask('www.b.test.'), await ask('c.')]).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      'REFUSED',
    ]);
  });

  it('stops', async () => {
    const { block, write, pass, ask } = await start(RELOAD, { 'db.a.test': 1 });
    await block.run('stop');
    write('db.b.test', 2);
    await pass(60_000);
    expect(await ask('www.b.test.')).toBe('REFUSED');
    expect(block.clock.pending).toBe(0);
  });
});

describe('its text', () => {
  it.each([
    { text: 'auto', error: "Corefile:2: auto: 'directory DIR [REGEXP ORIGIN_TEMPLATE]' is required" },
    { text: 'auto {\ndirectory\n}', error: 'Corefile:3: auto: directory: got no argument' },
    { text: 'auto {\ndirectory /z db\\.(.*)\n}', error: 'got a pattern without an origin template' },
    { text: 'auto {\ndirectory /z db.* {1}\n}', error: "got pattern 'db.*', allowed: one with a group in parentheses" },
    { text: 'auto {\ndirectory /z ( {1}\n}', error: "got regular expression '('" },
    { text: `auto {\ndirectory /z (${'a'.repeat(10_000)}) {1}\n}`, error: 'got a regular expression of 10002 bytes' },
    { text: 'auto {\ndirectory /z a b c\n}', error: 'Corefile:3: auto: directory: got 4 arguments' },
    { text: 'auto {\ndirectory /z\nreload -1s\n}', error: "Corefile:4: auto: reload: got '-1s'" },
    { text: 'auto {\ndirectory /z\nreload x\n}', error: "Corefile:4: auto: reload: got 'x'" },
    { text: 'auto {\ndir /z\n}', error: "auto: unknown option 'dir'" },
  ])('$text', ({ text, error }) => expect(() => setup(auto, text)).toThrow(error));
});

it('says that its directory cannot be looked at, once', async () => {
  const { block, pass } = await start(RELOAD, { 'db.a.test': 1 });
  const before = { ...block.runtime };
  Object.assign(block.runtime, {
    fileInfo: (path: string) => {
      if (path === '/z') throw new Error("EACCES: permission denied, stat '/z'");
      return before.fileInfo(path);
    },
  });
  await pass(30_000);
  expect(block.log.lines.slice(1)).toEqual([
    "[WARNING] plugin/auto: error reading /z: EACCES: permission denied, stat '/z'",
  ]);
});
