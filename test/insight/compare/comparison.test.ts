import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compare, byClass, differing, type CompareOptions } from '../../../src/insight/compare/comparison.js';
import {
  comparisonExitCode,
  comparisonJson,
  comparisonText,
  progressLine,
} from '../../../src/insight/compare/comparison-report.js';
import { serverOfCorefile, type ComparedServer } from '../../../src/insight/compare/compared-server.js';
import { differenceOf } from '../../../src/insight/compare/difference.js';
import { readRecording } from '../../../src/insight/compare/recording.js';
import { ManualClock, realClock } from '../../../src/lib/clock.js';
import { silentLog } from '../../../src/lib/log.js';
import { encodeMessage, type Message, type Rr } from '../../../src/wire/index.js';
import { rr } from '../../support/dns.js';
import { encodeQuery } from './capture-writer.js';
import { PLANTED_DIFFERENCES, capture, corefileFor, zone } from './planted-differences.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'old.zone'), zone('old'));
writeFileSync(path.join(folder, 'new.zone'), zone('new'));
writeFileSync(path.join(folder, 'capture'), capture(3000));

const OPTIONS: CompareOptions = { clock: realClock, rate: 'max', inFlight: 64, ttlSlack: 5, ignore: [] };

const server = (side: 'old' | 'new'): Promise<ComparedServer> =>
  serverOfCorefile(side, {
    corefile: corefileFor(side, path.join(folder, `${side}.zone`)),
    log: silentLog(),
    cwd: folder,
    env: {},
  });

describe('two configurations', () => {
  const { queries } = readRecording(path.join(folder, 'capture'), 53);

  it('twenty differences of twenty are found, each by its class', async () => {
    const [old, fresh] = [await server('old'), await server('new')];
    const result = await compare(queries, old, fresh, OPTIONS);
    const found = byClass(result).flatMap(({ kind, questions }) =>
      questions.map(({ question }) => `${question} ${kind}`),
    );
    expect(found.sort()).toEqual(PLANTED_DIFFERENCES.map(({ name, type, kind }) => `${name} ${type} ${kind}`).sort());
    expect(result).toMatchObject({ asked: 3000, unanswered: 0, unsteady: 0 });
    expect(comparisonExitCode(result)).toBe(1);
    await Promise.all([old.close(), fresh.close()]);
  });
  it('none between equal ones', async () => {
    const [old, fresh] = [await server('old'), await server('old')];
    const result = await compare(queries, old, fresh, OPTIONS);
    expect(result).toMatchObject({ asked: 3000, equal: 3000, unanswered: 0, unsteady: 0 });
    expect(differing(result)).toBe(0);
    expect(comparisonExitCode(result)).toBe(0);
    await Promise.all([old.close(), fresh.close()]);
  });
});

