import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../support/debian-server.js';
import { quicLibrary } from '../support/quic-client.js';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const kdig = isInstalled('kdig');
if (!kdig) console.log('test/e2e/quic: kdig is not installed (Debian: knot-dnsutils); skipped');

describe.skipIf(!kdig || quicLibrary === undefined)('DNS over QUIC', () => {
  let server: Running;
  beforeAll(async () => {
    const tls = `tls ${FILES}/cert.pem ${FILES}/key.pem`;
    server = await running(`quic://.:0 {\nbind 127.0.0.1\n${tls}\nhosts {\n192.0.2.7 www.example\n}\n}`);
  });
  afterAll(() => server.stop());

  it.each([
    { name: 'who checks the certificate', options: [`+tls-ca=${FILES}/cert.pem`, '+tls-hostname=dns.example'] },
    { name: 'who takes any', options: [] },
  ])('answers kdig, $name', async ({ options }) => {
    const { stdout } = await run('kdig', [
      '@127.0.0.1', '-p', String(server.port), ...options, '+quic', '+padding', 'www.example',
    ]); // prettier-ignore
    expect(stdout).toMatch(/QUIC session \(QUICv1\)-\(TLS1\.3\)/);
    expect(stdout).toContain('192.0.2.7');
  });

  it('is refused by kdig where the certificate is for another name', async () => {
    const options = [`+tls-ca=${FILES}/cert.pem`, '+tls-hostname=other.example', '+retry=0', '+timeout=3'];
    await expect(
      run('kdig', ['@127.0.0.1', '-p', String(server.port), ...options, '+quic', 'www.example']),
    ).rejects.toThrow();
  });
});
