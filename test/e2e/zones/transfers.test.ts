import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { soaNumbers } from '../../../src/zone/index.js';
import { DebianServer, freePort, isInstalled } from '../../support/debian-server.js';
import { texts } from '../../support/dns.js';
import { running, type Running } from '../../support/running.js';
import { askAll } from './ask.js';
import { decodeMessage } from '../../../src/wire/index.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-transfers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ORIGIN = 'move.test.';
const zone = (serial: number, ...more: string[]): string =>
  [
    '$TTL 300',
    `@ SOA ns.move.test. host.move.test. ${serial} 7200 3600 86400 300`,
    '@ NS ns.move.test.',
    'ns A 192.0.2.53',
    ...Array.from({ length: 50 }, (_, i) => `n${i} A 192.0.2.${i}`),
    ...more,
    '',
  ].join('\n');
const BEFORE = zone(1, 'old A 192.0.2.101');
const AFTER = zone(2, 'new A 192.0.2.102');

/** A test that names the programs of Debian that it lacks. */
function withPrograms(programs: readonly string[], name: string, run: () => Promise<void>): void {
  const missing = programs.filter((program) => !isInstalled(program));
  const note = missing.length === 0 ? '' : ` (not tried: not installed: ${missing.join(', ')})`;
  it.skipIf(missing.length > 0)(`${name}${note}`, run, 60_000);
}

/** Runs a client without stopping this process, which is the server. */
const run = (command: string, ...args: string[]): Promise<string> =>
  new Promise((resolve) => execFile(command, args, { timeout: 20_000 }, (_error, stdout) => resolve(stdout)));

let files = 0;
/** A primary of ours, and its file. */
async function primary(to = '*'): Promise<Running & { write(text: string): void }> {
  const file = path.join(dir, `zone${files++}`);
  writeFileSync(file, BEFORE);
  const options = `file ${file} {\nreload 100ms\n}\ntransfer {\nto ${to}\n}`;
  const server = await running(`${ORIGIN}:0 {\nbind 127.0.0.1\n${options}\n}\n`);
  onTestFinished(() => server.stop());
  return { ...server, write: (text) => writeFileSync(file, text) };
}

async function secondaryOf(port: number): Promise<Running> {
  const options = `secondary {\ntransfer from 127.0.0.1:${port}\n}`;
  const server = await running(`${ORIGIN}:0 {\nbind 127.0.0.1\n${options}\n}\n`);
  onTestFinished(() => server.stop());
  return server;
}

async function started(peer: Promise<DebianServer>): Promise<DebianServer> {
  const server = await peer;
  onTestFinished(() => server.stop());
  return server;
}

/** The serial that a server has; undefined while it has none. */
async function serialAt(port: number): Promise<number | undefined> {
  const [answer] = await askAll(port, [{ name: ORIGIN, type: 'SOA' }]);
  const [soa] = decodeMessage(answer!).answer;
  return soa && soaNumbers(soa).serial;
}

/** Waits until a server has a serial, doing something meanwhile from time to time. */
async function reaches(
  port: number,
  serial: number,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (let last: unknown; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    last = await serialAt(port).catch((error: Error) => error.message);
    if (last === serial) return;
    if (performance.now() > deadline) throw new Error(`port ${port} has serial ${String(last)}, waited for ${serial}`);
    await meanwhile();
  }
}

const has = async (port: number, name: string): Promise<string[]> => {
  const [answer] = await askAll(port, [{ name: `${name}.${ORIGIN}`, type: 'A' }]);
  return texts(decodeMessage(answer!).answer);
};

const notify = (port: number) => (): Promise<string> =>
  run('ldns-notify', '-z', ORIGIN, '-p', String(port), '-r', '1', '127.0.0.1');

