import { canonicalIp } from '../lib/cidr.js';
import type { Endpoint } from '../net/network.js';

/** Where other processes of the node's network are reached, as they are at the time of the call. */
export type PlacesOfOthers = () => readonly Endpoint[];

/**
 * Other node caches of the same node, told by the sockets that they listen with: those of other containers, of other
 * versions and of other programs are told alike, and one that was killed is gone at once.
 */
export class OtherInstances {
  constructor(private readonly places: PlacesOfOthers) {}

  /** Whether one is reached at this address, at any port or at the given one. */
  at(address: string, port?: number): boolean {
    const wanted = canonicalIp(address);
    return this.places().some(
      (place) => canonicalIp(place.address) === wanted && (port === undefined || place.port === port),
    );
  }

  /** Whether one serves DNS at some of these addresses. */
  serve(addresses: readonly string[], port: number): boolean {
    const wanted = new Set(addresses.map(canonicalIp));
    return this.places().some((place) => place.port === port && wanted.has(canonicalIp(place.address)));
  }
}
