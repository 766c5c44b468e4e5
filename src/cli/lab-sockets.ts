import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, rmdirSync, type Stats } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { NodensError } from '../lib/errors.js';
import type { Environment } from '../corefile/environment.js';

/** First port of a lab when none is asked for. */
export const DEFAULT_PORT = 15_300;

/** More than one lab is running, or none of the kind that was asked for: the message says which there are. */
export class NoSuchLabError extends NodensError {
  override readonly name = 'NoSuchLabError';

  /** @param running whether another lab than the one meant runs */
  constructor(
    message: string,
    readonly running: boolean,
  ) {
    super('NODENS_LAB_ABSENT', message);
  }
}

/** Where Windows has its named pipes, which take the place of sockets in files there. A pipe is its maker's. */
const PIPES = '\\\\.\\pipe\\';
const isPipe = (file: string): boolean => file.startsWith(PIPES);

/** The user's own folder for sockets; all pipes are in one. */
const folderOf = (): string =>
  process.platform === 'win32' ? PIPES : path.join(os.tmpdir(), `nodens-lab-${os.userInfo().uid}`);

/** What the names of the user's sockets begin with. */
const prefixOf = (folder: string): string => (isPipe(folder) ? `nodens-lab-${os.userInfo().username}-` : '');

/** Where the socket of the user's lab at a port is; the environment variable NODENS_LAB_SOCKET names another place. */
export const socketPath = (env: Environment, port: number): string => {
  const folder = folderOf();
  return env.NODENS_LAB_SOCKET ?? (isPipe(folder) ? folder : folder + path.sep) + `${prefixOf(folder)}${port}.sock`;
};

/** Where the kubeconfig of a lab is: beside its socket. */
export const kubeconfigPath = (socket: string): string =>
  `${isPipe(socket) ? path.join(os.tmpdir(), path.basename(socket)) : socket.replace(/\.sock$/, '')}.kubeconfig`;

/**
 * The socket of the lab that is meant: the one at `port`; when none is given the one at the default port, or else the
 * only one.
 * Rejects with a NoSuchLabError where that is none or several, and where somebody else could have put it there.
 */
export async function findLab(env: Environment, port: number | undefined): Promise<string> {
  const meant = socketPath(env, port ?? DEFAULT_PORT);
  checkOwn(path.dirname(meant), meant);
  if (await answers(meant)) return meant;
  const ports = env.NODENS_LAB_SOCKET === undefined ? await running() : [];
  if (port === undefined && ports.length === 1) return socketPath(env, ports[0]!);
  if (ports.length === 0)
    throw new NoSuchLabError('no lab is running; start one in another terminal: nodens lab up', false);
  throw new NoSuchLabError(
    `${port === undefined ? 'several labs are running' : `no lab is running at port ${port}`}; ` +
      `there ${ports.length === 1 ? 'is one' : 'are labs'} at ${ports.join(', ')}: say which ` +
      'with -port',
    true,
  );
}

/** First ports of the user's labs that run. */
async function running(): Promise<readonly number[]> {
  const found: number[] = [];
  const folder = folderOf();
  checkOwn(folder, undefined);
  for (const file of socketsIn(folder)) if (await answers(file)) found.push(Number(/(\d+)\.sock$/.exec(file)![1]));
  return found.sort((a, b) => a - b);
}

function socketsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const prefix = prefixOf(folder);
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && /^\d+\.sock$/.test(file.slice(prefix.length)))
    .map((file) => (isPipe(folder) ? folder + file : path.join(folder, file)));
}

/**
 * Makes room for a socket: what labs left behind that were killed is cleared away. Rejects where a lab listens there
 * already, and where the place is somebody else's.
 */
export async function prepareSocket(file: string): Promise<void> {
  const folder = path.dirname(file);
  if (!isPipe(file)) ownFolder(folder);
  if (await answers(file))
    throw new NodensError('NODENS_LAB', `a lab is running already (${file}); end it with: nodens lab down`);
  if (isPipe(file)) return;
  for (const dead of socketsIn(folder))
    if (!(await answers(dead))) for (const left of [dead, kubeconfigPath(dead)]) rmSync(left, { force: true });
  rmSync(file, { force: true });
}

/** Keeps everybody else from a socket that is listened at. */
export function restrictSocket(file: string): void {
  if (!isPipe(file)) chmodSync(file, 0o600);
}

/** Takes away what a socket, and the kubeconfig beside it, leave behind. */
export function removeSocket(file: string): void {
  rmSync(kubeconfigPath(file), { force: true });
  if (isPipe(file)) return;
  rmSync(file, { force: true });
  try {
    rmdirSync(path.dirname(file));
  } catch {
    // The folder is not empty, or not ours: it stays.
  }
}

/**
 * Makes the folder of a socket, for nobody else. Throws where somebody else has put something in the place of the
 * usual one.
 */
export function ownFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkOwn(folder, undefined);
}

/**
 * Throws where a lab's socket, or the usual folder of sockets, may be somebody else's: who answers there could have
 * files written, and sees each command. Both may be missing.
 */
export function checkOwn(folder: string, socket: string | undefined): void {
  if (isPipe(socket ?? folder)) return;
  const uid = os.userInfo().uid;
  const foreign = (file: string, isRight: (found: Stats) => boolean): boolean => {
    const found = lstatSync(file, { throwIfNoEntry: false });
    return found !== undefined && (found.uid !== uid || !isRight(found));
  };
  const wrong =
    folder === folderOf() && foreign(folder, (found) => found.isDirectory() && (found.mode & 0o077) === 0)
      ? folder
      : socket !== undefined && foreign(socket, (found) => found.isSocket())
        ? socket
        : undefined;
  if (wrong !== undefined)
    throw new NodensError(
      'NODENS_LAB',
      `${wrong} belongs to somebody else, or others may write there; ` +
        `name another place for the lab's socket with the environment variable NODENS_LAB_SOCKET`,
    );
}

/** Whether a lab listens at a socket. */
export const answers = (file: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
