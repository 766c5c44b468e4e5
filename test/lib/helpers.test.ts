import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Channel } from '../../src/lib/channel.js';
import { parseCidr } from '../../src/lib/cidr.js';
import { NodensError, exitCodeOf, isExpected, placeFrom } from '../../src/lib/errors.js';
import { fnv1a } from '../../src/lib/fnv1a.js';
import { prefixed, silentLog } from '../../src/lib/log.js';
import { parseMemory } from '../../src/lib/memory-ceiling.js';
import { memoryLimit } from '../../src/lib/memory-limit.js';
import { PACKAGE_FOLDER, VERSION } from '../../src/lib/package-folder.js';
import { randomBelow, secureRandom, seededRandom } from '../../src/lib/random.js';
import { untilAborted } from '../../src/lib/until-aborted.js';
import { visible } from '../../src/lib/visible.js';
import { TestLog } from '../support/block.js';

describe('numbers', () => {
  // Of the test suite of FNV by Noll.
  it.each([
    { text: '', hash: 0x811c9dc5 },
    { text: 'a', hash: 0xe40c292c },
    { text: 'foobar', hash: 0xbf9cf968 },
  ])("hash of '$text'", ({ text, hash }) => expect(fnv1a(text)).toBe(hash));

  // What is recorded with a seed is played again with it.
  it.each([
    { seed: 1, numbers: [1_359_867_389, 3_828_441_801, 3_867_524_942] },
    { seed: 0x9e3779b9, numbers: [632_806, 68_359_563, 2_648_522_772] },
  ])('drawn with seed $seed are always the same', ({ seed, numbers }) => {
    const random = seededRandom(seed);
    expect(numbers.map(() => random.uint32())).toEqual(numbers);
  });

  it('drawn from the system differ, however many they are', () => {
    const numbers = Array.from({ length: 2000 }, () => secureRandom.uint32());
    expect(new Set(numbers).size).toBeGreaterThan(1990);
    expect(Math.max(...numbers)).toBeGreaterThan(2 ** 31);
  });

  it.each([
    { drawn: 0, want: 0 },
    { drawn: 2 ** 31 - 1, want: 4 },
    { drawn: 2 ** 31, want: 5 },
    { drawn: 2 ** 32 - 1, want: 9 },
  ])('below 10: $want of $drawn', ({ drawn, want }) => expect(randomBelow({ uint32: () => drawn }, 10)).toBe(want));

  it.each([
    { name: 'a quarter of the limit', limit: 1001, total: 10_000, want: 250 },
    { name: 'next to nothing of next to nothing', limit: 1, total: 10_000, want: 0 },
    { name: '256 MiB without a limit', limit: 0, total: 10_000, want: 256 << 20 },
    { name: '256 MiB where the limit is all there is', limit: 10_000, total: 10_000, want: 256 << 20 },
  ])('of memory that may be kept: $name', ({ limit, total, want }) => expect(memoryLimit(limit, total)).toBe(want));

  it.each([
    { text: '7', want: 7 },
    { text: '1Ki', want: 1024 },
    { text: '1Mi', want: 1_048_576 },
    { text: '2Gi', want: 2_147_483_648 },
    { text: '1k', want: 1000 },
    { text: '1M', want: 1_000_000 },
    { text: '2G', want: 2_000_000_000 },
    { text: '1m', want: undefined },
  ])('of bytes: $text', ({ text, want }) => expect(parseMemory(text)).toBe(want));

  it.each(['/24', '10.0.0.0/', '10.0.0.0/33', 'fd00::/129'])('%s is no block of addresses', (text) =>
    expect(parseCidr(text)).toBeUndefined(),
  );
});

it('the folder of the package is that which holds all that is delivered', () => {
  expect(['package.json', 'corefiles', 'lab'].filter((name) => !existsSync(path.join(PACKAGE_FOLDER, name)))).toEqual(
    [],
  );
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
});

