/** fmix32, the last steps of MurmurHash3 (Appleby): each bit depends on all. */
export function avalanche(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