describe('differences', () => {
  const A1 = rr('a.example. 300 IN A 192.0.2.1');
  const A2 = rr('a.example. 300 IN A 192.0.2.2');
  const message = (answer: readonly Rr[], more: Partial<Message> = {}): Buffer =>
    encodeMessage({
      id: 7,
      flags: 0x8180,
      rcode: 0,
      question: [{ name: 'a.example.', type: 1, class: 1 }],
      answer,
      authority: [],
      additional: [],
      ...more,
    });
  const edns = { udpSize: 1232, version: 0, do: false, options: [] };
  it.each([
    { name: 'nothing but the id', a: message([A1]), b: message([A1], { id: 9 }), want: undefined },
    { name: 'letter case of owners', a: message([A1]), b: message([{ ...A1, name: 'A.example.' }]), want: undefined },
    {
      name: 'no answer',
      a: message([A1]),
      b: undefined,
      want: { kind: 'answer', old: 'NOERROR with 1 records', new: 'no answer' },
    },
    { name: 'two silences', a: undefined, b: undefined, want: undefined },
    {
      name: 'bytes that are no message',
      a: message([A1]),
      b: message([A1]).subarray(0, 40),
      want: { kind: 'malformed', old: 'well formed', new: 'malformed' },
    },
    {
      name: 'rcode',
      a: message([]),
      b: message([], { rcode: 3 }),
      want: { kind: 'rcode', old: 'NOERROR', new: 'NXDOMAIN' },
    },
    {
      name: 'a record more',
      a: message([A1]),
      b: message([A1, A2]),
      want: { kind: 'records', old: 'nothing more', new: 'a.example. 300 IN A 192.0.2.2' },
    },
    {
      name: 'a record twice',
      a: message([A1]),
      b: message([A1, A1]),
      want: { kind: 'records', old: 'nothing more', new: 'a.example. 300 IN A 192.0.2.1' },
    },
    {
      name: 'another section',
      a: message([A1]),
      b: message([], { additional: [A1] }),
      want: { kind: 'records', old: 'a.example. 300 IN A 192.0.2.1', new: 'additional: a.example. 300 IN A 192.0.2.1' },
    },
    {
      name: 'flags',
      a: message([A1]),
      b: message([A1], { flags: 0x8580 }),
      want: { kind: 'flags', old: 'qr rd ra, no EDNS', new: 'qr aa rd ra, no EDNS' },
    },
    {
      name: 'EDNS',
      a: message([A1]),
      b: message([A1], { edns }),
      want: { kind: 'flags', old: 'qr rd ra, no EDNS', new: 'qr rd ra, EDNS 1232' },
    },
    {
      name: 'an option of EDNS',
      a: message([A1], { edns }),
      b: message([A1], { edns: { ...edns, options: [{ code: 15, data: Buffer.from([0, 3]) }] } }),
      want: { kind: 'flags', old: 'qr rd ra, EDNS 1232', new: 'qr rd ra, EDNS 1232 15=0003' },
    },
    {
      name: 'TTL',
      a: message([A1]),
      b: message([{ ...A1, ttl: 294 }]),
      want: { kind: 'ttl', old: '300 s', new: '294 s' },
    },
    { name: 'TTL within the slack', a: message([A1]), b: message([{ ...A1, ttl: 295 }]), want: undefined },
    {
      name: 'order',
      a: message([A1, A2]),
      b: message([A2, A1]),
      want: {
        kind: 'order',
        old: 'a.example. 300 IN A 192.0.2.1, a.example. 300 IN A 192.0.2.2',
        new: 'a.example. 300 IN A 192.0.2.2, a.example. 300 IN A 192.0.2.1',
      },
    },
    {
      name: 'size',
      a: message([A1]),
      b: Buffer.concat([message([A1]), Buffer.alloc(3)]),
      want: { kind: 'size', old: '52 bytes', new: '55 bytes' },
    },
  ])('$name', ({ a, b, want }) => expect(differenceOf(a, b, 5)).toEqual(want));
});

describe('asking', () => {
  const query = { at: 0, transport: 'udp' as const, bytes: encodeQuery('a.example.', 'A') };
  const answering = (name: string, answers: readonly (number | undefined)[]): ComparedServer => {
    let i = 0;
    return {
      name,
      ask: () => {
        const rcode = answers[Math.min(i++, answers.length - 1)];
        return Promise.resolve(
          rcode === undefined ? undefined : Buffer.from([0, 0, 0x80, rcode, 0, 0, 0, 0, 0, 0, 0, 0]),
        );
      },
      close: () => Promise.resolve(),
    };
  };
  it.each([
    { name: 'what differs once only is unsteady', old: [0], fresh: [3, 0], want: { unsteady: 1, equal: 0 }, code: 0 },
    { name: 'what differs each time counts', old: [0], fresh: [3], want: { unsteady: 0, equal: 0 }, code: 1 },
    { name: 'two servers that are silent', old: [undefined], fresh: [undefined], want: { unanswered: 1 }, code: 2 },
  ])('$name', async ({ old, fresh, want, code }) => {
    const result = await compare([query], answering('old', old), answering('new', fresh), OPTIONS);
    expect(result).toMatchObject({ asked: 1, ...want });
    expect(comparisonExitCode(result)).toBe(code);
  });

  it.each([
    { name: 'at the pace of the recording', rate: 'recorded' as const, want: [0, 1000, 5000] },
    { name: 'at a rate', rate: 2, want: [0, 500, 1000] },
  ])('$name', async ({ rate, want }) => {
    const clock = new ManualClock();
    const times: number[] = [];
    const begin = clock.monotonic();
    const noting = {
      ...answering('old', [0]),
      ask: () => (times.push(clock.monotonic() - begin), Promise.resolve(undefined)),
    };
    const queries = [0, 1000, 5000].map((at) => ({ ...query, at }));
    const running = compare(queries, noting, answering('new', [undefined]), { ...OPTIONS, clock, rate });
    for (let i = 0; i < 60; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(100);
    }
    await running;
    expect(times).toEqual(want);
  });

  it('classes that are ignored count as equal', async () => {
    const result = await compare([query], answering('old', [0]), answering('new', [3]), {
      ...OPTIONS,
      ignore: ['rcode'],
    });
    expect(result).toMatchObject({ equal: 1, unsteady: 0 });
  });

  it('a report names class, question and both answers', async () => {
    const result = await compare([query, query], answering('old', [0]), answering('new', [3]), OPTIONS);
    expect(comparisonText(result, { from: 'list', old: 'A', new: 'B' }, 3)).toBe(
      '2 queries of list: 0 answered alike, 2 otherwise\n  old: A\n  new: B\n\nrcode: 2 queries, 1 question\n' +
        '  a.example. A (2 times)\n    old: NOERROR\n    new: NXDOMAIN\n',
    );
  });
  it('nothing asked is no difference', async () => {
    const result = await compare([], answering('old', [0]), answering('new', [3]), OPTIONS);
    expect([result.asked, comparisonExitCode(result)]).toEqual([0, 0]);
  });
  it('as many queries as may be are under way', async () => {
    let [now, most] = [0, 0];
    const slow: ComparedServer = {
      ...answering('old', [0]),
      ask: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        return undefined;
      },
    };
    const queries = Array.from({ length: 6 }, () => query);
    await compare(queries, slow, answering('new', [undefined]), { ...OPTIONS, inFlight: 2 });
    expect(most).toBe(2);
  });
  it.each([
    { name: 'over TCP', asked: { ...query, transport: 'tcp' as const }, want: 'a.example. A over TCP' },
    {
      name: 'that nobody can read',
      asked: { ...query, bytes: query.bytes.subarray(0, 14) },
      want: 'a question that cannot be read',
    },
  ])('a question $name is named', async ({ asked, want }) => {
    const result = await compare([asked], answering('old', [0]), answering('new', [3]), OPTIONS);
    expect([...result.questions.values()].map(({ question }) => question)).toEqual([want]);
  });
  it('a bar of nothing is full, and none grows beyond its end', () =>
    expect([progressLine(0, 0, 4), progressLine(3, 2, 4), progressLine(1, 2)]).toEqual([
      '[####] 100 % 0 of 0',
      '[####] 100 % 3 of 2',
      `[${'#'.repeat(15)}${'.'.repeat(15)}]  50 % 1 of 2`,
    ]));
  it('a bar fills up', () =>
    expect([0, 50, 100].map((done) => progressLine(done, 100, 4))).toEqual([
      '[....]   0 % 0 of 100',
      '[##..]  50 % 50 of 100',
      '[####] 100 % 100 of 100',
    ]));
});

