import { bitmapOf, encodeName, type Name } from '../wire/index.js';

/** Data of an NSEC record (RFC 4034 section 4.1). `next` is written as it is spelt, `types` are in any order. */
export const nsecData = (next: Name, types: readonly number[]): Buffer =>
  Buffer.concat([encodeName(next), bitmapOf(types)]);
