import { SOCK_CLOEXEC, SOCK_DGRAM, loadLibc } from '../fastpath/libc.js';
import { BpfError } from './bpf-error.js';

const AF_UNIX = 1;
/** What names begin with. */
export const NAME_PREFIX = 'nodens_';

/**
 * Says whether the process of a gate lives, by the number of its program: a socket of an abstract name is open as long
 * as it does, for all of a network namespace to see, whatever namespace of processes they are in.
 */
export interface Presence {
  readonly name: string;
  isAlive(name: string): boolean;
  close(): void;
}

/** Name of the process of a gate. */
export const presenceName = (gate: number): string => `${NAME_PREFIX}${gate}`;

/** Throws a BpfError where there can be no such socket; `load` loads a package by its name. */
export function announcePresence(gate: number, load?: (name: string) => unknown): Presence {
  const libc = loadLibc(load);
  const use = (name: string, call: 'bind' | 'connect'): { readonly fd: number; readonly done: boolean } => {
    const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name, 'latin1')]);
    // Without a descriptor the calls fail, as closing it does.
    return { fd, done: libc[call](fd, address, address.length) === 0 };
  };
  const name = presenceName(gate);
  const { fd, done } = use(name, 'bind');
  if (!done) {
    libc.close(fd);
    throw new BpfError('opening a unix socket', 'EADDRINUSE');
  }
  return {
    name,
    isAlive(other) {
      const asked = use(other, 'connect');
      libc.close(asked.fd);
      // Without a descriptor nothing is known, and the worse is taken: it lives.
      return asked.done || asked.fd === -1;
    },
    close: () => void libc.close(fd),
  };
}
