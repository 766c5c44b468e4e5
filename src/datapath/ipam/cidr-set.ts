import { formatCidr, parseCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import { addressAt, cidrsOverlap } from '../address.js';
import { IpamError, TopologyError } from '../errors.js';

/** Longest mask a node block may have: two addresses of a block are never handed out. */
const MAX_IPV4_MASK = 30;
const MAX_IPV6_MASK = 126;

/**
 * Cuts pools into node blocks of one size. A cursor moves on with each block, so that a released one is used again only
 * after the cursor has gone round.
 */
export class CidrSet {
  private readonly taken = new Map<number, string>();
  private cursor = 0;
  private readonly sizes: readonly number[];
  private readonly total: number;

  constructor(
    private readonly pools: readonly Cidr[],
    readonly maskSize: number,
    private readonly path: string,
  ) {
    if (pools.length === 0) throw new TopologyError(path, 'a pool needs at least one block');
    pools.forEach((pool, i) => {
      const longest = pool.bytes.length === 4 ? MAX_IPV4_MASK : MAX_IPV6_MASK;
      if (!Number.isInteger(maskSize) || maskSize > longest || maskSize < pool.prefix) {
        throw new TopologyError(
          path,
          `mask size ${maskSize} does not fit ${formatCidr(pool)}, want ${pool.prefix} to ${longest}`,
        );
      }
      for (const other of pools.slice(0, i)) {
        if (cidrsOverlap(pool, other))
          throw new TopologyError(path, `${formatCidr(pool)} overlaps ${formatCidr(other)}`);
      }
    });
    this.sizes = pools.map((pool) => 2 ** (maskSize - pool.prefix));
    this.total = this.sizes.reduce((sum, size) => sum + size, 0);
  }

  /** The next free node block. Throws an IpamError when the pools are used up. */
  allocate(owner: string): Cidr {
    if (this.taken.size >= this.total) {
      throw new IpamError(
        this.path,
        `no block left for ${owner}: all ${this.total} of ${this.pools.map(formatCidr).join(', ')} are in use`,
      );
    }
    let index = this.cursor;
    while (this.taken.has(index)) index = (index + 1) % this.total;
    this.cursor = (index + 1) % this.total;
    this.taken.set(index, owner);
    return this.block(index);
  }

  /** Marks a block of an existing node as in use. False when it is none of this set's. */
  occupy(cidr: Cidr, owner: string): boolean {
    const index = this.indexOf(cidr);
    if (index === undefined) return false;
    const holder = this.taken.get(index);
    if (holder !== undefined && holder !== owner)
      throw new IpamError(this.path, `${formatCidr(cidr)} already belongs to ${holder}`);
    this.taken.set(index, owner);
    return true;
  }

  release(cidr: Cidr): void {
    const index = this.indexOf(cidr);
    if (index !== undefined) this.taken.delete(index);
  }

  private block(index: number): Cidr {
    let rest = index;
    for (const [i, pool] of this.pools.entries()) {
      if (rest < this.sizes[i]!) {
        return parseCidr(`${addressAt(pool, rest * 2 ** (pool.bytes.length * 8 - this.maskSize))}/${this.maskSize}`)!;
      }
      rest -= this.sizes[i]!;
    }
    throw new RangeError(`block ${index} is outside the pools`);
  }

  private indexOf(cidr: Cidr): number | undefined {
    let base = 0;
    for (const [i, pool] of this.pools.entries()) {
      if (cidr.prefix === this.maskSize && cidrsOverlap(pool, cidr)) {
        let offset = 0;
        for (let octet = 0; octet < cidr.bytes.length; octet++)
          offset = offset * 256 + (cidr.bytes[octet]! - pool.bytes[octet]!);
        return base + offset / 2 ** (cidr.bytes.length * 8 - this.maskSize);
      }
      base += this.sizes[i]!;
    }
    return undefined;
  }
}
