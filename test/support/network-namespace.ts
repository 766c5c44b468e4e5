import { closeSync, openSync } from 'node:fs';
import { openLibc } from '../../src/fastpath/libc.js';

const CLONE_NEWNET = 0x4000_0000;

/**
 * Has this thread, and what it starts from then on, make its sockets in a network namespace that `ip netns` names.
 * Sockets stay where they were made. The returned function leaves again.
 */
export function enterNamespace(name: string): () => void {
  const setns = openLibc().lib.func('int setns(int, int)') as (fd: number, kind: number) => number;
  const enter = (fd: number, what: string): void => {
    const result = setns(fd, CLONE_NEWNET);
    closeSync(fd);
    if (result !== 0) throw new Error(`setns ${what} failed`);
  };
  const before = openSync('/proc/thread-self/ns/net', 'r');
  enter(openSync(`/run/netns/${name}`, 'r'), name);
  return () => enter(before, 'back');
}
