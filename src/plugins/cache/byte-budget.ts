import type { Runtime } from '../../chain/index.js';
import { memoryLimit } from '../../lib/memory-limit.js';
import type { Timer } from '../../lib/clock.js';
import type { Milliseconds, Octets } from '../../lib/units.js';

/** What all caches of one server keep, in bytes, and how much that may be. */
export class ByteBudget {
  private kept: Octets = 0;
  private most: Octets;
  private readonly stores = new Set<() => boolean>();

  /** @param limit by default see {@link memoryLimit} */
  constructor(readonly limit: Octets = memoryLimit()) {
    this.most = limit;
  }

  /** Calls `leaveOne`, which lets an entry go and says whether there was one, when the caches have to shrink. */
  register(leaveOne: () => boolean): () => void {
    this.stores.add(leaveOne);
    return () => void this.stores.delete(leaveOne);
  }

  /** Lets a tenth of what is kept go, the caches in turn; what is kept grows no further. */
  shrink(): void {
    this.most = Math.floor(this.kept * SHRUNK);
    let some = true;
    while (some && this.isExceeded) {
      some = false;
      for (const leaveOne of this.stores) some = leaveOne() || some;
    }
  }

  /** The caches may grow again. */
  relax(): void {
    this.most = this.limit;
  }

  /** Bytes that are kept. */
  get used(): Octets {
    return this.kept;
  }

  get isExceeded(): boolean {
    return this.kept > this.most;
  }

  add(bytes: Octets): void {
    this.kept += bytes;
  }

  remove(bytes: Octets): void {
    this.kept -= bytes;
  }
}

/** What is left of what is kept, each time that the caches have to shrink. */
const SHRUNK = 0.9;
/** So long after the last time they may grow again. */
const CALM: Milliseconds = 10_000;

function follow(budget: ByteBudget, { memory, clock }: Runtime): void {
  let relaxing: Timer | undefined;
  memory?.shrinking.subscribe(() => {
    relaxing?.cancel();
    budget.shrink();
    relaxing = clock.setTimeout(() => budget.relax(), CALM);
  });
}

const budgets = new WeakMap<Runtime, ByteBudget>();

/** The budget that the caches of all blocks share, over reloads. */
export function budgetOf(runtime: Runtime): ByteBudget {
  let budget = budgets.get(runtime);
  if (budget === undefined) {
    budget = new ByteBudget(memoryLimit(runtime.memory?.ceiling));
    budgets.set(runtime, budget);
    follow(budget, runtime);
  }
  return budget;
}
