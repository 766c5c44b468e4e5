import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkCommand } from '../../src/cli/check.js';
import { doctorCommand } from '../../src/cli/doctor.js';
import { explainCommand } from '../../src/cli/explain.js';
import { kernelCommand } from '../../src/cli/kernel.js';
import { recordCommand } from '../../src/cli/record.js';
import { topCommand } from '../../src/cli/top.js';
import { toldOnStderr, toldOnStdout } from '../support/told.js';

const [said, shown] = [toldOnStderr(), toldOnStdout()];

const COMMANDS = {
  doctor: doctorCommand,
  explain: explainCommand,
  kernel: kernelCommand,
  record: recordCommand,
  top: topCommand,
};
/** A server that is not there: who comes to ask it has taken the flags. */
const ABSENT = '-server=unix:/nowhere/admin';

describe('flags of', () => {
  it.each([
    { tool: 'top', args: ['now'], want: "unexpected argument 'now'" },
    { tool: 'top', args: ['-o', 'xml'], want: "-o: got 'xml', allowed: text, json" },
    { tool: 'top', args: ['-rows', '0'], want: "-rows: got '0', allowed: 1 to 1000" },
    { tool: 'top', args: ['-rows', '1001'], want: "-rows: got '1001', allowed: 1 to 1000" },
    { tool: 'top', args: ['-sort', 'x'], want: "-sort: got 'x', allowed: " },
    { tool: 'top', args: ['-every', '99ms'], want: "-every: got '99ms', allowed: a duration from 100ms" },
    { tool: 'top', args: ['-every', 'x'], want: "-every: got 'x', allowed: a duration from 100ms" },
    { tool: 'top', args: ['-timeout', '0s'], want: "-timeout: got '0s', allowed: a duration such as 20s" },
    { tool: 'top', args: ['-timeout', 'x'], want: "-timeout: got 'x', allowed: a duration such as 20s" },
    { tool: 'top', args: ['-server', '192.0.2.1:80'], want: '-server: ' },
    { tool: 'record', args: ['now'], want: "got 'now', allowed: flags only" },
    { tool: 'explain', args: ['-o', 'xml', 'a.'], want: "-o: got 'xml', allowed: text, json" },
    { tool: 'explain', args: [], want: "got '', allowed: NAME [TYPE]" },
    { tool: 'explain', args: ['a.', 'A', 'b.'], want: "got 'a. A b.', allowed: NAME [TYPE]" },
    { tool: 'explain', args: ['-pod', 'a/b', 'a.', 'A'], want: "got 'A', allowed: NAME alone with -pod" },
    { tool: 'explain', args: ['-pod', 'a', 'a.'], want: "-pod: got 'a', allowed: NAMESPACE/POD" },
    { tool: 'explain', args: ['-pod', 'a/b/c', 'a.'], want: "-pod: got 'a/b/c', allowed: NAMESPACE/POD" },
    { tool: 'explain', args: ['-pod', 'A/b', 'a.'], want: "-pod: got 'A/b', allowed: NAMESPACE/POD" },
    { tool: 'explain', args: ['-pod', 'a/b', '-libc', 'x', 'a.'], want: "-libc: got 'x', allowed: glibc, musl, go" },
    {
      tool: 'explain',
      args: ['-pod', 'a/b', '-cluster-dns', '10.0.0.1,x', 'a.'],
      want: "-cluster-dns: got 'x', allowed",
    },
    { tool: 'explain', args: ['-record', 'x', 'a.', 'b.'], want: "got 'b.', allowed: one NAME with -record" },
    { tool: 'doctor', args: ['-o', 'xml'], want: "-o: got 'xml', allowed: text, json" },
    { tool: 'doctor', args: ['x'], want: "got server 'x', allowed: IP, IP:PORT, [IPV6]:PORT" },
    { tool: 'doctor', args: ['127.0.0.1:65536'], want: "got server '127.0.0.1:65536', allowed" },
    { tool: 'doctor', args: ['-timeout', '-1s'], want: "-timeout: got '-1s', allowed: a duration such as 2s or 500ms" },
    { tool: 'doctor', args: ['-watch', 'x'], want: "-watch: got 'x', allowed: a duration such as 2s or 500ms" },
    { tool: 'kernel', args: [], want: "got '', allowed: status" },
    { tool: 'kernel', args: ['status', 'now'], want: "got 'status now', allowed: status" },
    { tool: 'kernel', args: ['stop'], want: "got 'stop', allowed: status" },
    { tool: 'kernel', args: ['-watch', '-1s', 'status'], want: "-watch: got '-1s', allowed: a time as 2s" },
    { tool: 'kernel', args: ['-watch', 'x', 'status'], want: "-watch: got 'x', allowed: a time as 2s" },
    { tool: 'kernel', args: ['-o', 'xml', 'status'], want: "-o: got 'xml', allowed: text, json" },
  ] as const)('$tool refuse $args', async ({ tool, args, want }) => {
    expect([await COMMANDS[tool](args, {}), said()]).toEqual([2, expect.stringContaining(`nodens ${tool}: ${want}`)]);
  });

  it.each([
    { tool: 'top', args: [ABSENT] },
    { tool: 'top', args: [ABSENT, '-rows', '1', '-every', '100ms', '-o', 'json'] },
    { tool: 'top', args: [ABSENT, '-rows', '1000', '-timeout', '1s'] },
    { tool: 'record', args: [ABSENT] },
    { tool: 'explain', args: [ABSENT, 'a.'] },
    { tool: 'explain', args: [ABSENT, '-o', 'json', 'a.', 'AAAA'] },
  ] as const)('$tool are taken: $args', async ({ tool, args }) => {
    expect([await COMMANDS[tool](args, {}), said()]).toEqual([2, expect.stringContaining('/nowhere/admin')]);
  });
});

