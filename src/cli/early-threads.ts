import { StartingThreads } from '../fastpath/starting-thread.js';
import { parseFlags } from '../lib/go-flags.js';
import { ioFromFlags } from '../server/io-flags.js';
import { holdYoungGeneration, tuneThreads } from './engine.js';
import { FLAGS } from './flags.js';

let begun: StartingThreads | undefined;

/** What `beginThreads` began, for whoever takes datagrams. */
export const earlyThreads = (): StartingThreads | undefined => begun;

/**
 * Begins the threads of a server before its program is loaded: on another core they are ready by the time that it is.
 * An offer, as `openEarly`: whatever is wrong is left to the start itself.
 *
 * @param args of the command line; anything but a server's flags begins nothing
 */
export function beginThreads(args: readonly string[]): void {
  try {
    const { values, rest } = parseFlags(args, FLAGS);
    const io = ioFromFlags(values);
    if (rest.length > 0 || typeof io === 'string' || io.mode === 'dgram' || process.platform !== 'linux') return;
    tuneThreads();
    begun = StartingThreads.begin(io.workers, holdYoungGeneration);
  } catch {
    // The start says it.
  }
}
