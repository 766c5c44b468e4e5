import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../src/insight/admin/ask-admin.js';
import type { FlightRecord } from '../../src/record/recorded-query.js';
import { freePort } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { PROGRAM, Program } from '../support/program.js';
import { askUdp } from '../support/running.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/RECORD.md'), 'utf8');
const fence = (kind: string): string => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(page)![1]!;

/** What differs from run to run. */
const steady = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d+|192\.0\.2\.53:53/g, 'UPSTREAM')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'WHEN')
    .replace(/(slow, failed|failed, slow)/g, 'WHY')
    .replace(/\d+(\.\d)? m?s/g, 'TIME')
    .replace(/asked \d+ times/g, 'asked N times')
    .trim();

describe('nodens record', () => {
  let folder: string;
  let silent: dgram.Socket;
  let program: Program;
  let port: number;
  const inFolder = (name: string): string => path.join(folder, name);
  const run = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const child = new Program([...PROGRAM, ...args], {}, folder);
    const code = await child.ended();
    return { code, text: child.text };
  };
  const written = (): FlightRecord => JSON.parse(readFileSync(inFolder('flight.json'), 'utf8')) as FlightRecord;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'record-'));
    silent = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    port = await freePort();
    writeFileSync(
      inFolder('Corefile'),
      fence('corefile')
        .replace('192.0.2.53', `127.0.0.1:${silent.address().port}`)
        .replace('{', '{\n bind 127.0.0.1\n'),
    );
    program = new Program(
      [...PROGRAM, '-dns.port', String(port), '-admin', 'unix:' + inFolder('a.sock'), '-record', 'flight.json'],
      {},
      folder,
    );
    await program.said(/admin endpoint at/);
  }, 60_000);
  afterAll(async () => {
    await program?.stop('SIGKILL');
    silent?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A client asks, and the server gives up. Whether the client waits for that makes no difference. */
  async function failed(name: string): Promise<void> {
    const asked = askUdp(port, query(name).bytes).catch(() => undefined);
    const kept = async (): Promise<FlightRecord> =>
      (await askAdmin({ at: { path: inFolder('a.sock') }, timeout: 20_000 }, '/record')) as FlightRecord;
    while (!(await kept()).queries.some((one) => one.name === name)) await new Promise((done) => setTimeout(done, 50));
    await asked;
  }

  it('has nothing to write before something is slow or fails', async () => {
    program.child.kill('SIGURG');
    await program.said(/SIGURG: there is no query to write/);
  });

  it('prints what docs/RECORD.md shows', async () => {
    await failed('www.example.org.');
    const server = ['-server', `unix:${inFolder('a.sock')}`];
    expect(await run('record', ...server, '-to', 'record.json')).toEqual({ code: 0, text: '' });
    expect(statSync(inFolder('record.json')).mode & 0o777).toBe(0o600);
    const told = await run('explain', '-record', 'record.json');
    const [first, second, ...shown] = fence('console').split('\n');
    expect([first, second]).toEqual(['$ nodens record -to record.json', '$ nodens explain -record record.json']);
    // The page's Corefile has a line less: `bind`, without which this would listen everywhere.
    expect(steady(told.text)).toBe(steady(shown.join('\n')));
    expect((await run('explain', '-record', 'record.json', 'other.example')).text).toMatch(/^0 queries of 1/);
    const json = await run('explain', '-record', 'record.json', '-o', 'json');
    expect((JSON.parse(json.text) as { queries: { reasons: { code: string }[] }[] }).queries[0]?.reasons[0]?.code).toBe(
      'upstream-silent',
    );
    expect(await run('explain', '-record', 'Corefile')).toMatchObject({
      code: 2,
      text: expect.stringContaining('Corefile: got no recording') as string,
    });
  });

  it('is written on SIGURG, and when the process ends otherwise than in order', async () => {
    program.child.kill('SIGURG');
    await program.said(/SIGURG: 1 queries written to/);
    expect(statSync(inFolder('flight.json')).mode & 0o777).toBe(0o600);
    expect(written()).toMatchObject({ occasion: 'SIGURG', queries: [{ name: 'www.example.org.' }] });
    // The answer under way keeps the process from its end; the second signal does not wait for it.
    const pending = askUdp(port, query('again.example.org.').bytes).catch(() => undefined);
    program.child.kill('SIGINT');
    await program.said(/SIGINT: Shutting down/);
    program.child.kill('SIGINT');
    expect(await program.ended()).toBe(2);
    expect(written().occasion).toBe('the process ends with code 2');
    await pending;
  });
});
