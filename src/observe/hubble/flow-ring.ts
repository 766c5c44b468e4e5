import type { Flow } from './flow.js';

/** The newest flows of one node: a full ring gives up its oldest. */
export class FlowRing {
  private readonly flows: Flow[] = [];
  private next = 0;

  /** @param capacity at least 1 */
  constructor(private readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`a ring holds at least 1 flow, got ${capacity}`);
  }

  get size(): number {
    return this.flows.length;
  }

  push(flow: Flow): void {
    this.flows[this.next] = flow;
    this.next = (this.next + 1) % this.capacity;
  }

  /** Oldest first. */
  list(): Flow[] {
    return [...this.flows.slice(this.next), ...this.flows.slice(0, this.next)];
  }
}