describe('what cannot be seen', () => {
  it.each([
    { name: 'a byte', text: '\u0001\u009f', want: '\\x01\\x9f' },
    { name: 'a character beyond', text: '\u2028', want: '\\u2028' },
    { name: 'nothing', text: 'a ü\u{1f300}', want: 'a ü\u{1f300}' },
  ])('is written out: $name', ({ text, want }) => expect(visible(text)).toBe(want));
});

describe('a logger', () => {
  it('puts its prefix before lines of each level', () => {
    const log = new TestLog();
    const own = prefixed(log, 'a: ');
    for (const level of ['debug', 'info', 'warning', 'error'] as const) own[level](level);
    expect(log.lines).toEqual(['[DEBUG] a: debug', '[INFO] a: info', '[WARNING] a: warning', '[ERROR] a: error']);
  });

  it('may say nothing', () => {
    const log = silentLog();
    for (const level of ['debug', 'info', 'warning', 'error'] as const) expect(log[level](level)).toBeUndefined();
  });
});

describe('a channel', () => {
  it('tells all who listen, in their order, until they do no more', () => {
    const channel = new Channel<number>();
    const told: string[] = [];
    const ends = ['a', 'b'].map((name) => channel.subscribe((event) => void told.push(`${name} ${event}`)));
    expect(channel.active).toBe(true);
    channel.emit(1);
    ends[0]!();
    expect(channel.active).toBe(true);
    channel.emit(2);
    ends[1]!();
    channel.emit(3);
    expect([told, channel.active]).toEqual([['a 1', 'b 1', 'b 2'], false]);
  });
});

describe('work that a signal ends the wait for', () => {
  const never = new Promise<never>(() => undefined);

  it.each([
    { name: 'comes to its end', work: () => Promise.resolve(7), want: 7 },
    { name: 'fails', work: () => Promise.reject(new Error('broken')), want: 'broken' },
  ])('$name, and nobody listens to the signal any more', async ({ work, want }) => {
    const { signal } = new AbortController();
    expect(await untilAborted(work(), signal).catch((error: Error) => error.message)).toBe(want);
    await new Promise((resolve) => setImmediate(resolve));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is waited for no longer, before and meanwhile', async () => {
    await expect(untilAborted(never, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    const stop = new AbortController();
    const waiting = untilAborted(never, stop.signal);
    stop.abort(new Error('meanwhile'));
    await expect(waiting).rejects.toThrow('meanwhile');
  });
});

describe('an error', () => {
  it.each([
    { facts: {}, code: 1, cause: false },
    { facts: { exitCode: 4, cause: new Error('below') }, code: 4, cause: true },
  ])('for a user has exit code $code, and a cause where there is one: $cause', ({ facts, code, cause }) => {
    const error = new NodensError('NODENS_OPTION', 'text', facts);
    expect([exitCodeOf(error), isExpected(error), 'cause' in error]).toEqual([code, true, cause]);
  });

  it.each([
    { name: 'the system', error: Object.assign(new Error('no'), { code: 'ENOENT' }), expected: true },
    { name: 'Node', error: Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' }), expected: false },
    { name: 'the program', error: new TypeError('no'), expected: false },
    { name: 'somebody who throws texts', error: 'no', expected: false },
    { name: 'somebody who throws nothing', error: null, expected: false },
  ])('of $name is expected: $expected', ({ error, expected }) =>
    expect([isExpected(error), exitCodeOf(error)]).toEqual([expected, 1]),
  );

  it.each([
    { text: 'a.conf', want: { file: 'a.conf', line: undefined, column: undefined } },
    { text: 'a.conf:7', want: { file: 'a.conf', line: 7, column: undefined } },
    { text: 'a.conf:7:3', want: { file: 'a.conf', line: 7, column: 3 } },
    { text: 'a.conf:7:0', want: { file: 'a.conf', line: 7, column: undefined } },
  ])('has the place $text', ({ text, want }) => expect(placeFrom(text)).toEqual(want));
});
