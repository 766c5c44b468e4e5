import { randomFillSync } from 'node:crypto';

/** Source of random 32-bit numbers: unpredictable in servers, seeded in tests and the lab. */
export interface Random {
  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number;
}

/**
 * Operating-system randomness, drawn in blocks so that one number costs an array read (RFC 5452 section 9.2 asks for
 * unpredictable ids).
 */
export const secureRandom: Random = (() => {
  const pool = new Uint32Array(256);
  let next = pool.length;
  return {
    uint32() {
      if (next === pool.length) {
        randomFillSync(pool);
        next = 0;
      }
      return pool[next++]!;
    },
  };
})();

/**
 * The same sequence for the same seed (xorshift with a Weyl step, as in Marsaglia's "Xorshift RNGs", 2003). Not for
 * security.
 */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  let weyl = 0;
  return {
    uint32() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      weyl = (weyl + 362437) | 0;
      return (state + weyl) >>> 0;
    },
  };
}

/** A whole number from 0 to `bound` - 1. */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor((random.uint32() / 2 ** 32) * bound);
}
