import { MAX_WORKERS } from '../fastpath/worker-data.js';
import { ATTACH_KINDS } from '../kernel/bpf-shapes.js';
import type { FlagSpec } from '../lib/go-flags.js';
import { defaultCeiling, parseMemory } from '../lib/memory-ceiling.js';
import type { Octets } from '../lib/units.js';
import { usableCpus } from './cpus.js';

/**
 * How datagrams are taken: with Node's own sockets, with batched calls in threads of their own, or with the latter
 * where they are to be had; and in the kernel before those, where that is asked for.
 */
const MODES = ['auto', 'batched', 'kernel', 'dgram'] as const;

/** With less than this nothing serves. */
const LEAST_MEMORY: Octets = 64 << 20;

export interface IoOptions {
  readonly mode: (typeof MODES)[number];
  /** Threads that take datagrams, from 1. */
  readonly workers: number;
  /** Devices at which the kernel answers, in mode `kernel`; none for all that have addresses of the host. */
  readonly devices?: readonly string[] | undefined;
  /** Queries a second of one client address that the kernel lets through; any number when left out. */
  readonly clientLimit?: number | undefined;
  /** Most memory that the process is to take, in bytes; undefined for none, or what the container allows. */
  readonly memory?: Octets;
}

/** One core is the chain's; more threads than four gain nothing on the hosts that DNS servers run on. */
export const defaultWorkers = (cpus = usableCpus()): number => Math.max(1, Math.min(4, cpus) - 1);

export const IO_FLAGS: readonly FlagSpec[] = [
  {
    name: 'io',
    type: 'string',
    help: `How datagrams are taken: ${MODES.join(', ')}; kernel=DEVICE,... or kernel=xdp:DEVICE,... for some devices`,
    default: 'auto',
  },
  {
    name: 'kernel.limit',
    type: 'string',
    help: 'With -io kernel: drop what one client address asks beyond so many queries a second (default: drop nothing)',
  },
  {
    name: 'workers',
    type: 'string',
    help: 'Threads that take datagrams with batched I/O (default: one less than cores, from 1 to 3)',
  },
  {
    name: 'memory',
    type: 'string',
    help: "Most memory to take, such as 170Mi; 0 for no bound (default: the container's limit less a tenth)",
  },
];

/** What the flags say, or what is wrong with them. */
export function ioFromFlags(values: Readonly<Record<string, string>>): IoOptions | string {
  const [word, list] = values.io!.split('=', 2);
  const mode = MODES.find((candidate) => candidate === word);
  const devices = list?.split(',');
  if (mode === undefined || (list !== undefined && (mode !== 'kernel' || !devices!.every(isDevice))))
    return `-io: expected ${MODES.join(', ')} or kernel=DEVICE,..., got '${values.io}'`;
  const limit = values['kernel.limit']!;
  if (limit !== '' && (mode !== 'kernel' || !/^[1-9]\d{0,8}$/.test(limit)))
    return `-kernel.limit: expected a number of queries a second from 1 with -io kernel, got '${limit}'`;
  const clientLimit = limit === '' ? undefined : Number(limit);
  const memory = values.memory === '' ? defaultCeiling() : parseMemory(values.memory!);
  if (values.memory !== '' && (memory === undefined || (memory > 0 && memory < LEAST_MEMORY)))
    return `-memory: expected 0 or at least 64Mi, such as 170Mi, got '${values.memory}'`;
  const more = { devices, clientLimit, ...(memory !== undefined && memory > 0 && { memory }) };
  const text = values.workers!;
  if (text === '') return { mode, workers: defaultWorkers(), ...more };
  const workers = Number(text);
  if (!/^\d+$/.test(text) || workers < 1 || workers > MAX_WORKERS)
    return `-workers: expected 1 to ${MAX_WORKERS}, got '${text}'`;
  return { mode, workers, ...more };
}

/** As Linux takes names of devices: at most 15 bytes, no slash, no colon and no space; and before it how to attach. */
const DEVICE = new RegExp(`^((${ATTACH_KINDS.join('|')}):)?[^\\s/:]{1,15}$`);
const isDevice = (name: string): boolean => DEVICE.test(name);
