import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/debian-server.js';
import { query } from '../support/dns.js';
import { askUdp } from '../support/running.js';
import { PROGRAM, Program } from '../support/program.js';

const TOKEN = 'a token of some length'.replaceAll(' ', '-');

describe('compare beside a running server with an admin endpoint', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shadow-'));
  const at = (name: string): string => path.join(folder, name);
  let program: Program;
  let admin: number;
  let port: number;
  let over = false;
  let clients: Promise<void>;

  /** Some names of a zone, of which `api` has this address. */
  const zone = (key: string, api: string): string =>
    `${key} {\n    bind 127.0.0.1\n    cache\n    hosts {\n        192.0.2.1 www.example.test\n        ${api} api.example.test\n    }\n}\n`;

  beforeAll(async () => {
    port = await freePort();
    admin = await freePort();
    writeFileSync(at('running'), zone(`example.test:${port}`, '192.0.2.2'));
    writeFileSync(at('same'), zone('example.test', '192.0.2.2'));
    writeFileSync(at('other'), zone('example.test', '192.0.2.7'));
    writeFileSync(at('token'), `${TOKEN}\n`, { mode: 0o600 });
    const flags = ['-conf', at('running'), '-admin', `127.0.0.1:${admin}`, '-admin.token', at('token')];
    program = new Program([...PROGRAM, ...flags], {}, folder);
    await program.said(/admin endpoint at/);
    clients = (async () => {
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        for (const [name, type] of [
          ['www', 'A'],
          ['api', 'A'],
          ['www', 'AAAA'],
        ] as const)
          await askUdp(port, query(`${name}.example.test.`, type).bytes).catch(() => undefined);
      }
    })();
  });

  afterAll(async () => {
    over = true;
    await clients;
    await program?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const compared = async (fresh: string, ...more: string[]): Promise<{ code: number | null; text: string }> => {
    const args = ['-shadow', `http://127.0.0.1:${admin}`, '-token', at('token'), '-for', '2500ms', ...more];
    const run = new Program([...PROGRAM, 'compare', ...args, '-old', at('same'), '-new', at(fresh)], {}, folder);
    return { code: await run.ended(), text: run.text };
  };

  it('finds no difference where there is none', async () => {
    const { code, text } = await compared('same');
    expect(text).toMatch(
      new RegExp(`^[1-9]\\d* queries of 127.0.0.1:${admin}: [1-9]\\d* answered alike, 0 otherwise`, 'm'),
    );
    expect(code).toBe(0);
  });

  it('finds what differs, with a share of the queries', async () => {
    const { code, text } = await compared('other', '-sample', '0.5');
    expect(text).toContain('old: api.example.test. 3600 IN A 192.0.2.2');
    expect(text).toContain('new: api.example.test. 3600 IN A 192.0.2.7');
    expect(text).not.toContain('www.example.test. A (');
    expect(code).toBe(1);
  });

  it('says that the server cannot be asked', async () => {
    writeFileSync(at('wrong'), `${TOKEN}-too\n`, { mode: 0o600 });
    const { code, text } = await compared('same', '-token', at('wrong'));
    expect(text).toContain(`nodens compare: 127.0.0.1:${admin}: `);
    expect(code).toBe(2);
  });
});
