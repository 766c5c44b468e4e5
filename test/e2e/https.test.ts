import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const installed = (program: string, ...packages: string[]): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    console.log(`test/e2e/https: ${program} is not installed (Debian: ${packages.join(', ')}); skipped`);
    return false;
  }
};

let server: Running;
let tls: Running;
beforeAll(async () => {
  const block = (scheme: string): string => `${scheme}://.:0 {
    bind 127.0.0.1
    tls ${FILES}/cert.pem ${FILES}/key.pem
    hosts {
      192.0.2.7 www.example
      127.0.0.1 web.example
    }
  }`;
  server = await running(block('https'));
  tls = await running(block('tls'));
});
afterAll(async () => {
  await server.stop();
  await tls.stop();
});

const kdig = installed('kdig', 'knot-dnsutils');
const dig =
  installed('dig', 'bind9-dnsutils') && /\+\[no\]https/.test(execFileSync('dig', ['-h'], { encoding: 'utf8' }));
const curl = installed('curl', 'curl');

describe('DNS over HTTPS', () => {
  it.skipIf(!kdig).each([
    { name: 'POST', options: ['+https'] },
    { name: 'GET', options: ['+https', '+https-get'] },
  ])('answers kdig, who checks the certificate, with $name', async ({ options }) => {
    const { stdout } = await run('kdig', [
      '@127.0.0.1', '-p', String(server.port), ...options, `+tls-ca=${FILES}/cert.pem`, '+tls-hostname=dns.example',
      'www.example',
    ]); // prettier-ignore
    expect(stdout).toContain('192.0.2.7');
    expect(stdout).toMatch(/HTTP session \(HTTP\/2-(POST|GET)\)/);
  });

  it.skipIf(!dig).each([
    { name: 'POST', options: ['+https'] },
    { name: 'GET', options: ['+https-get'] },
  ])('answers dig with $name', async ({ options }) => {
    const { stdout } = await run('dig', [
      '@127.0.0.1', '-p', String(server.port), ...options, `+tls-ca=${FILES}/cert.pem`, '+tls-hostname=dns.example',
      'www.example', '+short',
    ]); // prettier-ignore
    expect(stdout).toBe('192.0.2.7\n');
  });

  it.skipIf(!curl)('resolves names for curl', async () => {
    const url = `https://127.0.0.1:${server.port}/dns-query`;
    // What it finds there answers 404, which is enough to have been found.
    const { stdout } = await run('curl', [
      '--silent', '--show-error', '--doh-url', url, '--doh-insecure', '--insecure', '--output', '/dev/null',
      '--write-out', '%{http_code} %{remote_ip}', `https://web.example:${server.port}/`,
    ]); // prettier-ignore
    expect(stdout).toBe('404 127.0.0.1');
  });

  it.skipIf(!curl).each(['--http1.1', '--http2'])('is asked by curl itself with %s', async (version) => {
    const dns = 'AAABAAABAAAAAAAAA3d3dwdleGFtcGxlAAABAAE';
    const { stdout } = await run('curl', [
      '--silent', '--show-error', version, '--cacert', `${FILES}/cert.pem`, '--write-out', '\n%{http_version}',
      '--connect-to', `dns.example:443:127.0.0.1:${server.port}`, `https://dns.example/dns-query?dns=${dns}`,
    ], { encoding: 'latin1' }); // prettier-ignore
    expect(stdout).toContain('\xc0\x00\x02\x07');
    expect(stdout.split('\n').at(-1)).toBe(version.slice(6).replace(/^2$/, '2'));
  });
});

describe('DNS over TLS', () => {
  it.skipIf(!dig)('answers dig', async () => {
    const { stdout } = await run('dig', [
      '@127.0.0.1', '-p', String(tls.port), '+tls', `+tls-ca=${FILES}/cert.pem`, '+tls-hostname=dns.example',
      'www.example', '+short',
    ]); // prettier-ignore
    expect(stdout).toBe('192.0.2.7\n');
  });
});
