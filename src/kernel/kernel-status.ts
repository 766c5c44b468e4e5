import { readFileSync } from 'node:fs';
import type { Milliseconds } from '../lib/units.js';
import { Bpf } from './bpf.js';
import { BpfError } from './bpf-error.js';
import type { AttachKind } from './bpf-shapes.js';
import { listFilters } from './clsact.js';
import { thisHost, type DeviceHost } from './device-host.js';
import { KERNEL_REASONS } from './kernel-counters.js';
import { openRtnetlink, type Rtnetlink } from './rtnetlink.js';

/** Name of the program in the kernel. */
export const PROGRAM_NAME = 'nodens_answers';
/** Name of the map that counts, as `KernelAnswers` makes it. */
export const COUNTERS_NAME = 'nodens_count';

/** Name of the program of a filter of clsact, and of the map behind it, which holds the program that answers. */
export const GATE_NAME = 'nodens_gate';

/** A device that a program is attached to, and how. */
export interface AttachedAt {
  /** Number of the device, in the program's own network namespace. */
  readonly device: number;
  readonly by: AttachKind;
}

/** A program by its number, and where it is attached. */
interface Attached extends AttachedAt {
  readonly program: number;
}

/** One program of a server of this host, in whichever namespace. */
export interface KernelProgram {
  /** As bpftool shows it. */
  readonly id: number;
  /** By clsact only those of the network namespace that is looked from. */
  readonly devices: readonly AttachedAt[];
  /** Queries by what became of them; those that did not occur are left out. */
  readonly queries: Readonly<Record<string, number>>;
  /** Runs while it was looked at, and nanoseconds that one took; undefined when there were none. */
  readonly runs: number;
  readonly nanoseconds: number | undefined;
}

/** What is looked at. */
interface LookedAt {
  readonly bpf: Bpf;
  readonly netlink: Rtnetlink;
  readonly host: DeviceHost;
}

/** CPUs that the kernel keeps values for, whether they are there or not; `text` lists them, as `0-3,8-11`. */
export function possibleCpus(text = readFileSync('/sys/devices/system/cpu/possible', 'latin1')): number {
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
  { bpf = new Bpf(), netlink = openRtnetlink(), host = thisHost }: Partial<LookedAt> = {},
): Promise<KernelProgram[]> {
  const counting = watch > 0 ? bpf.countRuns() : undefined;
  const found = bpf
    .programs()
    .map((fd) => ({ fd, before: bpf.programInfo(fd) }))
    .filter(({ fd, before }) => before.name === PROGRAM_NAME || bpf.close(fd));
  await wait(watch);
  const links = bpf.links().map((link) => ({ ...link, program: behindGate(bpf, link.program) ?? link.program }));
  const attached = [...links, ...gatesOf({ bpf, netlink, host })];
  const programs = found.map(({ fd, before }) => {
    const after = bpf.programInfo(fd);
    const runs = Number(after.runs - before.runs);
    const maps = after.maps.map((id) => bpf.openMap(id));
    const counters = maps.find((map) => bpf.mapName(map) === COUNTERS_NAME);
    const queries = counters === undefined ? {} : readCounters(bpf, counters);
    [fd, ...maps].forEach((open) => bpf.close(open));
    return {
      id: after.id,
      devices: attached.filter(({ program }) => program === after.id).map(({ device, by }) => ({ device, by })),
      queries: Object.fromEntries(Object.entries(queries).filter(([, count]) => count > 0)),
      runs,
      nanoseconds: runs === 0 ? undefined : Number(after.time - before.time) / runs,
    };
  });
  if (counting !== undefined) bpf.close(counting);
  return programs;
}

/** Programs behind filters of this network namespace; those of servers that have ended are behind none. */
function gatesOf({ bpf, netlink, host }: LookedAt): Attached[] {
  const numbers = host.devices().map((name) => bpf.deviceNumber(name));
  return numbers.flatMap((device) =>
    listFilters(netlink, device).flatMap(({ program }) => {
      const answering = behindGate(bpf, program);
      return answering === undefined ? [] : [{ program: answering, device, by: 'clsact' as const }];
    }),
  );
}

/** Number of the program that a gate leads to. */
function behindGate(bpf: Bpf, program: number): number | undefined {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const maps = bpf.programInfo(keep(bpf.openProgram(program))).maps.map((id) => keep(bpf.openMap(id)));
    const gate = maps.find((map) => bpf.mapName(map) === GATE_NAME);
    return gate === undefined ? undefined : bpf.lookUp(gate, Buffer.alloc(4), 4).readUInt32LE(0);
  } catch (error) {
    // Closed, or gone meanwhile.
    if (error instanceof BpfError && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    opened.forEach((fd) => bpf.close(fd));
  }
}

/** The programs as text, a block of lines for each. */
export function kernelStatusText(programs: readonly KernelProgram[], deviceName: (number: number) => string): string {
  if (programs.length === 0) return 'no server of this host answers in the kernel\n';
  return programs
    .map(({ id, devices, queries, runs, nanoseconds }) => {
      const at = devices.map(({ device, by }) => `${deviceName(device)} (${by})`).join(', ') || 'no device';
      const time = nanoseconds === undefined ? '' : `, ${Math.round(nanoseconds)} ns each`;
      const rows = Object.entries(queries).map(([outcome, count]) => `  ${outcome.padEnd(24)} ${count}\n`);
      return `program ${id} at ${at}: ${runs} runs while it was looked at${time}\n${rows.join('')}`;
    })
    .join('');
}
