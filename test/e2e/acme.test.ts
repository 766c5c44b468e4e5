import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, type Clock } from '../../src/lib/clock.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { freePort, isInstalled } from '../support/debian-server.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const pebble = isInstalled('pebble');
if (!pebble) console.log('test/e2e/acme: pebble is not installed (Debian: pebble); skipped');

/** Waits for what others do: an order takes a few seconds, and more on a busy machine. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${what}`);
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A certificate authority that asks our server at `dns` for proofs. */
async function authority(dir: string, dns: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const [port, management] = [await freePort(), await freePort()];
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: `${FILES}/cert.pem`,
      privateKey: `${FILES}/key.pem`,
      httpPort: 9,
      tlsPort: 9,
    },
  };
  writeFileSync(`${dir}/pebble.json`, JSON.stringify(config));
  const args = ['-config', `${dir}/pebble.json`, '-dnsserver', `127.0.0.1:${dns}`];
  const child = spawn('pebble', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  ends.push(stop);
  await until('pebble listens', () => /ACME directory available/.test(output));
  return { url: `https://127.0.0.1:${port}/dir`, stop };
}

/** A clock whose timers are driven, and whose date can be moved by itself. */
class Calendar extends ManualClock implements Clock {
  ahead = 0;
  override now(): number {
    return super.now() + this.ahead;
  }
}

/** The serial number of the certificate that is shown; undefined where none is. */
const shown = (port: number): Promise<X509Certificate | undefined> =>
  new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'dns.example', rejectUnauthorized: false });
    socket.on('secureConnect', () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw));
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });

describe.skipIf(!pebble)('a certificate that is ordered', () => {
  it('is kept, and ordered anew before its end; a failure leaves what there is', { timeout: 180_000 }, async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-acme-'));
    ends.push(() => rmSync(dir, { recursive: true }));
    const [dns, dot] = [await freePort(), await freePort()];
    const { url, stop } = await authority(dir, dns);
    const acme = `tls {\nacme ${url} {\nnames dns.example *.dns.example\nstorage ${dir}/kept\nca ${FILES}/cert.pem\n}\n}`;
    // Two blocks that name the same order have the same certificate.
    const corefile = `.:${dns} {\nbind 127.0.0.1\n${acme}\nwhoami\n}\ntls://.:${dot} {\nbind 127.0.0.1\n${acme}\nwhoami\n}\n`;
    const start = async (): Promise<{ server: Server; clock: Calendar; log: TestLog }> => {
      const [clock, log] = [new Calendar(Date.now()), new TestLog()];
      const server = await Server.create({ corefile, clock, log });
      await server.listen();
      ends.push(async () => {
        let over = false;
        const stopped = server.stop().then(() => (over = true));
        while (!over) await clock.advanceAsync(100);
        await stopped;
      });
      return { server, clock, log };
    };

    const first = await start();
    expect(await shown(dot)).toBeUndefined();
    await until(`an order: ${first.log.lines.join('\n')}`, () =>
      first.log.lines.some((line) => line.includes('is in force')),
    );
    const issued = (await shown(dot))!;
    expect([issued.checkHost('dns.example'), issued.checkHost('a.dns.example')]).toEqual([
      'dns.example',
      '*.dns.example',
    ]);
    expect(['account-key.pem', 'key.pem'].map((name) => statSync(`${dir}/kept/${name}`).mode & 0o777)).toEqual([
      0o600, 0o600,
    ]);
    expect(readFileSync(`${dir}/kept/cert.pem`, 'utf8').match(/BEGIN CERTIFICATE/g)!.length).toBeGreaterThan(1);
    expect((await first.server.inject({ name: '_acme-challenge.dns.example.', type: 16 }))!.answer).toEqual([]);
    await (ends.pop() as () => Promise<void>)();

    const second = await start();
    expect((await shown(dot))!.serialNumber).toBe(issued.serialNumber);
    const { clock, log } = second;
    clock.ahead = Date.parse(issued.validTo) - clock.now() - 29 * 86_400_000;
    await clock.advanceAsync(3_600_000);
    await until('another one', () => log.lines.some((line) => line.includes('is in force')));
    const renewed = (await shown(dot))!;
    expect(renewed.serialNumber).not.toBe(issued.serialNumber);
    expect(new X509Certificate(readFileSync(`${dir}/kept/cert.pem`)).serialNumber).toBe(renewed.serialNumber);

    await stop();
    clock.ahead = Date.parse(renewed.validTo) - Date.now() - 29 * 86_400_000;
    await clock.advanceAsync(3_600_000);
    await until('a failure', () => log.lines.some((line) => line.includes('the one there is stays in force')));
    expect((await shown(dot))!.serialNumber).toBe(renewed.serialNumber);
  });
});
