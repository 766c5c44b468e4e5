import type { Environment } from '../corefile/environment.js';
import { openEarly } from './early-sockets.js';
import { beginThreads } from './early-threads.js';

export { earlySockets } from './early-sockets.js';
export { earlyThreads } from './early-threads.js';

/**
 * What of a server's start can be under way while its program is loaded. Sockets go first: clients ask meanwhile.
 *
 * @param kept as of `openEarly`
 */
export function beginEarly(args: readonly string[], env: Environment, kept: string): void {
  openEarly(args, env, kept);
  beginThreads(args);
}
