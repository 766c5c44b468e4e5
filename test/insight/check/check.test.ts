import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isPublic } from '../../../src/insight/check/blocks.js';
import { RULES, check } from '../../../src/insight/check/check.js';
import { exitCodeFor, findingOf, sorted, type Severity } from '../../../src/insight/check/finding.js';
import { CHECK_FORMATS, reportOf } from '../../../src/insight/check/report.js';
import { DEFAULTS } from './defaults.js';
import { PLANTED } from './planted.js';
import { HINTED_MANIFESTS, PLANTED_MANIFESTS, TOLD, redirectWithout } from './planted-manifests.js';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** `check` over files of a folder of their own. */
function judge(files: Readonly<Record<string, string>>, paths = Object.keys(files)) {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'nodens-check-'));
  folders.push(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(cwd, name), text);
  return check(paths, { env: {}, cwd });
}

type Found = Awaited<ReturnType<typeof check>>;
const lines = (findings: Found): string[] => findings.map(({ at, rule }) => `${at.line} ${rule.name}`);
const told = (findings: Found): string[] =>
  findings
    .filter(({ severity }) => severity !== 'hint')
    .map(({ at, rule, text }) => `${at.file}:${at.line} ${rule.name} ${text}`);

describe('faults put into a Corefile', () => {
  it.each(PLANTED)('$name', async ({ text, want }) => expect(lines(await judge({ Corefile: text }))).toEqual(want));
});

describe('hints for manifests', () => {
  it.each(HINTED_MANIFESTS)('$name', async ({ files, want }) => {
    const hints = ['single-replica', 'readiness-missing'];
    const findings = (await judge(files, ['.'])).filter(({ rule }) => hints.includes(rule.name));
    expect(findings.map(({ at, rule }) => `${at.file}:${at.line} ${rule.name}`)).toEqual(want);
  });
});

describe('faults put into manifests', () => {
  it.each(PLANTED_MANIFESTS)('$name', async ({ files, want }) => {
    const findings = await judge(files, ['.']);
    expect(
      findings
        .filter(({ severity }) => severity !== 'hint')
        .map(({ at, rule }) => `${at.file}:${at.line} ${rule.name}`),
    ).toEqual(want);
  });
});

describe('what is said', () => {
  it.each(TOLD)('$rule: $name', async ({ rule, files, want }) => {
    const findings = (await judge(files, ['Corefile' in files ? 'Corefile' : '.']))
      .filter((finding) => finding.rule.name === rule)
      .map(({ text }) => text);
    expect(findings).toEqual(want);
  });
});

it('a text without lines of its own says which of its lines is meant', async () => {
  const findings = await judge({
    'a.json': '{"kind":"ConfigMap","data":{"Corefile":".:53 {\\n  errors\\n  erratic\\n}\\n"}}',
  });
  expect(findings).toMatchObject([
    { at: { file: 'a.json', line: 1 }, text: 'line 3 of it: erratic is on' },
    { at: { file: 'a.json', line: 1 }, text: 'line 1 of it: no block has reload' },
  ]);
});

it.each(['UDP', 'TCP'])('a redirect without %s says so', async (missing) => {
  const findings = await judge({ 'c.yaml': redirectWithout(missing) });
  expect(findings.map(({ text }) => text)).toEqual([`no backend port for ${missing}`]);
});

it('each rule has a fault that it names', () => {
  const named = [...PLANTED, ...PLANTED_MANIFESTS].flatMap(({ want }) => want.map((line) => line.split(' ')[1]));
  expect(named.length).toBeGreaterThanOrEqual(40);
  const unnamed = RULES.filter(({ name, severity }) => !named.includes(name) && severity !== 'hint');
  expect(unnamed.map(({ name }) => name)).toEqual([]);
});

describe('nothing is found in the Corefile of', () => {
  it.each(DEFAULTS)('$name', async ({ files }) => expect(told(await judge(files))).toEqual([]));
});

const ROOT = path.resolve(import.meta.dirname, '../../..');
it.each([
  ...['cluster-dns', 'node-local-dns', 'node-local-dns-lrp'].map((name) => `deploy/${name}.yaml`),
  ...readdirSync(path.join(ROOT, 'corefiles'))
    .filter((name) => name.endsWith('.Corefile'))
    .map((name) => `corefiles/${name}`),
])('nothing is found in our own %s', async (file) =>
  expect(told(await check([file], { env: {}, cwd: ROOT }))).toEqual([]),
);

describe('comments', () => {
  const loop = (comment: string, more = ''): string =>
    `.:53 {\n    errors\n${comment}    forward . 127.0.0.1 {${more}\n        max_concurrent 1\n    }\n    loop\n    cache\n    reload\n}\n`;
  it.each([
    { name: 'in the line above', text: loop('    # check: off forward-loop -- a resolver listens there\n'), want: [] },
    { name: 'above another comment', text: loop('    # check: off forward-loop\n    # why\n'), want: [] },
    { name: 'in the line', text: loop('', ' # check: off forward-loop'), want: [] },
    { name: 'for the file', text: `# check: off-in-file forward-loop\n${loop('')}`, want: [] },
    { name: 'of another rule', text: loop('    # check: off no-loop\n'), want: ['4 forward-loop'] },
    {
      name: 'of a fault',
      text: '.:53 {\n    reload\n    # check: off corefile\n    cachee\n}\n',
      want: ['4 corefile'],
    },
  ])('$name', async ({ text, want }) => expect(lines(await judge({ Corefile: text }))).toEqual(want));
});