describe('the pace of a recording', () => {
  it.each([
    { rate: 'recorded' as const, want: [0, 100, 300], persecond: 10 },
    { rate: 20, want: [0, 50, 100], persecond: 30 },
    { rate: 'max' as const, want: [0, 0, 0], persecond: 0 },
  ])('$rate: queries are asked at $want ms', async ({ rate, want, persecond }) => {
    const clock = new ManualClock();
    clock.advance(10_000);
    const began = clock.monotonic();
    const times: number[] = [];
    const bytes = encodeQuery('a.example.', 'A');
    const answering: ComparedServer = {
      name: 'a',
      ask: () => {
        times.push(clock.monotonic() - began);
        return Promise.resolve(bytes);
      },
      close: () => Promise.resolve(),
    };
    const silent: ComparedServer = { ...answering, ask: () => Promise.resolve(bytes) };
    const queries = [5000, 5100, 5300].map((at) => ({ at, transport: 'udp' as const, bytes }));
    let done = false;
    const comparing = compare(queries, answering, silent, { ...OPTIONS, clock, rate }).finally(() => (done = true));
    for (let i = 0; i < 100 && !done; i++) {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (!done) clock.advance(25);
    }
    const result = await comparing;
    expect([times, result.time]).toEqual([want, want.at(-1)]);
    const told = JSON.parse(comparisonJson(result, { from: 'f', old: 'a', new: 'b' })) as object;
    expect(told).toMatchObject({ asked: 3, equal: 3, milliseconds: want.at(-1), queriesPerSecond: persecond });
  });
});

it.each([
  { unsteady: 0, unanswered: 0, want: [] },
  { unsteady: 1, unanswered: 0, want: ['  1 were answered otherwise, and alike when asked again'] },
  { unsteady: 0, unanswered: 1, want: ['  1 were answered by neither'] },
])('a report says what it cannot compare: $unsteady, $unanswered', ({ unsteady, unanswered, want }) => {
  const comparison = { asked: 1, equal: 0, unanswered, unsteady, counts: new Map(), questions: new Map(), time: 0 };
  const text = comparisonText(comparison, { from: 'f', old: 'a', new: 'b' }, 3);
  expect(text.trimEnd().split('\n').slice(3)).toEqual(want);
});
