/**
 * FNV-1a over the UTF-16 units of a text (Fowler, Noll, Vo), which are its bytes where it has a character for each.
 * 32 bits, without a sign.
 */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
