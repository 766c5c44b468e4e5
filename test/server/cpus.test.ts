import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { usableCpus } from '../../src/server/cpus.js';

const V2 = '0::/\n';
const V1 = '12:pids:/\n4:cpu,cpuacct:/\n0::/\n';

describe('processors that can be kept busy', () => {
  it.each([
    { name: 'no control groups', files: {}, want: 8 },
    {
      name: 'version 2, no limit',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
      want: 8,
    },
    { name: 'version 2, the root has no such file', files: { '/proc/self/cgroup': V2 }, want: 8 },
    {
      name: 'version 2, two processors',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '200000 100000\n' },
      want: 2,
    },
    {
      name: 'version 2, part of one counts as one',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '10000 100000\n' },
      want: 1,
    },
    {
      name: 'version 2, one and a half',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '150000 100000\n' },
      want: 2,
    },
    {
      name: 'version 2, more than there are',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '6400000 100000\n' },
      want: 8,
    },
    {
      name: 'version 2, the group around has less',
      want: 3,
      files: {
        '/proc/self/cgroup': '0::/a/b\n',
        '/sys/fs/cgroup/a/b/cpu.max': '500000 100000\n',
        '/sys/fs/cgroup/a/cpu.max': '300000 100000\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
      },
    },
    {
      name: 'version 1, no limit',
      files: {
        '/proc/self/cgroup': V1,
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      want: 8,
    },
    {
      name: 'version 1, two processors',
      files: {
        '/proc/self/cgroup': V1,
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
      },
      want: 2,
    },
    {
      name: 'version 1, a container that sees the path of its host',
      want: 1,
      files: {
        '/proc/self/cgroup': '4:cpu,cpuacct:/docker/0a1b\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
    },
    {
      name: 'none of the time is no limit',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '0 100000\n' },
      want: 8,
    },
    {
      name: 'a limit of an unknown time is none',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '100000\n' },
      want: 8,
    },
    {
      name: 'what cannot be read is no limit',
      files: { '/proc/self/cgroup': V2, '/sys/fs/cgroup/cpu.max': '\n' },
      want: 8,
    },
  ])('$name', ({ files, want }) => {
    const read = (file: string): string => {
      const text = (files as Record<string, string>)[file];
      if (text === undefined) throw new Error(`no ${file}`);
      return text;
    };
    expect(usableCpus(read, 8)).toBe(want);
  });

  it('of this machine are no more than there are', () => {
    expect(usableCpus()).toBeGreaterThanOrEqual(1);
    expect(usableCpus()).toBeLessThanOrEqual(os.availableParallelism());
  });
});
