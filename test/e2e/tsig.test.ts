import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DebianServer, isInstalled } from '../support/debian-server.js';
import { running, type Running } from '../support/running.js';

const run = promisify(execFile);
const missing = ['dig', 'kdig', 'nsd'].filter((program) => !isInstalled(program));
if (missing.length > 0) console.log(`test/e2e/tsig: not installed: ${missing.join(', ')}; skipped`);

const SECRET = 'NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=';
const WRONG = 'X28hl0BOfAL5G0jsmJWSacrwn7YRm2f6U5brnzwWEus=';
const TLS = path.resolve(import.meta.dirname, '../plugins/tls/files');
const TSIG = `tsig {\n secret key.test. ${SECRET}\n require A AXFR IXFR SOA\n}`;
/** As long as several messages. */
const zone = (serial: number): string =>
  `$TTL 60\n@ SOA ns host ${serial} 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.80\n` +
  Array.from({ length: 2500 }, (_, i) => `n${i} TXT "${'x'.repeat(60)}"\n`).join('');

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-tsig-'));
const file = path.join(dir, 'zone');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Output, whatever the exit code. */
async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, args, { timeout: 30_000, maxBuffer: 1 << 24 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${stdout}${stderr}`;
}
const at = (port: number): string[] => ['@127.0.0.1', '-p', String(port)];
const key = (algorithm = 'hmac-sha256', secret = SECRET): string[] => ['-y', `${algorithm}:key.test:${secret}`];
const dig = (port: number, ...args: string[]): Promise<string> =>
  output('dig', ...at(port), '+tries=1', '+time=5', ...args);

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await holds()); await new Promise((done) => setTimeout(done, 200)))
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
}

describe.skipIf(missing.length > 0)('queries signed by others', () => {
  let server: Running;
  let secured: Running;
  let web: Running;
  beforeAll(async () => {
    writeFileSync(file, zone(1));
    const inside = `bind 127.0.0.1\n${TSIG}\nfile ${file}\ntransfer {\n to *\n}`;
    server = await running(`example.org:0 {\n${inside}\n}`);
    secured = await running(`tls://example.org:0 {\ntls ${TLS}/cert.pem ${TLS}/key.pem\n${inside}\n}`);
    web = await running(`https://example.org:0 {\ntls ${TLS}/cert.pem ${TLS}/key.pem\n${inside}\n}`);
  }, 30_000);
  afterAll(async () => {
    await server?.stop();
    await secured?.stop();
    await web?.stop();
  });

  it.each(['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'])(
    'dig and kdig, %s',
    async (name) => {
      for (const how of ['+notcp', '+tcp']) {
        const said = await dig(server.port, how, ...key(name), 'www.example.org');
        expect(said).toContain('192.0.2.80');
        expect(said).toMatch(/TSIG\s+hmac.* NOERROR 0/);
        expect(said).not.toContain('verify');
        const knot = await output('kdig', ...at(server.port), how, ...key(name), 'www.example.org');
        expect(knot).toContain('192.0.2.80');
        expect(knot).not.toMatch(/;; (WARNING|ERROR)/);
      }
    },
  );

  it.each([
    { how: '+tls', over: () => secured },
    { how: '+https', over: () => web },
    { how: '+https-get', over: () => web },
  ])('kdig $how', async ({ how, over }) => {
    const { port } = over();
    const said = await output('kdig', ...at(port), how, ...key(), 'www.example.org');
    expect(said).toContain('192.0.2.80');
    expect(said).not.toMatch(/;; (WARNING|ERROR)/);
    expect(await output('kdig', ...at(port), how, 'www.example.org')).toContain('status: REFUSED');
    const wrong = await output('kdig', ...at(port), how, ...key('hmac-sha256', WRONG), 'www.example.org');
    expect(wrong).toMatch(/status: (BADSIG|NOTAUTH)[^]*BADSIG/);
    expect(wrong).not.toContain('192.0.2.80');
  });

  it.each([
    { name: 'no signature', args: [], status: 'REFUSED', tsig: undefined },
    { name: 'another secret', args: key('hmac-sha256', WRONG), status: 'NOTAUTH', tsig: 'BADSIG' },
    { name: 'another key', args: ['-y', `hmac-sha256:other.test:${SECRET}`], status: 'NOTAUTH', tsig: 'BADKEY' },
    { name: 'MD5', args: key('hmac-md5'), status: 'NOTAUTH', tsig: 'BADKEY' },
    { name: 'half a signature', args: key('hmac-sha256-128'), status: 'NOTAUTH', tsig: 'BADTRUNC' },
    { name: 'another time', args: [...key(), '+fuzztime=1000000000'], status: 'NOTAUTH', tsig: 'BADTIME' },
  ])('$name: $status $tsig', async ({ args, status, tsig }) => {
    for (const how of ['+notcp', '+tcp']) {
      const said = await dig(server.port, how, ...args, 'www.example.org');
      expect(said).toContain(`status: ${status}`);
      if (tsig === undefined) expect(said).not.toContain('TSIG');
      else expect(said).toMatch(new RegExp(`TSIG.*${tsig}`));
    }
  });

  it('a whole zone, in several messages', async () => {
    for (const port of [server.port]) {
      const said = await dig(port, ...key(), 'example.org', 'AXFR');
      expect(said).toMatch(/XFR size: 2505 records \(messages [2-9]/);
      expect(said).not.toMatch(/failed|verify|not signed/);
    }
    const knot = await output('kdig', ...at(secured.port), '+tls', ...key(), 'example.org', 'AXFR');
    expect(knot).toMatch(/in [2-9] messages|\([2-9] messages, 2505 records\)/i);
    expect(knot).not.toMatch(/;; (WARNING|ERROR)/);
    expect(await dig(server.port, 'example.org', 'AXFR')).toContain('Transfer failed');
    expect(await dig(server.port, ...key('hmac-sha256', WRONG), 'example.org', 'AXFR')).toContain('Transfer failed');
  });
});

