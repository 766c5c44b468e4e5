import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAM } from '../support/program.js';
import { Namespaces, join, run, whyNot } from './node-local/namespaces.js';

const reason = whyNot(['ip', 'iptables']);
if (reason !== undefined) console.log(`test/e2e/doctor: skipped, ${reason}`);

const [NODE = '', ...MAIN] = PROGRAM;
const KEY = Buffer.alloc(256, 7).toString('base64');
/** A root zone whose keys need fragments on a link of 1500 bytes. */
const ZONE = [
  '. 300 IN SOA a. b. 1 1 1 1 1',
  '. 300 IN NS a.',
  'name.test. 300 IN A 192.0.2.1',
  ...Array.from({ length: 8 }, (_, i) => `. 300 IN DNSKEY ${256 + i} 3 8 ${KEY}`),
  '',
].join('\n');

describe.skipIf(reason !== undefined)('a node in a namespace', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-doctor-'));
  let namespaces: Namespaces;
  let node = '';
  let server: ChildProcess;

  /** What the doctor finds there, and its exit code. */
  const doctor = (): { found: string[]; code: number | null; text: string } => {
    const args = ['netns', 'exec', node, NODE, ...MAIN, 'doctor', '-resolv-conf', path.join(folder, 'resolv.conf')];
    const options = ['-name', 'name.test', '-timeout', '400ms', '-watch', '0s'];
    const { stdout, stderr, status } = spawnSync('ip', [...args, ...options], { encoding: 'utf8' });
    const found = [...stdout.matchAll(/\[([\w-]+)\]$/gm)].map(([, name]) => name!);
    // Notes and counters are of the host, which others use too.
    const own = ['datagrams-dropped', 'packets-dropped', 'fragments-failed', 'facts-missing', 'ports-few'];
    return { found: found.filter((name) => !own.includes(name)), code: status, text: stdout + stderr };
  };

  beforeAll(async () => {
    namespaces = new Namespaces();
    node = namespaces.add('node');
    const dns = namespaces.add('dns');
    join([node, 'eth0', ['10.77.0.1/24']], [dns, 'eth0', ['10.77.0.2/24']]);
    writeFileSync(path.join(folder, 'resolv.conf'), 'nameserver 10.77.0.2\n');
    writeFileSync(path.join(folder, 'zone'), ZONE);
    writeFileSync(path.join(folder, 'Corefile'), `. {\n    file ${path.join(folder, 'zone')}\n}\n`);
    const serve = [NODE, ...MAIN, '-conf', path.join(folder, 'Corefile')];
    server = spawn('ip', ['netns', 'exec', dns, ...serve], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => server.stdout!.once('data', resolve));
  });
  afterAll(() => {
    server?.kill();
    namespaces?.remove();
    rmSync(folder, { recursive: true });
  });

  it('finds nothing where nothing is', () => {
    const { found, text } = doctor();
    expect(found, text).toEqual([]);
    expect(text).toMatch(/server\s+10\.77\.0\.2:53 {2}UDP [\d.]+ ms, TCP [\d.]+ ms, \d{4} bytes over UDP: whole/);
  });

  it.each([
    {
      name: 'UDP is dropped',
      rule: ['OUTPUT', '-p', 'udp', '--dport', '53', '-j', 'DROP'],
      want: ['rules-refuse', 'udp-silent'],
    },
    {
      name: 'TCP is refused',
      rule: ['OUTPUT', '-p', 'tcp', '--dport', '53', '-j', 'REJECT', '--reject-with', 'tcp-reset'],
      want: ['rules-refuse', 'tcp-silent'],
    },
    {
      name: 'TCP is dropped',
      rule: ['OUTPUT', '-p', 'tcp', '--dport', '53', '-j', 'DROP'],
      want: ['rules-refuse', 'tcp-silent'],
    },
    {
      name: 'fragments are dropped',
      rule: ['INPUT', '-f', '-j', 'DROP'],
      want: ['large-answers-lost'],
      table: 'raw',
      chain: 'PREROUTING',
    },
  ])('$name', ({ rule, want, table = 'filter', chain }) => {
    const [first = '', ...rest] = rule;
    const words = ['-t', table, '-A', chain ?? first, ...rest];
    run('ip', 'netns', 'exec', node, 'iptables', ...words);
    try {
      const { found, text, code } = doctor();
      expect(found.sort(), text).toEqual(want);
      expect(code).toBe(2);
    } finally {
      run('ip', 'netns', 'exec', node, 'iptables', '-t', table, '-F');
    }
  });

  it('a server that is gone is silent', async () => {
    server.kill();
    await new Promise((resolve) => server.once('exit', resolve));
    const { found, text } = doctor();
    expect(found, text).toEqual(['server-silent']);
  });
});
