import os from 'node:os';
import type { Runtime } from '../../chain/index.js';
import type { Octets } from '../../lib/units.js';

/** Of a machine without a limit for this process. */
const LARGEST: Octets = 256 << 20;
/** Of a container's memory, the part that caches may take. */
const PART = 4;

/** What all caches of one server keep, in bytes, and how much that may be. */
export class ByteBudget {
  private kept: Octets = 0;

  /** @param limit by default a quarter of the container's memory, at most 256 MiB */
  constructor(readonly limit: Octets = defaultLimit()) {}

  /** Bytes that are kept. */
  get used(): Octets {
    return this.kept;
  }

  get isExceeded(): boolean {
    return this.kept > this.limit;
  }

  add(bytes: Octets): void {
    this.kept += bytes;
  }

  remove(bytes: Octets): void {
    this.kept -= bytes;
  }
}

/** @param limit what control groups allow; none is a number beyond the machine's memory, or 0 */
export const defaultLimit = (limit: Octets = process.constrainedMemory(), total: Octets = os.totalmem()): Octets =>
  limit > 0 && limit < total ? Math.min(LARGEST, Math.floor(limit / PART)) : LARGEST;

const budgets = new WeakMap<Runtime, ByteBudget>();

/** The budget that the caches of all blocks share, over reloads. */
export function budgetOf(runtime: Runtime): ByteBudget {
  let budget = budgets.get(runtime);
  if (budget === undefined) {
    budget = new ByteBudget();
    budgets.set(runtime, budget);
  }
  return budget;
}
