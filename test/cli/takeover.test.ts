import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Takeover } from '../../src/cli/takeover.js';
import { TestLog } from '../support/block.js';
import { until } from '../support/kube.js';

const linux = process.platform === 'linux';
if (!linux) console.log('test/cli/takeover: sockets are passed on on Linux only; skipped');

describe.skipIf(!linux)('takeover', () => {
  let dir: string;
  let file: string;
  let log: TestLog;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-takeover-'));
    file = path.join(dir, 'dns.sock');
    log = new TestLog();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  });

  /** A process that does this with a connection `c` to the file. */
  const other = async (body: string): Promise<void> => {
    const code = `require('net').createServer((c) => { ${body} }).listen(${JSON.stringify(file)}, () => console.log('on'))`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
  };
  const answer = (text: string): string =>
    `c.on('error', () => {}); c.once('data', () => c.end(${JSON.stringify(text)}))`;

  it.each([
    { name: 'where nobody is', before: () => Promise.resolve(), lines: [] },
    { name: 'of one that has ended', before: () => Promise.resolve(writeFileSync(file, '')), lines: [] },
    { name: 'from nonsense', before: () => other(answer('nonsense')), lines: ['got an answer of another version'] },
    {
      name: 'from another version',
      before: () => other(answer('{"nodens":2,"sockets":[]}')),
      lines: ['got an answer of another version'],
    },
    {
      name: 'from one that names more than it gives',
      before: () => other(answer('{"nodens":1,"sockets":[{"transport":"udp","address":"127.0.0.1","port":53}]}')),
      lines: ['got an answer of another version'],
    },
    {
      name: 'from another network namespace',
      before: () => other(answer('{"nodens":1,"sockets":[]}')),
      lines: ['it is in another network namespace'],
    },
    { name: 'from one that closes', before: () => other('c.destroy()'), lines: ['-takeover: no sockets from'] },
  ])('gets nothing $name, and serves in that place', async ({ before, lines }) => {
    await before();
    const takeover = Takeover.begin(file, log, true)!;
    expect([takeover.sockets, takeover.isShared]).toEqual([undefined, false]);
    expect(log.lines).toHaveLength(lines.length);
    for (const line of lines) expect(log.lines.join('\n')).toContain(line);
    await takeover.serve(() => new Map([['cache 0 .', 'text']]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    takeover.end();
  });

  it('gives its sockets, and knows of the other as long as that is there', async () => {
    const takeover = Takeover.begin(file, log, true)!;
    await takeover.serve(() => new Map([['cache 0 .', 'text']]));
    const listener = net.createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as net.AddressInfo;
    const client = net.connect(file);
    client.write(`{"nodens":1,"net":"${readlinkSync('/proc/self/ns/net')}"}\n`);
    let text = '';
    client.on('data', (chunk) => (text += String(chunk)));
    await until(() => text.endsWith('[["cache 0 .","text"]]'), 'what is kept');
    const given = JSON.parse(text.slice(0, text.indexOf('[["cache'))) as {
      nodens: number;
      kept: number;
      sockets: unknown[];
    };
    expect(given.kept).toBe('[["cache 0 .","text"]]'.length);
    expect(given.nodens).toBe(1);
    expect(given.sockets).toContainEqual({ transport: 'tcp', address: '127.0.0.1', port });
    expect(takeover.isShared).toBe(false);
    client.write('serving\n');
    await until(() => takeover.isShared, 'the other serves');
    client.write('closing\n');
    await until(() => !takeover.isShared, 'the other is about to end');
    client.write('serving\n');
    await until(() => takeover.isShared, 'the other serves again');
    client.destroy();
    await until(() => !takeover.isShared, 'the other is gone');
    takeover.end();
    listener.close();
  });

  it.each([
    { name: 'nonsense', text: 'give me all\n' },
    { name: 'another version', text: '{"nodens":0,"net":""}\n' },
    { name: 'a line without end', text: 'x'.repeat(2000) },
  ])('gives nothing to $name', async ({ text }) => {
    const takeover = Takeover.begin(file, log, true)!;
    await takeover.serve(() => new Map([['cache 0 .', 'text']]));
    const client = net.connect(file);
    let got = '';
    client.on('data', (chunk) => (got += String(chunk)));
    client.write(text);
    await once(client, 'close');
    expect(got).toBe('');
    expect(log.lines).toHaveLength(1);
    takeover.end();
  });

  it.each([
    { name: 'where everybody may write', mode: 0o777, at: 'dns.sock', error: 'not everybody may write' },
    { name: 'that is not there', mode: 0o700, at: 'none/dns.sock', error: 'ENOENT' },
  ])('refuses a folder $name', ({ mode, at, error }) => {
    chmodSync(dir, mode);
    expect(() => Takeover.begin(path.join(dir, at), log, true)).toThrow(error);
  });
});
