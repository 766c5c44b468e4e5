import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readSync, rmSync, closeSync, constants, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { jsonLog, logOf, textLog } from '../../src/server/log.js';
import { LogOutput } from '../../src/server/log-output.js';

function lines(make: typeof textLog): { log: ReturnType<typeof textLog>; text: () => string } {
  let text = '';
  const log = make({ write: (line) => void (text += line) });
  return { log, text: () => text };
}

describe('a line', () => {
  it.each([
    { name: 'plain text', said: 'plugin/a: "b" \\ ü\tc', want: 'plugin/a: "b" \\ ü\tc' },
    { name: 'a line break', said: 'a\n[ERROR] plugin/forged: b', want: 'a\\x0a[ERROR] plugin/forged: b' },
    { name: 'a return', said: 'a\r[ERROR] b', want: 'a\\x0d[ERROR] b' },
    { name: 'a terminal sequence', said: '\u001b[2Ja\u009b2J\u007f\0', want: '\\x1b[2Ja\\x9b2J\\x7f\\x00' },
    { name: 'another line break', said: 'a\u2028b', want: 'a\\u2028b' },
    { name: 'a stack', said: 'Error: a\n    at b\n    at c', want: 'Error: a\n    at b\n    at c' },
  ])('cannot be broken or forged by what it repeats: $name', ({ said, want }) => {
    const { log, text } = lines(textLog);
    log.error(said);
    expect(text()).toBe(`[ERROR] ${want}\n`);
  });

  it('is one JSON object where that is asked for', () => {
    const { log, text } = lines(jsonLog);
    log.warning('a\n"b"');
    expect(JSON.parse(text())).toMatchObject({ level: 'warning', msg: 'a\n"b"' });
    expect(text().split('\n')).toHaveLength(2);
  });
});

describe('a level', () => {
  it.each([
    { level: 'debug', text: '[DEBUG] a\n', json: 'debug' },
    { level: 'info', text: '[INFO] a\n', json: 'info' },
    { level: 'warning', text: '[WARNING] a\n', json: 'warning' },
    { level: 'error', text: '[ERROR] a\n', json: 'error' },
  ] as const)('$level has its name in text and in JSON', ({ level, text, json }) => {
    const [plain, objects] = [lines(textLog), lines(jsonLog)];
    for (const { log } of [plain, objects]) {
      log.setDebug(true);
      log[level]('a');
    }
    expect([plain.text(), JSON.parse(objects.text())]).toEqual([
      text,
      { level: json, time: expect.any(String), msg: 'a' },
    ]);
  });

  it.each([textLog, jsonLog])('of debugging is left out unless it is switched on: $name', (make) => {
    const { log, text } = lines(make);
    log.debug('a');
    expect(text()).toBe('');
    log.setDebug(true);
    log.setDebug(false);
    log.debug('a');
    expect(text()).toBe('');
  });

  it('is of text or JSON as the flag says', () =>
    expect((['text', 'json'] as const).map((format) => 'infoWith' in logOf(format))).toEqual([false, true]));
});

describe('a line about a query', () => {
  it('has its parts beside it in JSON', () => {
    const { log, text } = lines(jsonLog);
    log.infoWith!('line', { name: 'www.example.org.', rsize: 50, do: false });
    expect(JSON.parse(text())).toMatchObject({
      level: 'info',
      msg: 'line',
      name: 'www.example.org.',
      rsize: 50,
      do: false,
    });
  });

  it('has none in text', () => expect('infoWith' in lines(textLog).log).toBe(false));
});

describe('many lines at a time', () => {
  it('are what they are one at a time', () => {
    const [one, all] = [lines(textLog), lines(textLog)];
    for (const line of ['one', 'another']) one.log.info(line);
    const { batch } = all.log;
    batch!.write(`${batch!.head}one\n${batch!.head}another\n`);
    expect(all.text()).toBe(one.text());
  });

  it('are not taken in JSON', () => expect('batch' in lines(jsonLog).log).toBe(false));
});

describe('a log that nobody reads', () => {
  let dir: string | undefined;
  afterEach(() => dir !== undefined && rmSync(dir, { recursive: true }));

  /** A pipe with its two ends. */
  function pipe(): { read: number; write: number } {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-log-'));
    const file = path.join(dir, 'pipe');
    execFileSync('mkfifo', [file]);
    const read = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return { read, write: openSync(file, constants.O_WRONLY) };
  }

  it('keeps a bounded number of lines, tells how many were lost, and ends in time', async () => {
    const { read, write } = pipe();
    const output = new LogOutput(write, (count) => `${count} lost\n`, 100_000);
    const line = `${'x'.repeat(99)}\n`;
    for (let i = 0; i < 10_000; i++) output.write(line);
    const before = performance.now();
    expect(await output.finish(50)).toBe('given up');
    expect(performance.now() - before).toBeLessThan(2000);
    closeSync(read);
    closeSync(write);
  });

  it('is told of what was lost when it reads again', async () => {
    const { read, write } = pipe();
    const output = new LogOutput(write, (count) => `${count} lost\n`, 100_000);
    const line = `${'x'.repeat(99)}\n`;
    for (let i = 0; i < 500; i++) output.write(line.repeat(10));
    const buffer = Buffer.alloc(1 << 20);
    let text = '';
    const reading = setInterval(() => {
      try {
        text += buffer.toString('latin1', 0, readSync(read, buffer));
      } catch {
        // Nothing there.
      }
    }, 5);
    while (!text.includes('lost')) await new Promise((resolve) => setTimeout(resolve, 10));
    clearInterval(reading);
    expect(await output.finish(1000)).toBe('written');
    const lost = Number(/(\d+) lost/.exec(text)![1]);
    expect(text.split(line).length - 1 + lost).toBe(5000);
    expect(lost).toBeGreaterThan(3000);
    closeSync(read);
    closeSync(write);
  });

  it('is written whole where it can be', async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-log-'));
    const file = path.join(dir, 'log');
    const fd = openSync(file, 'a');
    const output = new LogOutput(fd, String);
    for (let i = 0; i < 1000; i++) output.write(`${i}\n`);
    expect(await output.finish(5000)).toBe('written');
    expect(readFileSync(file, 'latin1').split('\n')).toHaveLength(1001);
  });
});
