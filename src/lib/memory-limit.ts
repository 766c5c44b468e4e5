import os from 'node:os';
import type { Octets } from './units.js';

/** Where neither a container nor the operator sets a limit. */
const UNLIMITED: Octets = 256 << 20;
/** Of the memory there is, the part that one kind of answers may take. */
const PART = 4;

/**
 * What may be kept where the operator says nothing of it: a quarter of the memory there is, 256 MiB where
 * there is no limit.
 *
 * @param limit `-memory`, or what control groups allow; none is a number beyond the machine's memory, or 0
 */
export const memoryLimit = (limit: Octets = process.constrainedMemory(), total: Octets = os.totalmem()): Octets =>
  limit > 0 && limit < total ? Math.floor(limit / PART) : UNLIMITED;
