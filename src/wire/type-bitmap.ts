/** The types that a bitmap of NSEC and NSEC3 data names (RFC 4034 section 4.1.2). Throws a RangeError where it is cut. */
export function typesIn(bitmap: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < bitmap.length;) {
    const window = bitmap[at]!;
    const length = bitmap[at + 1] ?? 0;
    if (length === 0 || length > 32 || at + 2 + length > bitmap.length) throw new RangeError('type bitmap cut short');
    for (let i = 0; i < length * 8; i++)
      if (bitmap[at + 2 + (i >> 3)]! & (0x80 >> (i & 7))) types.push((window << 8) | i);
    at += 2 + length;
  }
  return types;
}

/** The bitmap that names `types`. */
export function bitmapOf(types: readonly number[]): Buffer {
  const windows = new Map<number, number[]>();
  for (const type of [...types].sort((a, b) => a - b)) {
    const window = windows.get(type >> 8) ?? [];
    const at = (type & 0xff) >> 3;
    while (window.length <= at) window.push(0);
    window[at]! |= 0x80 >> (type & 7);
    windows.set(type >> 8, window);
  }
  return Buffer.concat([...windows].map(([window, bits]) => Buffer.from([window, bits.length, ...bits])));
}
