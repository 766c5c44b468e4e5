import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { RULES, check } from '../../../src/insight/check/check.js';
import { reportOf } from '../../../src/insight/check/report.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/CHECK.md'), 'utf8');
const fenced = (kind: string): string => new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';

it('the example of docs/CHECK.md prints what the page shows', async () => {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'nodens-page-'));
  try {
    writeFileSync(path.join(cwd, 'Corefile'), fenced('corefile'));
    const findings = (await check(['Corefile'], { env: {}, cwd })).filter(({ severity }) => severity !== 'hint');
    expect(`$ nodens check Corefile\n${reportOf(findings, 'text', ['Corefile'], '')}`).toBe(fenced('console'));
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

it('docs/CHECK.md lists the rules as they are', () => {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = [...page.matchAll(/^\| `(.*?)`\s*\| (.*?)\s*\| (.*?)\s*\| (.*?)\s*\|$/gm)].map((row) => row.slice(1, 5));
  expect(rows).toEqual(RULES.map(({ name, severity, means, todo }) => [name, severity, cell(means), cell(todo)]));
});
