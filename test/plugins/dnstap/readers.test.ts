import { describe, expect, it } from 'vitest';
import { TapReaders } from '../../../src/plugins/dnstap/readers.js';
import { duplexPair } from '../../support/duplex-pair.js';

describe('readers that come by themselves', () => {
  it('are 64 at a time, and one more when one has left', async () => {
    const readers = new TapReaders(() => undefined);
    const pairs = Array.from({ length: 65 }, () => duplexPair());
    for (const [own] of pairs) readers.accept(own);
    expect(readers.size).toBe(64);
    expect(pairs.map(([own]) => own.destroyed)).toEqual(pairs.map((_, i) => i === 64));
    pairs[0]![0].destroy();
    await new Promise((resolve) => setImmediate(resolve));
    const [own] = duplexPair();
    readers.accept(own);
    expect([readers.size, own.destroyed]).toEqual([64, false]);
  });
});
