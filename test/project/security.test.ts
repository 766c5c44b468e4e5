import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../scripts/mutations.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TEXT = readFileSync(path.join(ROOT, 'docs/SECURITY.md'), 'utf8');
const rows = TEXT.split('\n').filter((line) => /^\| S\d+:/.test(line));

describe('docs/SECURITY.md', () => {
  it('lists the findings from S1 to S18, each with a test that exists', () => {
    expect(rows.map((row) => Number(/S(\d+):/.exec(row)![1]))).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    const named = rows.map((row) => [...row.matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1]!));
    expect(named.filter((files) => files.length === 0)).toEqual([]);
    expect(named.flat().filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  it('names the tests that notice when what meets a finding is taken out, by scripts/security-faults.json', () => {
    const faults = JSON.parse(readFileSync(path.join(ROOT, 'scripts/security-faults.json'), 'utf8')) as Fault[];
    const missing = rows.flatMap((row) => {
      const finding = /S\d+/.exec(row)![0];
      const own = faults.filter(({ id }) => id.startsWith(`${finding}.`));
      const named = own.filter(({ tests }) => tests.some((test) => row.includes(`\`${test}\``)));
      return own.length > 0 && named.length === own.length ? [] : [finding];
    });
    expect(missing).toEqual([]);
  });
});
