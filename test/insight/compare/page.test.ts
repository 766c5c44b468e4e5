import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { compare, type Comparison } from '../../../src/insight/compare/comparison.js';
import { comparisonJson, comparisonText } from '../../../src/insight/compare/comparison-report.js';
import { serverOfCorefile } from '../../../src/insight/compare/compared-server.js';
import { readRecording } from '../../../src/insight/compare/recording.js';
import { realClock } from '../../../src/lib/clock.js';
import { silentLog } from '../../../src/lib/log.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/COMPARE.md'), 'utf8');
const fenced = (kind: string): string => new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';

it('the example of docs/COMPARE.md prints what the page shows', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-page-'));
  try {
    writeFileSync(path.join(folder, 'queries.txt'), fenced('list'));
    const { queries } = readRecording(path.join(folder, 'queries.txt'), 53);
    const [old, fresh] = await Promise.all(
      ['old', 'new'].map((side) =>
        serverOfCorefile(`${side}.Corefile`, { corefile: fenced(`corefile ${side}`), log: silentLog(), cwd: folder }),
      ),
    );
    const result = await compare(queries, old!, fresh!, {
      clock: realClock,
      rate: 'max',
      inFlight: 1,
      ttlSlack: 5,
      ignore: ['order'],
    });
    const names = { from: 'queries.txt', old: old!.name, new: fresh!.name };
    expect(
      `$ nodens compare -from queries.txt -old old.Corefile -new new.Corefile\n${comparisonText(result, names, 3)}`,
    ).toBe(fenced('console'));
    await Promise.all([old!.close(), fresh!.close()]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const RESULT: Comparison = {
  asked: 9,
  equal: 1,
  unanswered: 2,
  unsteady: 3,
  counts: new Map([['rcode', 3]]),
  questions: new Map(
    [1, 1, 2].map((times, i) => [
      `${i}`,
      { kind: 'rcode', question: `n${i}.example. A`, times, old: 'NOERROR', new: 'NXDOMAIN' },
    ]),
  ),
  time: 250,
};
const NAMES = { from: 'list', old: 'A', new: 'B' };
it('a report tells what came and went, and how many questions it leaves out', () =>
  expect(comparisonText(RESULT, NAMES, 1)).toBe(
    '9 queries of list: 1 answered alike, 3 otherwise\n  old: A\n  new: B\n' +
      '  3 were answered otherwise, and alike when asked again\n  2 were answered by neither\n\n' +
      'rcode: 3 queries, 3 questions\n  n2.example. A (2 times)\n    old: NOERROR\n    new: NXDOMAIN\n' +
      '  and 2 more\n',
  ));
it('a report for programs has all questions, the most frequent first', () => {
  const text = comparisonJson(RESULT, NAMES);
  expect(text).toMatch(/^\{\n {2}"from": "list",\n[^]*\}\n$/);
  const question = (name: string, times: number) => ({
    question: `${name}.example. A`,
    times,
    old: 'NOERROR',
    new: 'NXDOMAIN',
  });
  expect(JSON.parse(text)).toEqual({
    ...NAMES,
    asked: 9,
    equal: 1,
    different: 3,
    unanswered: 2,
    unsteady: 3,
    milliseconds: 250,
    queriesPerSecond: 36,
    classes: [{ class: 'rcode', queries: 3, questions: [question('n2', 2), question('n0', 1), question('n1', 1)] }],
  });
});
it('what took no time has no rate', () =>
  expect(JSON.parse(comparisonJson({ ...RESULT, time: 0 }, NAMES))).toMatchObject({ queriesPerSecond: 0 }));
