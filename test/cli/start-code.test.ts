import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dropStartCode, fileMappings, loadDrop } from '../../src/cli/start-code.js';
import { ManualClock } from '../../src/lib/clock.js';

const mapping = (head: string, rss: number, anonymous: number): string =>
  `${head}\nSize: 512 kB\nRss: ${rss} kB\nPss: 2 kB\nAnonymous: ${anonymous} kB\nVmFlags: rd mr mw me\n`;

describe('mappings that can be had from their files again', () => {
  it.each([
    {
      name: 'code',
      head: '00401000-00501000 r-xp 00001000 fe:00 262 /usr/bin/node',
      rss: 64,
      anonymous: 0,
      taken: true,
    },
    {
      name: 'constants',
      head: '00401000-00501000 r--p 00001000 fe:00 2 /usr/bin/node',
      rss: 64,
      anonymous: 0,
      taken: true,
    },
    {
      name: 'a name with a space',
      head: '00401000-00501000 r--p 0 fe:00 2 /opt/a b/libz.so.1',
      rss: 64,
      anonymous: 0,
      taken: true,
    },
    {
      name: 'constants that the loader has filled in',
      head: '00401000-00501000 r--p 0 fe:00 2 /usr/bin/node',
      rss: 64,
      anonymous: 4,
      taken: false,
    },
    {
      name: 'a package’s library',
      head: '00401000-00501000 r-xp 0 fe:00 2 /x/koffi.node',
      rss: 64,
      anonymous: 0,
      taken: true,
    },
    { name: 'another file', head: '00401000-00501000 r--p 0 fe:00 2 /x/zone.db', rss: 64, anonymous: 0, taken: false },
    { name: 'variables', head: '00401000-00501000 rw-p 0 fe:00 2 /usr/bin/node', rss: 64, anonymous: 0, taken: false },
    {
      name: 'memory that others see',
      head: '00401000-00501000 r--s 0 fe:00 2 /dev/shm/table',
      rss: 64,
      anonymous: 0,
      taken: false,
    },
    { name: 'no file', head: '00401000-00501000 r-xp 00000000 00:00 0', rss: 64, anonymous: 0, taken: false },
    {
      name: 'the kernel’s own',
      head: '00401000-00501000 r-xp 00000000 00:00 0 [vdso]',
      rss: 64,
      anonymous: 0,
      taken: false,
    },
    {
      name: 'nothing of it is resident',
      head: '00401000-00501000 r-xp 0 fe:00 2 /usr/bin/node',
      rss: 0,
      anonymous: 0,
      taken: false,
    },
  ])('$name: $taken', ({ head, rss, anonymous, taken }) => {
    const before = mapping('00300000-00301000 rw-p 00000000 00:00 0 [heap]', 4, 4);
    expect(fileMappings(before + mapping(head, rss, anonymous), '/usr/bin/node')).toEqual(
      taken ? [{ start: 0x401000, size: 0x100000 }] : [],
    );
  });
});

const residentOfFiles = (): number =>
  Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]);

it.skipIf(loadDrop() === undefined)('less of the program’s files is resident afterwards, and it goes on', async () => {
  const before = residentOfFiles();
  await loadDrop()!();
  expect(residentOfFiles()).toBeLessThan(before);
});

it('happens twice', () => {
  const clock = new ManualClock();
  const start = clock.monotonic();
  const times: number[] = [];
  dropStartCode(clock, () => Promise.resolve(void times.push(clock.monotonic() - start)));
  clock.advance(60_000);
  expect(times).toEqual([1000, 10_000]);
});
