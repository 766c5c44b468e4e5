import { lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { NodensError } from '../../lib/errors.js';
import type { TcpConnection } from '../../net/network.js';
import { modeText, socketFault } from './token.js';

/** Read and write by its owner. */
const OTHERS = 0o177;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const NOWHERE = { address: '', port: 0 };

/**
 * Takes connections of this user, and of root, at a Unix socket. It is made under another name and moved into place: a
 * process that takes over from another one finds its place taken, and callers always find one of the two.
 *
 * Rejects with a NodensError (NODENS_LISTEN) where something else stands at the place, and where others may replace
 * what stands there.
 */
export async function listenUnix(
  place: string,
  onConnection: (connection: Pick<TcpConnection, 'stream' | 'remote'>) => void,
): Promise<{ close(): void }> {
  const fail = (what: string): never => {
    throw new NodensError('NODENS_LISTEN', `cannot listen on unix:${place}: ${what}`);
  };
  const folder = path.dirname(place);
  const { mode } = statSync(folder, { throwIfNoEntry: false }) ?? fail(`there is no folder ${folder}`);
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0)
    fail(`the mode of ${folder} is ${modeText(mode)}: others could put a socket of theirs there`);
  const before = lstatSync(place, { throwIfNoEntry: false });
  if (before !== undefined && !before.isSocket()) fail('something else stands there');
  const fault = before && socketFault(place);
  if (fault !== undefined) fail(fault);
  const server = net.createServer((stream) => onConnection({ stream, remote: NOWHERE }));
  const fresh = `${place}.${process.pid}`;
  rmSync(fresh, { force: true });
  await listening(server, fresh);
  const own = lstatSync(fresh).ino;
  const wrong = socketFault(fresh);
  if (wrong !== undefined) {
    server.close();
    fail(wrong);
  }
  renameSync(fresh, place);
  return {
    close: () => {
      server.close();
      // Another process may have put its own there.
      if (lstatSync(place, { throwIfNoEntry: false })?.ino === own) rmSync(place, { force: true });
    },
  };
}

/** Nobody else can connect, not even before a mode could be set: the socket is made without those rights. */
function listening(server: net.Server, place: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(OTHERS);
    try {
      server.listen(place, () => {
        server.off('error', reject).on('error', () => undefined);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}
