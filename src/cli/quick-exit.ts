import { openLibc } from '../fastpath/libc.js';
import type { Environment } from '../corefile/environment.js';

/**
 * Has the process end with its exit handlers, in place of some ten milliseconds that Node takes to free what ends with
 * the process anyway: the next one can open its sockets sooner. Where Node was told to do something at its end, such as
 * to write a profile, and where there is no way to call the C library, nothing changes.
 */
export function exitQuickly(env: Environment, execArgv: readonly string[] = process.execArgv): void {
  if (execArgv.length > 0 || env.NODE_OPTIONS !== undefined || env.NODE_V8_COVERAGE !== undefined) return;
  try {
    const end = openLibc().lib.func('void _exit(int)') as (code: number) => void;
    process.once('exit', (code) => end(code));
  } catch {
    // Node ends it.
  }
}
