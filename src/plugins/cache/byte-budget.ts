import type { Runtime } from '../../chain/index.js';
import { memoryLimit } from '../../lib/memory-limit.js';
import type { Octets } from '../../lib/units.js';

/** What all caches of one server keep, in bytes, and how much that may be. */
export class ByteBudget {
  private kept: Octets = 0;

  /** @param limit by default a quarter of the container's memory, at most 256 MiB */
  constructor(readonly limit: Octets = memoryLimit()) {}

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