describe.skipIf(missing.length > 0)('NSD', () => {
  const nsdKey = ['key:', '  name: key.test', '  algorithm: hmac-sha256', `  secret: "${SECRET}"`];
  const open: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.stop();
  });
  const kept = <T extends { stop(): Promise<unknown> }>(one: T): T => {
    open.push(one);
    return one;
  };
  const soa = async (port: number): Promise<string> => dig(port, '+short', 'example.org', 'SOA');

  it('gets the zone from here, and is told of a new one', async () => {
    writeFileSync(file, zone(1));
    const reserved = await DebianServer.nsd('none.test', '@ 1 IN SOA a b 1 2 3 4 5\n');
    await reserved.stop();
    const server = kept(
      await running(
        `example.org:0 {\nbind 127.0.0.1\n${TSIG}\nfile ${file} {\n reload 200ms\n}\n` +
          `transfer {\n to * 127.0.0.1:${reserved.port}\n notify_key key.test\n}\n}`,
      ),
    );
    const lines = [
      `  request-xfr: AXFR 127.0.0.1@${server.port} key.test`,
      '  allow-notify: 127.0.0.1 key.test',
      ...nsdKey,
    ];
    const nsd = kept(await DebianServer.nsd('example.org', undefined, { zone: lines, port: reserved.port }));
    await until(async () => (await soa(nsd.port)).includes(' 1 3600'), 'the zone');
    expect(await dig(nsd.port, '+short', 'n2499.example.org', 'TXT')).toContain('xxx');
    writeFileSync(file, zone(2));
    await until(async () => (await soa(nsd.port)).includes(' 2 3600'), 'the new zone');
    expect(server.log.filter((line) => line.includes('not accepted'))).toEqual([]);
  }, 60_000);

  it('gives the zone to us, and not without the key', async () => {
    const nsd = kept(
      await DebianServer.nsd('example.org', zone(7), { zone: ['  provide-xfr: 127.0.0.1 key.test', ...nsdKey] }),
    );
    const secondary = (more: string): Promise<Running> =>
      running(
        `example.org:0 {\nbind 127.0.0.1\ntsig {\n secret key.test. ${SECRET}\n secret wrong.test. ${WRONG}\n}\n` +
          `secondary {\n transfer from 127.0.0.1:${nsd.port}\n${more}\n}\n}`,
      );
    const good = kept(await secondary('key key.test'));
    await until(async () => (await soa(good.port)).includes(' 7 3600'), 'the zone');
    expect(await dig(good.port, '+short', 'n2499.example.org', 'TXT')).toContain('xxx');
    for (const more of ['', 'key wrong.test']) {
      const bad = kept(await secondary(more));
      await until(() => Promise.resolve(bad.log.some((line) => line.includes('Failed to transfer'))), 'a refusal');
      expect(await dig(bad.port, 'example.org', 'SOA')).toContain('status: SERVFAIL');
    }
  }, 60_000);
});
