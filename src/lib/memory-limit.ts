import os from 'node:os';
import type { Octets } from './units.js';

/** Of a machine without a limit for this process. */
const LARGEST: Octets = 512 << 20;
/** Of a container's memory, the part that one kind of answers may take. */
const PART = 4;

/**
 * What may be kept where the operator says nothing: a quarter of the container's memory, at most 512 MiB.
 *
 * @param limit what control groups allow; none is a number beyond the machine's memory, or 0
 */
export const memoryLimit = (limit: Octets = process.constrainedMemory(), total: Octets = os.totalmem()): Octets =>
  limit > 0 && limit < total ? Math.min(LARGEST, Math.floor(limit / PART)) : LARGEST;
