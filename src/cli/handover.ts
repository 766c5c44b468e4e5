import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import { InheritedSockets, listeningSockets, parseSockets } from '../net/inherited-sockets.js';
import type { Environment } from '../corefile/environment.js';

/**
 * Environment variable that tells a process which sockets it was given: a JSON list of where they listen and their
 * descriptors.
 */
const VARIABLE = 'NODENS_SOCKETS';
/** What the new process says when it serves. */
const SERVING = 'serving';
/** The new process has this long to serve. */
const PATIENCE: Milliseconds = 30_000;
/** The first descriptor after standard input, output and error and the channel between the processes. */
const FIRST_FD = 4;

/**
 * The sockets that the process was started with, if it was started to take over from another one. Throws a NodensError
 * where what says so is none of ours.
 */
export function inheritedSockets(env: Environment): InheritedSockets | undefined {
  const text = env[VARIABLE];
  // What this process starts later has other descriptors under those numbers.
  delete process.env[VARIABLE];
  return text === undefined || text === '' ? undefined : new InheritedSockets(parseSockets(VARIABLE, text, FIRST_FD));
}

/** Tells the process that passed on its sockets that it may go. */
export function tellServing(): void {
  if (process.send === undefined) return;
  process.send(SERVING, () => process.disconnect?.());
}

/**
 * Starts the same command line again with the listening sockets of this process. Both hold the same sockets then, so
 * what arrives meanwhile waits in one
 * queue for whichever reads it, and nothing is lost when this one closes its side. Resolves with whether the new
 * process serves; if not, it is gone, and the
 * reason is in the log.
 */
export function handOver(env: Environment, log: Logger): Promise<boolean> {
  if (process.pid === 1) {
    log.error('process 1 of a container cannot hand over: the container ends with it');
    return Promise.resolve(false);
  }
  const sockets = listeningSockets();
  const passed = sockets.map((socket, i) => ({ ...socket, fd: FIRST_FD + i }));
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
    env: { ...env, [VARIABLE]: JSON.stringify(passed) },
  });
  return serving(child, log);
}

function serving(child: ChildProcess, log: Logger): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (serves: boolean, reason?: string): void => {
      clearTimeout(patience);
      child.removeAllListeners('exit');
      if (reason !== undefined) log.error(`the new process does not serve: ${reason}; going on`);
      resolve(serves);
    };
    const patience = setTimeout(() => {
      child.kill('SIGKILL');
      settle(false, `no word from it after ${PATIENCE / 1000} s`);
    }, PATIENCE);
    child.once('error', (error) => settle(false, error.message));
    child.once('exit', (code, signal) =>
      settle(false, signal === null ? `it ended with ${code}` : `it was ended by ${signal}`),
    );
    child.on('message', (message) => {
      if (message !== SERVING) return;
      child.unref();
      settle(true);
    });
  });
}
