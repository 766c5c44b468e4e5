/**
 * HalfSipHash-1-3 (Aumasson and Bernstein; as the Linux kernel has it for its own hash tables): of 32-bit words and with
 * a key of 64 bits, so that nobody who does not know the key can make names share a set of the index.
 */

/** Words behind those that are hashed, which it writes over. */
export const HASH_TAIL = 4;

/** The hash of the first `count` words, as a 32-bit integer that is never 0. Overwrites HASH_TAIL words behind them. */
export function hashWords(words: Int32Array, count: number, key0: number, key1: number): number {
  let a = key0;
  let b = key1;
  let c = key0 ^ 0x6c796765;
  let d = key1 ^ 0x74656462;
  // The last word is the number of words; three rounds come after it.
  words[count] = count;
  words[count + 1] = 0;
  words[count + 2] = 0;
  words[count + 3] = 0;
  for (let i = 0; i < count + HASH_TAIL; i++) {
    const word = words[i]!;
    if (i === count + 1) c ^= 0xff;
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  const hash = b ^ d;
  return hash === 0 ? 1 : hash;
}