describe('reports', () => {
  const text = '.:53 {\n    errors\n    reload\n    cache 30\n    loop\n    forward . 9.9.9.9\n    nosuch\n}\n';
  const report = async (format: (typeof CHECK_FORMATS)[number]): Promise<string> =>
    reportOf(await judge({ Corefile: text }), format, ['Corefile'], '1.0');

  it('text names place, severity and rule', async () => {
    const shown = await report('text');
    expect(shown).toContain(
      'Corefile:6: warning: nothing bounds the queries that wait for the upstream, the public 9.9.9.9 [max-concurrent-missing]\n',
    );
    expect(shown).toMatch(/^Corefile:7: fault: unknown directive 'nosuch'/m);
    expect(shown).toMatch(/\n1 fault, 1 warning\n$/);
  });
  it('JSON has each finding', async () =>
    expect(JSON.parse(await report('json'))).toMatchObject({
      findings: [
        { rule: 'max-concurrent-missing', severity: 'warning', file: 'Corefile', line: 6 },
        { rule: 'corefile', severity: 'fault', file: 'Corefile', line: 7 },
      ],
    }));
  it('SARIF points from results to rules', async () => {
    const { version, runs } = JSON.parse(await report('sarif')) as {
      version: string;
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; ruleIndex: number; level: string }[];
      }[];
    };
    expect(version).toBe('2.1.0');
    for (const { ruleId, ruleIndex } of runs[0]!.results)
      expect(runs[0]!.tool.driver.rules[ruleIndex]!.id).toBe(ruleId);
    expect(runs[0]!.results.map(({ level }) => level)).toEqual(['warning', 'error']);
  });
  it('GitHub gets one line for each', async () =>
    expect((await report('github')).split('\n').map((line) => line.split('::')[1])).toEqual([
      'warning file=Corefile,line=6,title=max-concurrent-missing',
      'error file=Corefile,line=7,title=corefile',
      undefined,
    ]));
  it('nothing is said where there is nothing', () =>
    expect(CHECK_FORMATS.map((format) => reportOf([], format, ['Corefile'], '1.0').split('\n')[0])).toEqual([
      'Corefile: nothing found',
      '{',
      '{',
      '',
    ]));
  it.each([
    { name: 'nothing', files: { Corefile: DEFAULTS[0]!.files.Corefile! }, want: 0 },
    { name: 'a warning', files: { Corefile: '.:53 {\n erratic\n}\n' }, want: 1 },
    { name: 'a fault', files: { Corefile: '.:53 {\n nosuch\n}\n' }, want: 2 },
  ])('exit code for $name is $want', async ({ files, want }) => expect(exitCodeFor(await judge(files))).toBe(want));
});

describe('a finding without a line', () => {
  const finding = findingOf(RULES[0]!, { at: { file: 'a.yaml' }, text: 'it is so' });
  it.each([
    { format: 'text' as const, want: /^a\.yaml: / },
    { format: 'json' as const, want: /^\{\n {2}"findings": \[\n[^]*"line": 1,/ },
    { format: 'sarif' as const, want: /^\{\n {2}"version"[^]*"startLine": 1\n/ },
    { format: 'github' as const, want: /^::\w+ file=a\.yaml,line=1,/ },
  ])('stands in the first of its file: $format', ({ format, want }) =>
    expect(reportOf([finding], format, ['a.yaml'], '1.0')).toMatch(want),
  );
});

it('findings are told by file, line, how bad they are, and name', () => {
  const one = (file: string, line: number | undefined, severity: Severity, name = 'a') =>
    findingOf({ name, severity, means: '', todo: '' }, { at: { file, ...(line && { line }) }, text: '' });
  const want = [
    one('a', undefined, 'hint'),
    one('a', 1, 'fault'),
    one('a', 1, 'warning', 'a'),
    one('a', 1, 'warning', 'b'),
    one('a', 1, 'hint'),
    one('a', 10, 'fault'),
    one('b', undefined, 'fault'),
  ];
  expect(sorted(want)).toEqual(want);
  expect(sorted([...want].reverse())).toEqual(want);
});

describe('an address', () => {
  it.each(
    (
      '1.1.1.1 8.0.0.1 8.16.0.1 8.18.0.1 8.19.0.1 8.51.0.1 8.64.0.1 8.168.0.1 8.254.0.1 100.63.0.1 100.128.0.1 ' +
      '169.253.0.1 172.15.0.1 172.32.0.1 192.1.0.1 192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 198.50.0.1 ' +
      '198.52.0.1 203.1.0.1 223.255.255.255 2001:4860::1 2002:d00::1 2101:d00::1 2100::1 3f00::1'
    ).split(' '),
  )('%s is reached from everywhere', (ip) => expect(isPublic(ip)).toBe(true));
  it.each(
    (
      '0.0.0.1 10.0.0.1 127.0.0.1 224.0.0.1 255.255.255.255 100.64.0.1 100.127.0.1 169.254.0.1 172.16.0.1 172.31.0.1 ' +
      '192.0.2.1 192.168.0.1 198.18.0.1 198.19.0.1 198.51.100.1 203.0.113.1 2001:db8::1 fd00::1 fe80::1 4000::1 x'
    ).split(' '),
  )('%s is not', (ip) => expect(isPublic(ip)).toBe(false));
});
