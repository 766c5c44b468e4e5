import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canEdit, editOnTerminal } from '../../src/cli/lab-edit.js';
import {
  checkOwn,
  findLab,
  kubeconfigPath,
  ownFolder,
  prepareSocket,
  removeSocket,
  restrictSocket,
  socketPath,
} from '../../src/cli/lab-sockets.js';

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

  const NONE = 'no lab is running; start one in another terminal: nodens lab up';
  it.each<{ name: string; ports: number[]; port?: number; found?: number; error?: string; running?: boolean }>([
    { name: 'the one at the usual port, of several', ports: [15_300, 15_400], found: 15_300 },
    { name: 'the one at the port that is named', ports: [15_300, 15_400], port: 15_400, found: 15_400 },
    { name: 'the only one, wherever it is', ports: [15_400], found: 15_400 },
    { name: 'none', ports: [], error: NONE, running: false },
    { name: 'none at the port that is named', ports: [], port: 15_400, error: NONE, running: false },
    {
      name: 'several, none at the usual port',
      ports: [15_500, 9000, 15_400],
      error: 'several labs are running; there are labs at 9000, 15400, 15500: say which with -port',
      running: true,
    },
    {
      name: 'one at another port than the one that is named',
      ports: [15_400],
      port: 15_500,
      error: 'no lab is running at port 15500; there is one at 15400: say which with -port',
      running: true,
    },
  ])('is that of $name', async ({ ports, port, found, error, running }) => {
    mkdirSync(folder(), { mode: 0o700 });
    writeFileSync(path.join(folder(), 'notes.txt'), '');
    for (const one of ports) await listen(socketPath({}, one));
    const finding = findLab({}, port);
    if (found === undefined) await expect(finding).rejects.toMatchObject({ message: error, running });
    else expect(await finding).toBe(socketPath({}, found));
  });

  it('is elsewhere where the environment says so, and no other is looked for', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    await listen(socketPath({}, 15_400));
    const own = path.join(dir, 'own.sock');
    expect(socketPath({ NODENS_LAB_SOCKET: own }, 15_400)).toBe(own);
    await expect(findLab({ NODENS_LAB_SOCKET: own }, undefined)).rejects.toThrow(NONE);
    await listen(own);
    expect(await findLab({ NODENS_LAB_SOCKET: own }, undefined)).toBe(own);
  });

  it('gets a folder that nobody else looks into', async () => {
    await prepareSocket(socket());
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    ownFolder(folder());
    await listen(socket());
    restrictSocket(socket());
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    await expect(prepareSocket(socket())).rejects.toThrow('a lab is running already');
  });

  it('is refused a folder that others may write to', async () => {
    mkdirSync(folder());
    chmodSync(folder(), 0o777);
    expect(() => ownFolder(folder())).toThrow('belongs to somebody else');
    await expect(prepareSocket(socket())).rejects.toThrow('belongs to somebody else');
  });

  it('takes the place of those that were left behind, and leaves the others alone', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    const living = socketPath({}, 15_400);
    await listen(living);
    const dead = socketPath({}, 15_500);
    for (const file of [socket(), dead, kubeconfigPath(dead), kubeconfigPath(living)]) writeFileSync(file, '');
    await prepareSocket(socket());
    expect(readdirSync(folder()).sort()).toEqual(['15400.kubeconfig', '15400.sock']);
  });

  it('leaves nothing behind, but what others need', () => {
    mkdirSync(folder(), { mode: 0o700 });
    const other = path.join(folder(), '15400.sock');
    for (const file of [socket(), kubeconfigPath(socket()), other]) writeFileSync(file, '');
    removeSocket(socket());
    expect(readdirSync(folder())).toEqual(['15400.sock']);
    removeSocket(other);
    expect(existsSync(folder())).toBe(false);
    removeSocket(other);
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

  const edits = (): string[] => readdirSync(dir).filter((file) => file.startsWith('kubectl-edit-'));

  it('is for nobody else to read, and is gone afterwards', async () => {
    const mode = path.join(dir, 'mode');
    await editOnTerminal({ EDITOR: `f() { stat -c %a "$1" > '${mode}'; }; f` }, 'a\n', '.yaml');
    expect([readFileSync(mode, 'utf8'), edits()]).toEqual(['600\n', []]);
  });

  it('is gone where the editor fails', async () => {
    await expect(editOnTerminal({ EDITOR: 'false' }, 'a\n', '.yaml')).rejects.toThrow(
      'error: there was a problem with the editor "false"',
    );
    expect(edits()).toEqual([]);
  });

  it.each([
    { name: 'kubectl’s own editor before the usual one', env: { KUBE_EDITOR: 'true', EDITOR: 'false' } },
    { name: 'the usual one where that is empty', env: { KUBE_EDITOR: '', EDITOR: 'true' } },
  ])('is edited with $name', async ({ env }) => expect(await editOnTerminal(env, 'a\n', '.yaml')).toBe('a\n'));

  it.each([
    { name: 'a terminal', tty: true, env: {}, want: true },
    { name: 'an editor', tty: false, env: { EDITOR: 'ed' }, want: true },
    { name: 'kubectl’s own editor', tty: false, env: { KUBE_EDITOR: 'ed' }, want: true },
    { name: 'neither', tty: false, env: { EDITOR: '' }, want: false },
  ])('can be edited with $name: $want', ({ tty, env, want }) => {
    const was = process.stdin.isTTY;
    process.stdin.isTTY = tty;
    try {
      expect(canEdit(env)).toBe(want);
    } finally {
      process.stdin.isTTY = was;
    }
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
