import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LiveQueries } from '../../src/insight/compare/live-queries.js';
import { silentLog } from '../../src/lib/log.js';
import { Server } from '../../src/server/server.js';
import { decodeMessage } from '../../src/wire/index.js';
import { PLANTED_DIFFERENCES, capture, corefileFor, zone } from '../insight/compare/planted-differences.js';
import { freePort, isInstalled } from '../support/debian-server.js';
import { PROGRAM } from '../support/program.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-compare-'));
const at = (name: string): string => path.join(folder, name);
const children: ChildProcess[] = [];
const servers: Server[] = [];
afterAll(async () => {
  for (const child of children) child.kill();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true });
});

const [NODE = '', ...MAIN] = PROGRAM;

interface Report {
  asked: number;
  equal: number;
  different: number;
  unsteady: number;
  unanswered: number;
  queriesPerSecond: number;
  classes: { class: string; questions: { question: string }[] }[];
}

/** Runs the command without stopping this process, which may be one of the servers. */
const run = (...args: string[]): Promise<{ code: number | null; report: Report; stderr: string }> =>
  new Promise((resolve) => {
    const child = execFile(
      NODE,
      [...MAIN, 'compare', '-o', 'json', ...args],
      { maxBuffer: 1 << 26 },
      (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, report: JSON.parse(stdout || '{}') as Report, stderr }),
    );
  });

const questions = ({ classes }: Report): string[] =>
  classes.flatMap((one) => one.questions.map(({ question }) => `${question} ${one.class}`)).sort();
const PLANTED = PLANTED_DIFFERENCES.map(({ name, type, kind }) => `${name} ${type} ${kind}`).sort();

for (const side of ['old', 'new'] as const) {
  writeFileSync(at(`${side}.zone`), zone(side));
  writeFileSync(at(side), corefileFor(side, at(`${side}.zone`)));
}
writeFileSync(at('many'), capture(100_000));
writeFileSync(at('some'), capture(2600));

describe('two Corefiles and 100,000 queries', () => {
  it('twenty differences of twenty', async () => {
    const { code, report } = await run('-from', at('many'), '-old', at('old'), '-new', at('new'), '-ignore', '');
    console.log(`compare: ${report.queriesPerSecond} queries a second of two configurations`);
    expect(questions(report)).toEqual(PLANTED);
    expect(report).toMatchObject({ asked: 100_000, unsteady: 0, unanswered: 0 });
    expect(code).toBe(1);
  }, 120_000);
  it('none between equal ones', async () => {
    const { code, report } = await run('-from', at('many'), '-old', at('old'), '-new', at('old'), '-ignore', '');
    expect(report).toMatchObject({ asked: 100_000, equal: 100_000, different: 0, unsteady: 0, unanswered: 0 });
    expect(code).toBe(0);
  }, 120_000);
});

async function listening(side: 'old' | 'new'): Promise<string> {
  const server = await Server.create({ corefile: readFileSync(at(side), 'utf8'), log: silentLog(), cwd: folder });
  servers.push(server);
  await server.listen();
  return `127.0.0.1:${server.served[0]!.port}`;
}

it('servers of ours at addresses differ as their Corefiles do', async () => {
  const [old, fresh] = [await listening('old'), await listening('new')];
  const args = ['-from', at('some'), '-ignore', '', '-timeout', '700ms'];
  expect(questions((await run(...args, '-old', old, '-new', fresh)).report)).toEqual(PLANTED);
  const { code, report } = await run(...args, '-old', await listening('old'), '-new', at('old'));
  expect(questions(report)).toEqual([]);
  expect(report).toMatchObject({ equal: 2600, different: 0 });
  expect(code).toBe(0);
}, 60_000);

const UNBOUND = isInstalled('unbound');
if (!UNBOUND) console.log('test/e2e/compare: unbound is not installed; its rows are skipped');