describe('clients', () => {
  withPrograms(['dig'], 'dig takes the whole zone, and what has changed', async () => {
    const server = await primary();
    const whole = await run('dig', '@127.0.0.1', '-p', String(server.port), ORIGIN, 'AXFR');
    expect(whole).toMatch(/XFR size: 55 records/);
    server.write(AFTER);
    await reaches(server.port, 2);
    const change = async (): Promise<string> => run('dig', '@127.0.0.1', '-p', String(server.port), ORIGIN, 'IXFR=1');
    await expect.poll(change, { timeout: 10_000 }).toMatch(/XFR size: 6 records/);
    expect((await change()).replace(/\s+/g, ' ')).toMatch(/SOA .* 2 .* SOA .* 1 .* old.* SOA .* 2 .* new.* SOA .* 2 /);
  });

  withPrograms(['kdig'], 'kdig +tcp takes the whole zone, and what has changed', async () => {
    const server = await primary();
    const at = ['@127.0.0.1', '-p', String(server.port), '+tcp'];
    expect(await run('kdig', ...at, ORIGIN, 'AXFR')).toMatch(/55 records/);
    server.write(AFTER);
    await reaches(server.port, 2);
    await expect.poll(() => run('kdig', ...at, ORIGIN, 'IXFR=1'), { timeout: 10_000 }).toMatch(/6 records/);
  });

  withPrograms(['ldns-notify'], 'ldns-notify has a secondary of ours look', async () => {
    const server = await primary();
    const copy = await secondaryOf(server.port);
    await reaches(copy.port, 1);
    server.write(AFTER);
    await reaches(server.port, 2);
    await reaches(copy.port, 2, notify(copy.port));
    expect([await has(copy.port, 'new'), await has(copy.port, 'old')]).toEqual([
      [`new.${ORIGIN} 300 IN A 192.0.2.102`],
      [],
    ]);
  });
});

describe('secondaries of ours', () => {
  /** Draws the secondary's port first, which the primary sends its messages to. */
  const peers = {
    nsd: (port: number, from: number) =>
      DebianServer.nsd(ORIGIN, undefined, {
        port,
        zone: [`  request-xfr: 127.0.0.1@${from} NOKEY`, '  allow-notify: 127.0.0.1 NOKEY'],
      }),
    named: (port: number, from: number) =>
      DebianServer.named(ORIGIN, undefined, {
        port,
        zone: ['type secondary;', `primaries { 127.0.0.1 port ${from}; };`],
      }),
    knotd: (port: number, from: number) =>
      DebianServer.knot(ORIGIN, undefined, {
        port,
        server: ['remote:', '  - id: ours', `    address: 127.0.0.1@${from}`],
        zone: ['    master: ours'],
      }),
  };
  for (const program of ['nsd', 'named', 'knotd'] as const)
    withPrograms([program], `${program} gets the zone, is told of a change, and gets what has changed`, async () => {
      const port = await freePort();
      const server = await primary(`* 127.0.0.1:${port}`);
      const copy = await started(peers[program](port, server.port));
      await reaches(copy.port, 1);
      expect(await has(copy.port, 'old')).toHaveLength(1);
      server.write(AFTER);
      await reaches(copy.port, 2);
      expect([await has(copy.port, 'old'), await has(copy.port, 'new')]).toEqual([
        [],
        [`new.${ORIGIN} 300 IN A 192.0.2.102`],
      ]);
      const sent = server.log
        .filter((line) => line.includes('Outgoing transfer'))
        .map((line) => / of (\d+) rec/.exec(line)![1]);
      expect([sent[0], sent.at(-1)]).toEqual(['55', '6']);
    });
});

describe('primaries of ours', () => {
  const peers = {
    nsd: () =>
      DebianServer.nsd(ORIGIN, BEFORE, {
        zone: ['  provide-xfr: 127.0.0.1 NOKEY', '  store-ixfr: yes', '  create-ixfr: yes'],
      }),
    named: () => DebianServer.named(ORIGIN, BEFORE),
    knotd: () => DebianServer.knot(ORIGIN, BEFORE),
  };
  for (const program of ['nsd', 'named', 'knotd'] as const)
    withPrograms([program, 'ldns-notify'], `${program} gives the zone, and what has changed`, async () => {
      const peer = await started(peers[program]());
      const copy = await secondaryOf(peer.port);
      await reaches(copy.port, 1);
      expect(await has(copy.port, 'old')).toHaveLength(1);
      peer.replaceZone(AFTER);
      await reaches(peer.port, 2);
      await reaches(copy.port, 2, notify(copy.port));
      expect([await has(copy.port, 'old'), await has(copy.port, 'new')]).toEqual([
        [],
        [`new.${ORIGIN} 300 IN A 192.0.2.102`],
      ]);
      expect(copy.log.filter((line) => line.includes('ncremental'))).toEqual([
        `[DEBUG] plugin/secondary: Incremental transfer of ${ORIGIN}: 1 changes`,
      ]);
    });
});
