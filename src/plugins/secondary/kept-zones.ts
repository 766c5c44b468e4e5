import type { ServedZone } from '../../authority/index.js';
import type { Runtime } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';

/** A zone that is kept from primaries. */
export interface KeptZone {
  readonly served: ServedZone;
  /** The same for zones of the same name, primaries, and key that transfers are signed with. */
  readonly identity: string;
  /** When a primary was last found to have nothing newer, as monotonic time. */
  readonly confirmed: Milliseconds;
}

/** All zones that the configurations of a server keep: while one takes the place of another, those of both. */
const zonesOf = new WeakMap<Runtime, Set<KeptZone>>();

/** Puts a zone to those that are kept. Returns the one of the same identity that knows most. */
export function enter(runtime: Runtime, zone: KeptZone): KeptZone | undefined {
  const zones = zonesOf.get(runtime) ?? new Set();
  zonesOf.set(runtime, zones);
  const [before] = [...zones]
    .filter((other) => other.identity === zone.identity && other.served.zone !== undefined && !other.served.expired)
    .sort((a, b) => b.confirmed - a.confirmed);
  zones.add(zone);
  return before;
}

export function leave(runtime: Runtime, zone: KeptZone): void {
  zonesOf.get(runtime)?.delete(zone);
}
