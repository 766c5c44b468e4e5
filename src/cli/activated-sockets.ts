import type { Environment } from '../corefile/environment.js';
import { InheritedSockets, listeningSockets } from '../net/inherited-sockets.js';

/** The first descriptor that a service manager passes; sd_listen_fds(3). */
const FIRST_FD = 3;

/**
 * The sockets that a service manager holds for this program (sd_listen_fds(3), systemd.socket(5)), if it was started
 * with some: they stay open from one run to the next, and what comes between them waits in the kernel.
 */
export function activatedSockets(env: Environment, pid: number = process.pid): InheritedSockets | undefined {
  const { LISTEN_PID, LISTEN_FDS = '' } = env;
  // What this process starts later has other descriptors under those numbers.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
  if (LISTEN_PID !== `${pid}` || !/^[1-9]\d{0,3}$/.test(LISTEN_FDS)) return undefined;
  const end = FIRST_FD + Number(LISTEN_FDS);
  return new InheritedSockets(listeningSockets().filter(({ fd }) => fd >= FIRST_FD && fd < end));
}
