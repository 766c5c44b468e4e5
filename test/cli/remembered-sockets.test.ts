import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EARLY, rememberSockets, rememberedSockets, type OpenedSocket } from '../../src/cli/remembered-sockets.js';
import { AF_INET, AF_INET6 } from '../../src/fastpath/libc.js';

const socket = (transport: 'udp' | 'tcp', address: string, family: number, asked = address): OpenedSocket => ({
  listed: { transport, address, port: 53, fd: 3 },
  asked,
  family,
});

describe('sockets that are opened again by the next start', () => {
  let dir: string;
  const folder = (): string => path.join(dir, 'kept');
  const corefile = (): string => path.join(dir, 'Corefile');
  const files = (): string[] => readdirSync(folder());
  const remember = (args: readonly string[], ...opened: OpenedSocket[]): void =>
    rememberSockets(folder(), args, corefile(), opened);
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-remembered-'));
    writeFileSync(corefile(), '.');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('are written down with the command line, the Corefile and the calls that open them', () => {
    const at = new Date(1_700_000_000_900);
    utimesSync(corefile(), at, at);
    remember(
      ['-conf', 'Corefile'],
      socket('udp', '127.0.0.1', AF_INET),
      socket('tcp', '127.0.0.1', AF_INET),
      socket('udp', '::', AF_INET6, ''),
    );
    const [file, ...more] = files();
    expect([file, more]).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/), []]);
    const [key, state, name, ...calls] = readFileSync(path.join(folder(), file!), 'utf8').trimEnd().split('\n');
    expect(Buffer.from(key!, 'hex').toString()).toBe([process.cwd(), '-conf', 'Corefile'].join('\0'));
    expect(state!.split(' ')).toHaveLength(5);
    expect(state!.split(' ')[3]).toBe('1700000000');
    expect(Buffer.from(name!, 'hex').toString()).toBe(corefile());
    // Family, type (2 is SOCK_DGRAM, 1 SOCK_STREAM), and the address as the kernel takes it.
    expect(calls.map((call) => call.split(' ').slice(0, 3))).toEqual([
      ['2', '2', '020000357f0000010000000000000000'],
      ['2', '1', '020000357f0000010000000000000000'],
      ['10', '2', `0a000035${'00'.repeat(24)}`],
    ]);
    expect(calls.map((call) => call.split(' ').slice(4).join(' '))).toEqual([
      '- 0 "transport":"udp","address":"127.0.0.1","port":53',
      expect.stringMatching(/^\S+:\S+ [1-9]\d* "transport":"tcp","address":"127\.0\.0\.1","port":53$/) as string,
      '- 0 "transport":"udp","address":"::","port":53',
    ]);
  });

  it('are kept for 64 command lines, and for the last one with one more', () => {
    mkdirSync(folder());
    for (let i = 0; i < 63; i++) writeFileSync(path.join(folder(), `other-${i}`), '');
    remember(['-a'], socket('udp', '127.0.0.1', AF_INET));
    expect(files()).toHaveLength(64);
    // What says the same is not written again.
    remember(['-a'], socket('udp', '127.0.0.1', AF_INET));
    expect(files()).toHaveLength(64);
    remember(['-b'], socket('udp', '127.0.0.1', AF_INET));
    expect(files()).toHaveLength(1);
  });

  it('are not written down where nobody may write, or where the Corefile is gone', () => {
    writeFileSync(folder(), '');
    remember([], socket('udp', '127.0.0.1', AF_INET));
    expect(readFileSync(folder(), 'utf8')).toBe('');
    rmSync(folder());
    rmSync(corefile());
    remember([], socket('udp', '127.0.0.1', AF_INET));
    expect(readdirSync(dir)).toEqual([]);
  });

  it('are told once, from the first descriptor behind standard error', () => {
    process.env[EARLY] = 'x';
    const text = '[{"transport":"udp","address":"127.0.0.1","port":53,"fd":3}]';
    expect(rememberedSockets({})).toBeUndefined();
    expect(EARLY in process.env).toBe(false);
    expect(rememberedSockets({ [EARLY]: text })?.take('udp', { address: '127.0.0.1', port: 53 })).toBe(3);
  });
});
