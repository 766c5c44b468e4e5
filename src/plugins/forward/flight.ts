import type { Outcome, Query } from '../../chain/index.js';
import { IntMap } from '../../lib/int-map.js';

/** Octets of a message before those that make two queries equal: the id. */
const ID = 2;

/** A question under way, with those who asked the same meanwhile. */
export class Flight {
  readonly outcome: Promise<Outcome>;
  askers = 1;
  private settle!: (outcome: Outcome | Promise<Outcome>) => void;

  /** @param onLanded called before those who asked are told */
  constructor(
    readonly query: Query,
    readonly hash: number,
    private readonly onLanded: (flight: Flight) => void,
  ) {
    this.outcome = new Promise((resolve) => (this.settle = resolve));
  }

  land(outcome: Outcome | Promise<Outcome>): void {
    this.onLanded(this);
    this.settle(outcome);
  }
}

/**
 * Questions under way over one transport. Where two of them have the same hash, the later one is not kept: an equal
 * one travels again.
 */
export class Flights {
  private readonly byHash = new IntMap<Flight>();

  /** The one whose query equals `query` octet by octet, id aside. */
  find(query: Query, hash: number): Flight | undefined {
    const flight = this.byHash.get(hash);
    return flight !== undefined && equal(flight.query.bytes, query.bytes) ? flight : undefined;
  }

  add(flight: Flight): void {
    if (!this.byHash.has(flight.hash)) this.byHash.set(flight.hash, flight);
  }

  remove(flight: Flight): void {
    if (this.byHash.get(flight.hash) === flight) this.byHash.delete(flight.hash);
  }
}

/** Equal queries have equal hashes (FNV-1a, 32 bits). */
export function hashOf({ bytes }: Query): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = ID; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = ID; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
