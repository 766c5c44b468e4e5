import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, isInstalled } from '../support/debian-server.js';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const has = Object.fromEntries(
  Object.entries({ unbound: 'unbound', kresd: 'knot-resolver', dnsdist: 'dnsdist', dig: 'bind9-dnsutils' }).map(
    ([program, from]) => {
      const found = isInstalled(program);
      if (!found) console.log(`test/e2e/encrypted-peers: ${program} is not installed (Debian: ${from}); skipped`);
      return [program, found];
    },
  ),
);

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const folder = (): string => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-peers-'));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** Runs a server until the test ends; resolves when it takes connections at `port`. */
async function peer(program: string, args: readonly string[], port: number, cwd: string): Promise<void> {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += String(chunk)));
  ends.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  for (let tries = 0; tries < 300; tries++) {
    const socket = net.connect(port, '127.0.0.1');
    const open = await new Promise((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (open) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${program} does not listen at port ${port}:\n${output}`);
}

async function ours(corefile: string): Promise<Running> {
  const server = await running(corefile);
  ends.push(() => server.stop());
  return server;
}

const UNBOUND = [
  '  username: ""',
  '  chroot: ""',
  '  use-syslog: no',
  '  do-not-query-localhost: no',
  '  module-config: "iterator"',
];
async function unbound(lines: readonly string[], port: number): Promise<void> {
  const dir = folder();
  const own = [
    'server:',
    ...UNBOUND,
    `  directory: "${dir}"`,
    `  pidfile: "${dir}/pid"`,
    `  interface: 127.0.0.1@${port}`,
  ];
  writeFileSync(path.join(dir, 'conf'), [...own, ...lines, 'remote-control:', '  control-enable: no', ''].join('\n'));
  await peer('unbound', ['-d', '-c', path.join(dir, 'conf')], port, dir);
}

const CERTIFICATE = [`  tls-service-key: "${FILES}/key.pem"`, `  tls-service-pem: "${FILES}/cert.pem"`];
const DATA = ['  local-zone: "peer.example." static', '  local-data: "www.peer.example. 300 IN A 192.0.2.66"'];
const dig = async (port: number, name: string, ...more: string[]): Promise<string> =>
  (await run('dig', ['@127.0.0.1', '-p', String(port), name, '+short', '+tries=3', '+time=3', ...more])).stdout.trim();

describe('ours forwards', () => {
  it.skipIf(!has.unbound).each([
    { way: 'tls', option: '', kind: (port: number) => `  tls-port: ${port}` },
    { way: 'https', option: '', kind: (port: number) => `  https-port: ${port}` },
    { way: 'https', option: 'doh_method GET', kind: (port: number) => `  https-port: ${port}` },
  ])("to unbound over $way '$option'", async ({ way, option, kind }) => {
    const port = await freePort();
    await unbound([kind(port), ...CERTIFICATE, ...DATA], port);
    const server = await ours(
      `.:0 {\nbind 127.0.0.1\nforward . ${way}://127.0.0.1%dns.example:${port} {\ntls ${FILES}/cert.pem\n${option}\n}\n}`,
    );
    for (let i = 0; i < 5; i++) {
      const { answer } = await server.ask('www.peer.example.', 'A');
      expect(answer.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 66]]);
    }
  });

  it.skipIf(!has.dnsdist)('to dnsdist over HTTPS', async () => {
    const port = await freePort();
    const dir = folder();
    writeFileSync(
      path.join(dir, 'conf'),
      `addDOHLocal("127.0.0.1:${port}", "${FILES}/cert.pem", "${FILES}/key.pem", "/dns-query")
newServer({address="127.0.0.1:9", healthCheckMode="up"})
addAction(AllRule(), SpoofAction("192.0.2.66"))\n`,
    );
    await peer('dnsdist', ['--supervised', '--disable-syslog', '-C', path.join(dir, 'conf')], port, dir);
    const server = await ours(
      `.:0 {\nbind 127.0.0.1\nforward . https://127.0.0.1%dns.example:${port} {\ntls ${FILES}/cert.pem\n}\n}`,
    );
    const { answer } = await server.ask('www.peer.example.', 'A');
    expect(answer.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 66]]);
  });
});

describe('ours forwards to knot-resolver', () => {
  it.skipIf(!has.kresd).each([
    { way: 'tls', kind: 'tls' },
    { way: 'https', kind: 'doh2' },
  ])('over $way', async ({ way, kind }) => {
    const port = await freePort();
    const dir = folder();
    writeFileSync(
      path.join(dir, 'conf'),
      `net.listen('127.0.0.1', ${port}, { kind = '${kind}' })
net.tls('${FILES}/cert.pem', '${FILES}/key.pem')
trust_anchors.remove('.')
modules = { 'hints > iterate' }
hints['www.peer.example'] = '192.0.2.66'\n`,
    );
    await peer('kresd', ['-n', '-c', path.join(dir, 'conf'), dir], port, dir);
    const server = await ours(
      `.:0 {\nbind 127.0.0.1\nforward . ${way}://127.0.0.1%dns.example:${port} {\ntls ${FILES}/cert.pem\n}\n}`,
    );
    const { answer } = await server.ask('www.peer.example.', 'A');
    expect(answer.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 66]]);
  });
});

const HOSTS = 'hosts {\n192.0.2.7 www.example\n}';
const encrypted = (): Promise<Running> =>
  ours(`tls://.:0 {\nbind 127.0.0.1\ntls ${FILES}/cert.pem ${FILES}/key.pem\n${HOSTS}\n}`);

describe('ours is asked', () => {
  it.skipIf(!has.unbound || !has.dig)('by unbound with forward-tls-upstream', async () => {
    const { port: upstream } = await encrypted();
    const port = await freePort();
    const forward = [
      'forward-zone:',
      '  name: "."',
      '  forward-tls-upstream: yes',
      `  forward-addr: 127.0.0.1@${upstream}#dns.example`,
    ];
    await unbound([`  tls-cert-bundle: "${FILES}/cert.pem"`, ...forward], port);
    expect(await dig(port, 'www.example')).toBe('192.0.2.7');
  });

  it.skipIf(!has.kresd || !has.dig)('by knot-resolver with TLS_FORWARD', async () => {
    const { port: upstream } = await encrypted();
    const port = await freePort();
    const dir = folder();
    writeFileSync(
      path.join(dir, 'conf'),
      `net.listen('127.0.0.1', ${port}, { kind = 'dns' })
trust_anchors.remove('.')
modules = { 'policy' }
policy.add(policy.all(policy.TLS_FORWARD({{'127.0.0.1@${upstream}', hostname='dns.example', ca_file='${FILES}/cert.pem'}})))\n`,
    );
    await peer('kresd', ['-n', '-c', path.join(dir, 'conf'), dir], port, dir);
    expect(await dig(port, 'www.example')).toBe('192.0.2.7');
  });
});