describe.skipIf(process.platform !== 'linux')('nodens kernel status', () => {
  it.each(['text', 'json'])('is shown as %s, or says what rights it needs', async (form) => {
    const code = await kernelCommand(['status', '-watch', '0s', '-o', form], {});
    if (code === 0) expect([said(), shown().startsWith('[')]).toEqual(['', form === 'json']);
    else {
      expect([code, shown()]).toEqual([1, '']);
      expect(said()).toMatch(/^nodens kernel: .*: the rights CAP_BPF and CAP_SYS_ADMIN are needed\n$/);
    }
  });
});

describe('nodens check', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-check-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const hinted = file('hinted', '.:53 {\n errors\n reload\n loop\n forward . 10.0.0.53 {\n max_concurrent 1\n }\n}\n');
  const warned = file('warned', '.:53 {\n errors\n reload\n erratic\n}\n');

  it.each([
    { name: 'shows no hints', args: [hinted], code: 0, rules: [] },
    { name: 'shows hints where they are asked for', args: [hinted, '-hints'], code: 0, rules: ['cache-missing'] },
    { name: 'judges what -conf names', args: ['-conf', warned], code: 1, rules: ['erratic-answers'] },
    { name: 'judges it beside other files', args: [hinted, '-conf', warned], code: 1, rules: ['erratic-answers'] },
    { name: 'judges files in place of a Corefile', args: [warned, hinted], code: 1, rules: ['erratic-answers'] },
    { name: 'takes a file for a server', args: [hinted, '-as', 'server'], code: 0, rules: [] },
    { name: 'or for a node cache', args: [hinted, '-as', 'node-cache'], code: 1, rules: ['node-cache-unbound'] },
  ])('$name', async ({ args, code, rules }) => {
    expect([await checkCommand([...args, '-o', 'json'], {}), said()]).toEqual([code, '']);
    const { findings } = JSON.parse(shown()) as { findings: { rule: string }[] };
    expect(findings.map(({ rule }) => rule)).toEqual(rules);
  });
});
