import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { FrameReader, decodeMessage, frame } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const installed = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const kdig = installed('kdig');
if (!kdig) console.log('test/e2e/tls: kdig is not installed (Debian: knot-dnsutils); skipped');

let server: Running | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const HOSTS = 'hosts {\n192.0.2.7 www.example\n}';
const start = async (options = '', ca = ''): Promise<Running> =>
  (server = await running(
    `tls://.:0 {\nbind 127.0.0.1\ntls ${FILES}/cert.pem ${FILES}/key.pem ${ca} ${options}\n${HOSTS}\n}`,
  ));

/** Asks over a TLS connection of its own; rejects when it ends without an answer. */
function ask(port: number, options: tls.ConnectionOptions = {}, names = ['www.example.']): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['dot'],
      ...options,
    });
    const reader = new FrameReader();
    const ids: number[] = [];
    socket.on('secureConnect', () => names.forEach((name, id) => socket.write(frame(query(name, 'A', { id }).bytes))));
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) ids.push(decodeMessage(bytes).id);
      if (ids.length < names.length) return;
      socket.destroy();
      resolve(ids);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
  });
}

describe('DNS over TLS', () => {
  it.skipIf(!kdig)('answers kdig, who checks the certificate', async () => {
    const { port } = await start();
    const { stdout } = await run('kdig', [
      '@127.0.0.1', '-p', String(port), '+tls', `+tls-ca=${FILES}/cert.pem`, '+tls-hostname=dns.example', 'www.example',
    ]); // prettier-ignore
    expect(stdout).toContain('192.0.2.7');
    expect(stdout).toMatch(/TLS session \(TLS1\.3\)/);
  });

  it('closes a connection whose client wants another handshake, and that one alone', async () => {
    const { port } = await start();
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const ended = new Promise<string>((resolve) => {
      socket.once('error', () => resolve('closed'));
      socket.once('close', () => resolve('closed'));
      socket.once('data', () => resolve('answered'));
      socket.renegotiate({ rejectUnauthorized: false }, () => socket.write(frame(query('www.example.', 'A').bytes)));
    });
    expect(await ended).toBe('closed');
    socket.destroy();
    expect(await ask(port)).toEqual([0]);
  });

  it('answers many queries on one connection', async () => {
    const { port } = await start();
    expect(
      await ask(
        port,
        {},
        Array.from({ length: 20 }, () => 'www.example.'),
      ),
    ).toHaveLength(20);
  });

  it('speaks nothing but dot, where a client says what it speaks', async () => {
    const { port } = await start();
    await expect(ask(port, { ALPNProtocols: ['h2'] })).rejects.toThrow();
    expect(await ask(port, { ALPNProtocols: undefined })).toEqual([0]);
  });

  it('answers nothing in the clear', async () => {
    const { port } = await start();
    const socket = net.connect(port, '127.0.0.1');
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => got.push(chunk)).on('error', () => undefined);
    socket.write(frame(query('www.example.').bytes));
    await new Promise((resolve) => socket.on('close', resolve));
    // An alert at the most, which begins with its type (RFC 8446 section 5.1).
    expect(Buffer.concat(got)[0] ?? 21).toBe(21);
  });

  it.each([
    { mode: 'nocert', none: true, own: true, known: true },
    { mode: 'request', none: true, own: true, known: true },
    { mode: 'require', none: false, own: true, known: true },
    { mode: 'verify_if_given', none: true, own: false, known: true },
    { mode: 'require_and_verify', none: false, own: false, known: true },
  ])('client_auth $mode', async ({ mode, none, own, known }) => {
    const { port } = await start(`{\nclient_auth ${mode}\n}`, `${FILES}/other-cert.pem`);
    const pair = (name: string): tls.ConnectionOptions => ({
      cert: readFileSync(`${FILES}/${name}cert.pem`),
      key: readFileSync(`${FILES}/${name}key.pem`),
    });
    const served = (options?: tls.ConnectionOptions): Promise<boolean> =>
      ask(port, options).then(
        () => true,
        () => false,
      );
    expect([await served(), await served(pair('')), await served(pair('other-'))]).toEqual([none, own, known]);
  });

  it('keylog writes the secrets of connections', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-keylog-'));
    const file = path.join(dir, 'keys');
    const { port, log } = await start(`{\nkeylog ${file}\n}`);
    expect(await ask(port)).toEqual([0]);
    expect(readFileSync(file, 'latin1')).toMatch(/^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/m);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(log).toContain(`[WARNING] plugin/tls: the secrets of all connections are written to ${file}`);
    rmSync(dir, { recursive: true });
  });

  it('a key without a certificate is refused', async () => {
    await expect(running('tls://.:0 {\nwhoami\n}')).rejects.toThrow(
      "Corefile:1: server block key 'tls://.:0': tls:// needs a certificate; add 'tls CERT KEY' to this block",
    );
  });
});
