import type { Cidr } from '../../lib/cidr.js';
import { formatCidr } from '../../lib/cidr.js';
import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import { addressAt, cidrSize, offsetIn } from '../address.js';
import { IpamError } from '../errors.js';

/**
 * Draws before the search turns to the next free address in line: a nearly full block must not be drawn from for
 * ever.
 */
const DRAWS = 32;

/**
 * The addresses of one block. All but the first and the last (network and broadcast address) are handed out, in random
 * order; a /31 and a /32 have no such addresses to spare and give all.
 */
export class IpamBlock {
  private readonly used = new Map<number, string>();
  private readonly first: number;
  private readonly count: number;

  constructor(readonly cidr: Cidr) {
    const size = cidrSize(cidr);
    this.first = size > 2 ? 1 : 0;
    this.count = size > 2 ? size - 2 : size;
  }

  /** Number of addresses that can be handed out at all. */
  get capacity(): number {
    return this.count;
  }

  get inUse(): number {
    return this.used.size;
  }

  contains(ip: string): boolean {
    return offsetIn(this.cidr, ip) !== undefined;
  }

  /** Whether the address can be taken: it is one of the block, and nobody has it. */
  offers(ip: string): boolean {
    const offset = offsetIn(this.cidr, ip);
    if (offset === undefined) return false;
    const place = offset - this.first;
    return place >= 0 && place < this.count && !this.used.has(place);
  }

  /**
   * A free address, noted under its owner; none of those that are kept for others while there is another. Throws an
   * IpamError when there is none.
   */
  allocate(owner: string, random: Random, kept: ReadonlySet<string> = new Set()): string {
    if (this.used.size >= this.count)
      throw new IpamError(formatCidr(this.cidr), `range is full: all ${this.count} addresses are in use`);
    const free = (place: number): boolean => !this.used.has(place) && !kept.has(this.at(place));
    let place = randomBelow(random, this.count);
    for (let draw = 0; draw < DRAWS && !free(place); draw++) place = randomBelow(random, this.count);
    for (let step = 0; step < this.count && !free(place); step++) place = (place + 1) % this.count;
    while (this.used.has(place)) place = (place + 1) % this.count;
    this.used.set(place, owner);
    return this.at(place);
  }

  private at(place: number): string {
    return addressAt(this.cidr, this.first + place);
  }

  /** Takes a given address. Throws an IpamError when it is outside or in use. */
  take(ip: string, owner: string): string {
    const offset = offsetIn(this.cidr, ip);
    if (offset === undefined || offset < this.first || offset >= this.first + this.count) {
      const range = `${addressAt(this.cidr, this.first)}-${addressAt(this.cidr, this.first + this.count - 1)}`;
      throw new IpamError(formatCidr(this.cidr), `provided IP ${ip} is not in the valid range ${range}`);
    }
    const holder = this.used.get(offset - this.first);
    if (holder !== undefined)
      throw new IpamError(formatCidr(this.cidr), `provided IP ${ip} is already allocated to ${holder}`);
    this.used.set(offset - this.first, owner);
    return ip;
  }

  release(ip: string): void {
    const offset = offsetIn(this.cidr, ip);
    if (offset !== undefined) this.used.delete(offset - this.first);
  }
}
