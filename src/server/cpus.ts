import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Gives a file's text; throws where there is none. */
export type ReadText = (file: string) => string;

const hostText: ReadText = (file) => readFileSync(file, 'utf8');

const CGROUPS = '/sys/fs/cgroup';

/**
 * How many processors this process can keep busy, at least 1: those that it may run on, or fewer where a container's
 * limit gives it less time than that
 * (control groups, version 2 or 1; a part of a processor counts as one). Node itself minds the first only, and
 * threads beyond the limit would use up the
 * time of those that do the work.
 */
export function usableCpus(read: ReadText = hostText, present = os.availableParallelism()): number {
  return Math.max(1, Math.min(present, Math.ceil(quota(read))));
}

/** Processors' worth of time that the process's control groups allow; Infinity without a limit. */
function quota(read: ReadText): number {
  const group = own(read);
  if (group === undefined) return Infinity;
  const { version, hierarchy } = group;
  let least = Infinity;
  // A group has no more than those that it is in. Inside a container the path may be that of the host, which is not
  // there, and its own group is the root.
  for (let at = group.path; ; at = path.posix.dirname(at)) {
    const folder = path.posix.join(hierarchy, at);
    least = Math.min(least, version === 2 ? shareV2(read, folder) : shareV1(read, folder));
    if (at === '/' || at === '.') return least;
  }
}

interface OwnGroup {
  readonly version: 1 | 2;
  readonly hierarchy: string;
  readonly path: string;
}

/**
 * The group that limits processor time, from lines such as `0::/a` (version 2) and `4:cpu,cpuacct:/a` (version 1,
 * which goes first where both are mounted).
 */
function own(read: ReadText): OwnGroup | undefined {
  const lines = (attempt(() => read('/proc/self/cgroup')) ?? '')
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(\/.*)$/.exec(line));
  const v1 = lines.find((line) => line?.[2]?.split(',').includes('cpu'));
  if (v1) return { version: 1, hierarchy: `${CGROUPS}/cpu`, path: v1[3]! };
  const v2 = lines.find((line) => line?.[1] === '0');
  return v2 ? { version: 2, hierarchy: CGROUPS, path: v2[3]! } : undefined;
}

function shareV2(read: ReadText, folder: string): number {
  const [limit, period] = (attempt(() => read(path.posix.join(folder, 'cpu.max'))) ?? 'max').split(/\s+/);
  return share(Number(limit), Number(period));
}

function shareV1(read: ReadText, folder: string): number {
  return share(
    Number(attempt(() => read(path.posix.join(folder, 'cpu.cfs_quota_us')))),
    Number(attempt(() => read(path.posix.join(folder, 'cpu.cfs_period_us')))),
  );
}

/**
 * No limit is written as `max` or as a negative figure; none of the time is no limit that anybody could mean, and what
 * is no number, as that of a file that is not there, is none.
 */
const share = (limit: number, period: number): number => (limit / period > 0 ? limit / period : Infinity);

function attempt(text: () => string): string | undefined {
  try {
    return text();
  } catch {
    return undefined;
  }
}
