import { expect, it } from 'vitest';
import { SLAB } from '../../src/fastpath/table-layout.js';
import { ThreadMemory } from '../../src/fastpath/table-memory.js';

it('the memory of a table begins with the key of the hash, for whoever reads it', () => {
  const { buffer } = new ThreadMemory(SLAB, [7, -9]);
  expect([...new Int32Array(buffer, 0, 2)]).toEqual([7, -9]);
});

it('large pages are asked for beyond 8 MiB of a pool', () => {
  const asked: number[] = [];
  const system = { release: () => undefined, useLargePages: ({ length }: Uint8Array) => void asked.push(length) };
  const large = 8 * 1024 * 1024;
  new ThreadMemory(large, [0, 0], system);
  expect(asked).toEqual([]);
  new ThreadMemory(large + SLAB, [0, 0], system);
  expect(asked).toEqual([SLAB]);
});
