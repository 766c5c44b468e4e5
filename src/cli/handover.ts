import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { realClock, type Clock } from '../lib/clock.js';
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

/** What of a process says to the one that started it that it serves. */
type Successor = Pick<NodeJS.Process, 'send' | 'disconnect'>;

/** Tells the process that passed on its sockets that it may go. */
export function tellServing(here: Successor = process): void {
  here.send?.(SERVING, () => here.disconnect?.());
}

/** What a hand-over needs of the host. */
export interface HandOverHost {
  readonly pid: number;
  readonly clock: Clock;
  readonly start: (program: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
}

const HOST: HandOverHost = { pid: process.pid, clock: realClock, start: spawn };

/**
 * Starts the same command line again with the listening sockets of this process. Both hold the same sockets then, so
 * what arrives meanwhile waits in one queue for whichever reads it, and nothing is lost when this one closes its side.
 * Resolves with whether the new process serves; if not, it is gone, and the reason is in the log.
 */
export function handOver(env: Environment, log: Logger, { pid, clock, start } = HOST): Promise<boolean> {
  if (pid === 1) {
    log.error('process 1 of a container cannot hand over: the container ends with it');
    return Promise.resolve(false);
  }
  const sockets = listeningSockets();
  const passed = sockets.map((socket, i) => ({ ...socket, fd: FIRST_FD + i }));
  const child = start(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
    env: { ...env, [VARIABLE]: JSON.stringify(passed) },
  });
  return serving(child, log, clock);
}

function serving(child: ChildProcess, log: Logger, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (serves: boolean, reason?: string): void => {
      patience.cancel();
      child.removeAllListeners('exit');
      if (reason !== undefined) log.error(`the new process does not serve: ${reason}; going on`);
      resolve(serves);
    };
    const patience = clock.setTimeout(() => {
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
