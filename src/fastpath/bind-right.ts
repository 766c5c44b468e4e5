import { hasCapability, threadStatus } from './capabilities.js';
import { openLibc } from './libc.js';

/** Number of CAP_NET_BIND_SERVICE, the right to ports below 1024 (capabilities(7)). */
const NET_BIND_SERVICE = 10n;
/** _LINUX_CAPABILITY_VERSION_3: sets of 64 bits. */
const VERSION = 0x20080522;

/** capget(2) and capset(2), of the calling thread. */
interface Calls {
  get(header: Uint8Array, sets: Uint8Array): number;
  set(header: Uint8Array, sets: Uint8Array): number;
}

/**
 * Takes the right to ports below 1024 up where this process may have it and has it not: where a file permits it without
 * giving it, so that the program also starts where a container may not have it. Threads that are started later have it
 * too. Resolves nothing and reports nothing: without the right, the port says so.
 */
export function takeBindRight(status = threadStatus(), load = loadCalls): void {
  const has = (set: 'CapEff' | 'CapPrm'): boolean => hasCapability(status, set, NET_BIND_SERVICE);
  if (!has('CapPrm') || has('CapEff')) return;
  try {
    raise(load());
  } catch {
    // Without the C library at hand the right stays unused.
  }
}

function loadCalls(): Calls {
  const { lib } = openLibc();
  return {
    get: lib.func('int capget(_Inout_ void *, _Inout_ void *)') as Calls['get'],
    set: lib.func('int capset(void *, void *)') as Calls['set'],
  };
}

/** `struct __user_cap_header_struct`, and two `struct __user_cap_data_struct`, of which the first has the low bits. */
function raise(calls: Calls): void {
  const header = new Uint8Array(Uint32Array.of(VERSION, 0).buffer);
  const words = new Uint32Array(6);
  const sets = new Uint8Array(words.buffer);
  if (calls.get(header, sets) < 0) return;
  words[0] = words[0]! | (1 << Number(NET_BIND_SERVICE));
  calls.set(header, sets);
}
