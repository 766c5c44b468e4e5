import { readFileSync } from 'node:fs';
import type { Milliseconds } from '../lib/units.js';
import { Bpf } from './bpf.js';
import { KERNEL_REASONS } from './kernel-counters.js';

/** Name of the program in the kernel. */
export const PROGRAM_NAME = 'nodens_answers';
/** Name of the map that counts, as `KernelAnswers` makes it. */
export const COUNTERS_NAME = 'nodens_count';

/** One program of a server of this host, in whichever namespace. */
export interface KernelProgram {
  /** As bpftool shows it. */
  readonly id: number;
  /** Numbers of the devices that it is attached to, in its own network namespace. */
  readonly devices: readonly number[];
  /** Queries by what became of them; those that did not occur are left out. */
  readonly queries: Readonly<Record<string, number>>;
  /** Runs while it was looked at, and nanoseconds that one took; undefined when there were none. */
  readonly runs: number;
  readonly nanoseconds: number | undefined;
}

/** CPUs that the kernel keeps values for, whether they are there or not. */
export function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'latin1').trim();
  return Math.max(...text.split(/[,-]/).map(Number)) + 1;
}

/** The sum over all CPUs of each counter of a map. */
export function readCounters(bpf: Bpf, map: number): Record<string, number> {
  const cpus = possibleCpus();
  const counted = KERNEL_REASONS.map((reason, i) => {
    const values = bpf.lookUp(map, Buffer.from(Uint32Array.of(i).buffer), 8 * cpus);
    let sum = 0n;
    for (let cpu = 0; cpu < cpus; cpu++) sum += values.readBigUInt64LE(8 * cpu);
    return [reason, Number(sum)] as const;
  });
  return Object.fromEntries(counted);
}

/**
 * Looks at the programs of all servers of this host for a time, in which the kernel counts runs.
 *
 * @param wait resolves after so many milliseconds
 * @throws BpfError without the rights to look
 */
export async function kernelPrograms(
  watch: Milliseconds,
  wait: (time: Milliseconds) => Promise<unknown>,
  bpf: Bpf = new Bpf(),
): Promise<KernelProgram[]> {
  const counting = watch > 0 ? bpf.countRuns() : undefined;
  const found = bpf
    .programs()
    .map((fd) => ({ fd, before: bpf.programInfo(fd) }))
    .filter(({ fd, before }) => before.name === PROGRAM_NAME || bpf.close(fd));
  await wait(watch);
  const links = bpf.links();
  const programs = found.map(({ fd, before }) => {
    const after = bpf.programInfo(fd);
    const runs = Number(after.runs - before.runs);
    const maps = after.maps.map((id) => bpf.openMap(id));
    const counters = maps.find((map) => bpf.mapName(map) === COUNTERS_NAME);
    const queries = counters === undefined ? {} : readCounters(bpf, counters);
    [fd, ...maps].forEach((open) => bpf.close(open));
    return {
      id: after.id,
      devices: links.filter(({ program }) => program === after.id).map(({ device }) => device),
      queries: Object.fromEntries(Object.entries(queries).filter(([, count]) => count > 0)),
      runs,
      nanoseconds: runs === 0 ? undefined : Number(after.time - before.time) / runs,
    };
  });
  if (counting !== undefined) bpf.close(counting);
  return programs;
}

/** The programs as text, a block of lines for each. */
export function kernelStatusText(programs: readonly KernelProgram[], deviceName: (number: number) => string): string {
  if (programs.length === 0) return 'no server of this host answers in the kernel\n';
  return programs
    .map(({ id, devices, queries, runs, nanoseconds }) => {
      const at = devices.map(deviceName).join(', ') || 'no device';
      const time = nanoseconds === undefined ? '' : `, ${Math.round(nanoseconds)} ns each`;
      const rows = Object.entries(queries).map(([outcome, count]) => `  ${outcome.padEnd(24)} ${count}\n`);
      return `program ${id} at ${at}: ${runs} runs while it was looked at${time}\n${rows.join('')}`;
    })
    .join('');
}
