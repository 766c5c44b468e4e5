import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { LOSS_REASONS, Losses } from '../../src/net/losses.js';

const { errno } = constants;

describe('datagrams that were not sent', () => {
  it.each([
    { error: 'EAGAIN', want: 'buffer_full' },
    { error: 'ENOBUFS', want: 'buffer_full' },
    { error: 'ENOMEM', want: 'buffer_full' },
    { error: 'ENETDOWN', want: 'unreachable' },
    { error: 'ENETUNREACH', want: 'unreachable' },
    { error: 'EHOSTUNREACH', want: 'unreachable' },
    { error: 'EPERM', want: 'refused' },
    { error: 'EACCES', want: 'refused' },
    { error: 'EMSGSIZE', want: 'other' },
  ] as const)('count after $error as $want', ({ error, want }) => {
    const losses = new Losses();
    losses.count(errno[error], 3);
    losses.count(errno[error]);
    expect(LOSS_REASONS.filter((reason) => losses.of(reason) > 0)).toEqual([want]);
    expect(losses.of(want)).toBe(4);
  });

  // Node's list of errors has no name for it; asm-generic/errno.h has the number.
  it('count as unreachable where the host is down', () => {
    const losses = new Losses();
    losses.count(112);
    expect(losses.of('unreachable')).toBe(1);
  });

  it('are counted by all threads in the same place, up to 2^32', () => {
    const here = new Losses();
    const there = new Losses(here.memory);
    there.add('refused', 2 ** 31);
    here.add('refused', 1);
    expect([here.of('refused'), there.of('refused'), there.of('other')]).toEqual([2 ** 31 + 1, 2 ** 31 + 1, 0]);
  });
});
