import { MAX_WORKERS } from '../fastpath/worker-data.js';
import type { FlagSpec } from '../lib/go-flags.js';
import { usableCpus } from './cpus.js';

/**
 * How datagrams are taken: with Node's own sockets, with batched calls in threads of their own, or with the latter
 * where they are to be had.
 */
const MODES = ['auto', 'batched', 'dgram'] as const;

export interface IoOptions {
  readonly mode: (typeof MODES)[number];
  /** Threads that take datagrams, from 1. */
  readonly workers: number;
}

/** One core is the chain's; more threads than four gain nothing on the hosts that DNS servers run on. */
export const defaultWorkers = (): number => Math.max(1, Math.min(4, usableCpus()) - 1);

export const IO_FLAGS: readonly FlagSpec[] = [
  { name: 'io', type: 'string', help: `How datagrams are taken: ${MODES.join(', ')}`, default: 'auto' },
  {
    name: 'workers',
    type: 'string',
    help: 'Threads that take datagrams with batched I/O (default: one less than cores, from 1 to 3)',
  },
];

/** What the flags say, or what is wrong with them. */
export function ioFromFlags(values: Readonly<Record<string, string>>): IoOptions | string {
  const mode = MODES.find((candidate) => candidate === values.io);
  if (mode === undefined) return `-io: expected ${MODES.join(', ')}, got '${values.io}'`;
  const text = values.workers!;
  if (text === '') return { mode, workers: defaultWorkers() };
  const workers = Number(text);
  if (!/^\d+$/.test(text) || workers < 1 || workers > MAX_WORKERS)
    return `-workers: expected 1 to ${MAX_WORKERS}, got '${text}'`;
  return { mode, workers };
}
