import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { compare } from '../../../src/insight/compare/comparison.js';
import { comparisonText } from '../../../src/insight/compare/comparison-report.js';
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