/** unbound with names of its own, which it answers for itself; at another port where somebody was quicker to take one. */
async function unbound(name: string, data: readonly string[], more: readonly string[] = []): Promise<string> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const port = await freePort();
    writeFileSync(at(`${name}.conf`), configurationOf(name, port, data, more));
    const child = spawn('unbound', ['-d', '-c', at(`${name}.conf`)], { stdio: 'ignore' });
    children.push(child);
    while (child.exitCode === null) {
      const args = ['@127.0.0.1', '-p', `${port}`, '+short', '+time=1', '+tries=1', 'www.example.test'];
      // Somebody else's server would say something else, or nothing.
      if (spawnSync('dig', args).stdout.toString() === '192.0.2.1\n') return `127.0.0.1:${port}`;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('unbound does not start');
}

const configurationOf = (name: string, port: number, data: readonly string[], more: readonly string[]): string =>
  [
    'server:',
    `  interface: 127.0.0.1@${port}`,
    '  username: ""',
    '  chroot: ""',
    `  directory: "${folder}"`,
    `  pidfile: "${at(`${name}.pid`)}"`,
    '  use-syslog: no',
    '  module-config: "iterator"',
    '  local-zone: "example.test." static',
    ...data.map((record) => `  local-data: "${record}"`),
    'remote-control:',
    '  control-enable: no',
    ...more,
    '',
  ].join('\n');

describe.skipIf(!UNBOUND)('unbound', () => {
  const NAMES = ['www', 'api', 'mail'];
  const data = [
    'example.test. 300 IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 30',
    ...NAMES.map((name, i) => `${name}.example.test. 300 IN A 192.0.2.${i + 1}`),
  ];
  const corefile = (name: string, records: readonly string[]): void => {
    writeFileSync(at(`${name}.zone`), `${[...records, 'example.test. 300 IN NS ns.example.test.', ''].join('\n')}`);
    writeFileSync(at(name), `example.test:0 {\n    bind 127.0.0.1\n    minimal\n    file ${at(`${name}.zone`)}\n}\n`);
  };
  writeFileSync(at('queries'), [...NAMES, 'nosuch'].map((name) => `${name}.example.test A\n`).join(''));
  corefile('same', data);
  corefile('other', [...data.slice(0, 3), 'mail.example.test. 300 IN A 192.0.2.33']);

  it('and a Corefile that answers alike have no difference; one that does not has one', async () => {
    const old = await unbound('unbound', data);
    const args = ['-from', at('queries'), '-old', old, '-ignore', 'flags,size,ttl'];
    const same = await run(...args, '-new', at('same'));
    expect(questions(same.report)).toEqual([]);
    expect(same.report).toMatchObject({ asked: 4, equal: 4 });
    expect(questions((await run(...args, '-new', at('other'))).report)).toEqual(['mail.example.test. A records']);
  }, 60_000);

  it('is watched by its dnstap stream', async () => {
    const tap = at('tap.sock');
    const live = new LiveQueries(1, (text) => expect.unreachable(text));
    await live.listen({ path: tap });
    const [, port = ''] = (
      await unbound('watched', data, [
        'dnstap:',
        '  dnstap-enable: yes',
        '  dnstap-bidirectional: yes',
        `  dnstap-socket-path: "${tap}"`,
        '  dnstap-log-client-query-messages: yes',
      ])
    ).split(':');
    for (const name of ['mail', 'api', 'mail'])
      spawnSync('dig', ['@127.0.0.1', '-p', port, '+short', `${name}.example.test`]);
    const asked: string[] = [];
    for await (const { transport, bytes } of live) {
      asked.push(`${decodeMessage(bytes).question[0]!.name} over ${transport}`);
      if (asked.filter((one) => one.startsWith('mail')).length === 2) break;
    }
    live.close();
    expect(asked.filter((one) => !one.startsWith('www'))).toEqual([
      'mail.example.test. over udp',
      'api.example.test. over udp',
      'mail.example.test. over udp',
    ]);
  }, 60_000);
});

it('the command listens for a stream, and ends when its time is over', () => {
  const args = ['-shadow', at('none.sock'), '-for', '200ms', '-old', at('old'), '-new', at('new')];
  const { status, stdout, stderr } = spawnSync(NODE, [...MAIN, 'compare', ...args], { encoding: 'utf8' });
  expect(stderr).toBe(`waiting for dnstap at ${at('none.sock')}\n`);
  expect(stdout).toContain(`0 queries of ${at('none.sock')}: 0 answered alike, 0 otherwise`);
  expect(status).toBe(0);
});
