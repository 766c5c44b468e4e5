import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tls } from '../../../src/plugins/tls/setup.js';
import { TestBlock, directives, setup, type TestBlockOptions } from '../../support/block.js';

const pem = (name: string): string => readFileSync(path.join(import.meta.dirname, 'files', `${name}.pem`), 'utf8');
const files = (more: Record<string, string> = {}): TestBlockOptions => ({
  files: {
    'c.pem': pem('cert'),
    'k.pem': pem('key'),
    'oc.pem': pem('other-cert'),
    'ok.pem': pem('other-key'),
    ...more,
  },
});

describe('tls', () => {
  it.each([
    { text: 'tls c.pem k.pem', mode: 'none' },
    { text: 'tls c.pem k.pem oc.pem', mode: 'none' },
    { text: 'tls c.pem k.pem {\nclient_auth nocert\n}', mode: 'none' },
    { text: 'tls c.pem k.pem {\nclient_auth request\n}', mode: 'request' },
    { text: 'tls c.pem k.pem {\nclient_auth require\n}', mode: 'any' },
    { text: 'tls c.pem k.pem oc.pem {\nclient_auth verify_if_given\n}', mode: 'verify-if-given' },
    { text: 'tls c.pem k.pem oc.pem {\nclient_auth require_and_verify\n}', mode: 'verify' },
  ])('$text', ({ text, mode }) => {
    const { block } = setup(tls, text, files());
    expect(block.settings.tls!.clientCertificate).toBe(mode);
    expect(block.settings.tls!.context()).toBeDefined();
  });

  it.each([
    { text: 'tls', error: 'Corefile:2: tls: got no argument' },
    { text: 'tls c.pem', error: 'Corefile:2: tls: got 1 argument' },
    { text: 'tls c.pem k.pem oc.pem x', error: 'Corefile:2: tls: got 4 arguments' },
    { text: 'tls c.pem none.pem', error: 'Corefile:2: tls: file none.pem cannot be read' },
    { text: 'tls junk.pem k.pem', error: 'Corefile:2: tls: file junk.pem holds no certificate in PEM form' },
    { text: 'tls c.pem c.pem', error: 'Corefile:2: tls: file c.pem holds no private key in PEM form' },
    { text: 'tls c.pem ok.pem', error: 'Corefile:2: tls: key ok.pem does not belong to certificate c.pem' },
    {
      text: 'tls c.pem k.pem {\nclient_auth maybe\n}',
      error: "Corefile:3: tls: client_auth: got 'maybe', allowed: nocert, request, require, verify_if_given, require",
    },
    { text: 'tls c.pem k.pem {\nciphers all\n}', error: 'Corefile:3: tls:' },
    { text: 'tls c.pem k.pem {\nkeylog\n}', error: 'Corefile:3: tls: keylog:' },
    {
      text: 'tls c.pem k.pem {\nkeylog /nowhere/keys\n}',
      error: 'Corefile:3: tls: keylog: file /nowhere/keys cannot be written: ENOENT',
    },
    {
      text: 'tls expired.pem expired-key.pem',
      error: 'Corefile:2: tls: certificate expired.pem has expired (2020-01-02T00:00:00.000Z)',
    },
  ])('refuses $text', ({ text, error }) => {
    expect(() =>
      setup(
        tls,
        text,
        files({ 'junk.pem': 'junk', 'expired.pem': pem('expired-cert'), 'expired-key.pem': pem('expired-key') }),
      ),
    ).toThrow(error);
  });

  it('takes files that changed, and keeps what there was where they cannot be used', async () => {
    const held = { 'c.pem': pem('cert'), 'k.pem': pem('key') };
    const mtimes = { 'c.pem': 1, 'k.pem': 1 };
    const { block } = setup(tls, 'tls c.pem k.pem', { files: held, mtimes });
    const context = block.settings.tls!.context;
    const first = context();
    block.clock.advance(10_000);
    expect(context()).toBe(first);
    expect(block.log.lines).toEqual([]);

    Object.assign(held, { 'c.pem': pem('other-cert') });
    Object.assign(mtimes, { 'c.pem': 2 });
    block.clock.advance(10_000);
    expect(context()).toBe(first);
    expect(block.log.lines.at(-1)).toBe(
      '[ERROR] plugin/tls: certificate of c.pem stays as it was: key k.pem does not belong to certificate c.pem',
    );

    const count = block.log.lines.length;
    block.clock.advance(10_000);
    expect(block.log.lines).toHaveLength(count);

    Object.assign(held, { 'k.pem': pem('other-key') });
    Object.assign(mtimes, { 'k.pem': 2 });
    block.clock.advance(10_000);
    expect(context()).not.toBe(first);
    expect(block.log.lines.at(-1)).toBe('[INFO] plugin/tls: certificate of c.pem read again');
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('takes a CA that changed', async () => {
    const held = { 'c.pem': pem('cert'), 'k.pem': pem('key'), 'ca.pem': pem('cert') };
    const mtimes = { 'c.pem': 1, 'k.pem': 1, 'ca.pem': 1 };
    const { block } = setup(tls, 'tls c.pem k.pem ca.pem', { files: held, mtimes });
    const first = block.settings.tls!.context();
    Object.assign(held, { 'ca.pem': pem('other-cert') });
    Object.assign(mtimes, { 'ca.pem': 2 });
    block.clock.advance(10_000);
    expect(block.settings.tls!.context()).not.toBe(first);
    await block.run('stop');
  });

  it('writes the secrets of connections to a file of this user alone, until it ends', () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'nodens-tls-'));
    try {
      const held = { [`${root}/c.pem`]: pem('cert'), [`${root}/k.pem`]: pem('key') };
      const block = new TestBlock({ files: held });
      block.settings.root = root;
      tls.setup(directives('tls c.pem k.pem {\nkeylog keys\n}', 'tls'), block);
      const file = `${root}/keys`;
      expect(block.log.lines).toEqual([`[WARNING] plugin/tls: the secrets of all connections are written to ${file}`]);
      const write = (line: string): void => block.settings.tls!.keylog!(Buffer.from(line));
      write('a\n');
      write('b\n');
      block.lifetime.end(new Error('stopped'));
      write('c\n');
      expect(readFileSync(file, 'utf8')).toBe('a\nb\n');
      expect(statSync(file).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  /** How often this process has a file open. */
  const openings = (file: string): number =>
    readdirSync('/proc/self/fd').filter((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`) === file;
      } catch {
        return false;
      }
    }).length;

  it('goes on where the file takes no more secrets, and leaves it alone then', () => {
    const { block } = setup(tls, 'tls c.pem k.pem {\nkeylog /dev/full\n}', files());
    expect(openings('/dev/full')).toBe(1);
    for (let i = 0; i < 2; i++) expect(() => block.settings.tls!.keylog!(Buffer.from('a\n'))).not.toThrow();
    expect(openings('/dev/full')).toBe(0);
    expect(() => block.lifetime.end(new Error('stopped'))).not.toThrow();
  });

  it('writes no secrets unless it is told to', () =>
    expect(setup(tls, 'tls c.pem k.pem', files()).block.settings.tls!.keylog).toBeUndefined());
});
