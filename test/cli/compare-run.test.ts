import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compareCommand } from '../../src/cli/compare.js';
import { AdminEndpoint, jsonAnswer } from '../../src/insight/admin/admin-endpoint.js';
import { Control, controlFrame } from '../../src/insight/compare/dnstap.js';
import { realClock } from '../../src/lib/clock.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { encodeQuery } from '../insight/compare/capture-writer.js';
import { dnstapFrame } from '../insight/compare/dnstap-writer.js';
import { processEvents } from '../support/process-events.js';
import { running, type Running } from '../support/running.js';
import { toldOnStderr, toldOnStdout } from '../support/told.js';

const [said, shown] = [toldOnStderr(), toldOnStdout()];
const tell = processEvents();

const HOSTS = 'hosts {\n192.0.2.1 a.example\n192.0.2.2 b.example\n}\n';
/** A bar is told of each so many queries. */
const TOLD_EACH = 500;
let folder: string;
let server: Running;
const file = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-compare-'));
  writeFileSync(file('old'), `. {\n${HOSTS}}\n`);
  writeFileSync(file('new'), `. {\n${HOSTS.replace('192.0.2.2', '192.0.2.9')}}\n`);
  writeFileSync(file('names'), 'a.example. A\nb.example. A\nb.example. AAAA\n');
  server = await running(`.:0 {\nbind 127.0.0.1\n${HOSTS}}\n`);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const run = (...args: readonly string[]): Promise<number> => compareCommand(args, {});
const servers = (): string[] => ['-old', file('old'), '-new', file('new')];

describe('nodens compare asks', () => {
  it('what a list names, and tells what differs', async () => {
    expect([await run('-from', file('names'), ...servers()), said()]).toEqual([1, '']);
    expect(shown()).toMatch(/b\.example\.[^]*\nin \d+\.\d s, \d+ queries a second\n$/);
    expect(shown()).not.toContain('a.example.');
  });

  it('as JSON', async () => {
    expect(await run('-from', file('names'), ...servers(), '-o', 'json')).toBe(1);
    expect(JSON.parse(shown())).toMatchObject({ asked: 3, classes: [{ questions: [{ question: 'b.example. A' }] }] });
  });

  it('a server that runs', async () => {
    const at = `127.0.0.1:${server.port}`;
    expect(await run('-from', file('names'), '-old', at, '-new', file('old'))).toBe(0);
    expect([said(), shown()]).toEqual(['', expect.stringContaining(at)]);
  });

  it('with a bar on a terminal', async () => {
    const isTerminal = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    writeFileSync(file('many'), 'a.example. A\n'.repeat(2 * TOLD_EACH));
    try {
      await run('-from', file('many'), ...servers());
    } finally {
      if (isTerminal) Object.defineProperty(process.stderr, 'isTTY', isTerminal);
      else Reflect.deleteProperty(process.stderr, 'isTTY');
    }
    expect(said().replace('\x1b', 'ESC')).toMatch(/^\r[^\r]* 500 of 1000\r[^\r]* 1000 of 1000\rESC\[K$/);
  });

  it.each(['SIGINT', 'SIGTERM'])('what comes by dnstap, until %s', async (signal) => {
    const tap = file('tap');
    const done = run('-shadow', tap, '-for', '1h', ...servers());
    await vi.waitFor(() => expect(said()).toContain(`waiting for dnstap at ${tap}\n`));
    const connection = net.connect(tap);
    const ended = new Promise((resolve) => connection.on('close', resolve));
    connection.resume();
    for (const frame of [
      controlFrame(Control.READY),
      controlFrame(Control.START),
      dnstapFrame(5, encodeQuery('b.example.', 'A')),
      controlFrame(Control.STOP),
    ])
      connection.write(frame);
    await ended;
    expect(tell(signal)).toBe(1);
    expect(await done).toBe(1);
    expect(shown()).toContain('b.example.');
    expect(said()).not.toContain('faster');
  });

  it.each(['SIGINT', 'SIGTERM'])('what a server says that it is asked, until %s, and what was lost', async (signal) => {
    const at = file(`admin-${signal}`);
    let asked = 0;
    const queries = [{ name: 'b.example.', type: 'A', proto: 'udp', do: false, bufsize: 0 }];
    const endpoint = await AdminEndpoint.open(
      { at: { path: at } },
      [{ path: '/queries', answer: () => jsonAnswer({ queries: asked++ === 0 ? queries : [], lost: 2 }) }],
      { network: new HostNetwork(), clock: realClock },
    );
    const done = run('-shadow', `unix:${at}`, '-for', '1h', ...servers());
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2));
    expect(tell(signal)).toBe(1);
    expect(await done).toBe(1);
    expect(shown()).toContain('b.example.');
    expect(said()).toMatch(/^\d+ queries came faster than they could be asked\n$/);
    endpoint.close();
  });

  it('for as long as it is to', async () => {
    const at = file('admin-time');
    const endpoint = await AdminEndpoint.open(
      { at: { path: at } },
      [{ path: '/queries', answer: () => jsonAnswer({ queries: [], lost: 0 }) }],
      { network: new HostNetwork(), clock: realClock },
    );
    for (const source of [`unix:${at}`, file('tap')])
      expect(await run('-shadow', source, '-for', '1ms', ...servers())).toBe(0);
    expect(said()).toBe(`waiting for dnstap at ${file('tap')}\n`);
    endpoint.close();
  });
});
