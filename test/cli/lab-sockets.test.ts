import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { editOnTerminal } from '../../src/cli/lab-edit.js';
import { checkOwn, findLab } from '../../src/cli/lab-sockets.js';

let dir: string;
let before: string | undefined;
let servers: net.Server[];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-lab-test-'));
  before = process.env.TMPDIR;
  process.env.TMPDIR = dir;
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(dir, { recursive: true, force: true });
});

const { uid } = os.userInfo();
const folder = (): string => path.join(dir, `nodens-lab-${uid}`);
const socket = (): string => path.join(folder(), '15300.sock');
const listen = (file: string): Promise<void> =>
  new Promise((resolve) => {
    const server = net.createServer((one) => one.destroy());
    servers.push(server);
    server.listen(file, resolve);
  });

describe('the socket of a lab', () => {
  it('is found in a folder that is nobody else’s', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    await listen(socket());
    expect(await findLab({}, undefined)).toBe(socket());
  });

  it.each([
    { name: 'in a folder that others may write to', make: () => mkdirSync(folder()), mode: 0o777 },
    {
      name: 'in a folder that is elsewhere',
      make: () => {
        mkdirSync(path.join(dir, 'elsewhere'), { mode: 0o700 });
        symlinkSync(path.join(dir, 'elsewhere'), folder());
      },
    },
  ])('is not believed $name', async ({ make, mode }) => {
    make();
    if (mode !== undefined) chmodSync(folder(), mode);
    await listen(socket());
    await expect(findLab({}, undefined)).rejects.toThrow(`${folder()} belongs to somebody else`);
    await expect(findLab({}, 15_300)).rejects.toThrow('belongs to somebody else');
  });

  it('is not believed where it is no socket', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    writeFileSync(socket(), '');
    await expect(findLab({}, undefined)).rejects.toThrow(`${socket()} belongs to somebody else`);
  });

  // Giving files away takes the rights of root.
  it.skipIf(uid !== 0)('is not believed where somebody else owns it, or its folder', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    await listen(socket());
    chownSync(socket(), 65_534, 65_534);
    expect(() => checkOwn(folder(), socket())).toThrow(socket());
    await expect(findLab({ NODENS_LAB_SOCKET: socket() }, undefined)).rejects.toThrow(socket());
    chownSync(socket(), 0, 0);
    chownSync(folder(), 65_534, 65_534);
    expect(() => checkOwn(folder(), socket())).toThrow(folder());
  });
});

describe('a text that the lab wants edited', () => {
  it('is edited and given back', async () => {
    expect(await editOnTerminal({ EDITOR: "sed -i 's/a/b/'" }, 'a\n', '.yaml')).toBe('b\n');
  });

  it.each(['/../victim', '.yaml/../../victim', '', '.', '.YAML', `.${'a'.repeat(11)}`, '.a b'])(
    'is not written where its name ends in %j',
    async (ending) => {
      const victim = path.join(dir, 'victim');
      await expect(editOnTerminal({ EDITOR: 'true' }, 'a', ending)).rejects.toThrow('the lab sent a file name');
      expect(existsSync(victim)).toBe(false);
    },
  );
});
