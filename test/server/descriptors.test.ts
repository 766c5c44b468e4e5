import { describe, expect, it } from 'vitest';
import { descriptorLimit } from '../../src/lib/descriptor-limit.js';
import { httpLimitsWithin, tcpLimitsWithin } from '../../src/server/descriptors.js';

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             unlimited            unlimited            processes ',
    `Max open files            ${soft.padEnd(20)} 4096                 files     `,
  ].join('\n');

describe('the limit of descriptors', () => {
  it.each([
    { name: 'a number', read: () => limits('1024'), want: 1024 },
    { name: 'none', read: () => limits('unlimited'), want: Infinity },
    { name: 'a system that does not say', read: () => 'nothing', want: Infinity },
    {
      name: 'a system without that file',
      read: () => {
        throw new Error('ENOENT');
      },
      want: Infinity,
    },
  ])('$name', ({ read, want }) => {
    expect(descriptorLimit(read)).toBe(want);
  });

  it('is read of this process', () => {
    expect(descriptorLimit()).toBeGreaterThan(0);
  });
});

describe('connections of an HTTP port', () => {
  it.each([
    { descriptors: Infinity, want: 128 },
    { descriptors: 65_536, want: 128 },
    { descriptors: 1024, want: 64 },
    { descriptors: 300, want: 18 },
    { descriptors: 40, want: 4 },
  ])('$want of $descriptors descriptors', ({ descriptors, want }) => {
    expect(httpLimitsWithin(descriptors).connections).toBe(want);
  });
});

describe('connections of TCP clients', () => {
  it.each([
    { descriptors: Infinity, want: 10_000 },
    { descriptors: 65_536, want: 10_000 },
    { descriptors: 1024, want: 512 },
    { descriptors: 101, want: 50 },
  ])('$want of $descriptors descriptors', ({ descriptors, want }) => {
    expect(tcpLimitsWithin(descriptors).connections).toBe(want);
  });
});
