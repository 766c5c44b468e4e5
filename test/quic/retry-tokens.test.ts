import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { RetryTokens } from '../../src/quic/retry-tokens.js';

const CLIENT = { address: '192.0.2.9', port: 4000 };
const FIRST = Buffer.from('0102030405060708', 'hex');

describe('a token for an address (RFC 9000 section 8.1.2)', () => {
  it.each([
    { name: 'at once', after: 0, want: FIRST },
    { name: 'after ten seconds', after: 10_000, want: FIRST },
    { name: 'later', after: 10_001, want: undefined },
  ])('that comes back $name: $want', ({ after, want }) => {
    const clock = new ManualClock(7000);
    const tokens = new RetryTokens(clock);
    const token = tokens.mint(FIRST, CLIENT);
    clock.advance(after);
    expect(tokens.firstId(token, CLIENT)).toEqual(want);
  });

  it.each([
    { name: 'nothing', change: () => Buffer.alloc(0) },
    { name: 'less than a time and a MAC', change: (token: Buffer) => token.subarray(0, 37) },
    {
      name: 'another MAC',
      change: (token: Buffer) => Buffer.concat([token.subarray(0, -1), Buffer.of(~token.at(-1)!)]),
    },
    { name: 'another time', change: (token: Buffer) => Buffer.concat([Buffer.of(1), token.subarray(1)]) },
  ])('is refused: $name', ({ change }) => {
    const tokens = new RetryTokens(new ManualClock(7000));
    expect(tokens.firstId(change(tokens.mint(FIRST, CLIENT)), CLIENT)).toBeUndefined();
  });

  it.each([
    { name: 'address', from: { ...CLIENT, address: '192.0.2.10' } },
    { name: 'port', from: { ...CLIENT, port: 4001 } },
  ])('is of no use at another $name, nor to another server', ({ from }) => {
    const clock = new ManualClock(7000);
    const tokens = new RetryTokens(clock);
    const token = tokens.mint(FIRST, CLIENT);
    expect([tokens.firstId(token, from), new RetryTokens(clock).firstId(token, CLIENT)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('may be for a client that chose an empty id', () => {
    const tokens = new RetryTokens(new ManualClock(7000));
    expect(tokens.firstId(tokens.mint(Buffer.alloc(0), CLIENT), CLIENT)).toEqual(Buffer.alloc(0));
  });
});
