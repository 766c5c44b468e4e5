import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';

/** A client comes back at once; what comes later is a copy. */
const HOLDS: Milliseconds = 10_000;
const STAMP: Octets = 6;
const MAC: Octets = 32;

/**
 * Tokens by which clients show that packets to their address reach them (RFC 9000 section 8.1.2): nothing is kept for a
 * client until it has sent its token back. A token is a time, the connection id that the client chose first, and a MAC
 * over both and the client's address.
 */
export class RetryTokens {
  private readonly key = randomBytes(32);

  constructor(private readonly clock: Clock) {}

  mint(firstId: Uint8Array, client: Endpoint): Buffer {
    const stamp = Buffer.alloc(STAMP);
    stamp.writeUIntBE(Math.floor(this.clock.monotonic()), 0, STAMP);
    const told = Buffer.concat([stamp, firstId]);
    return Buffer.concat([told, this.mac(told, client)]);
  }

  /** The connection id that the client chose first; undefined for what is no token of ours for it, or too old. */
  firstId(token: Uint8Array, client: Endpoint): Buffer | undefined {
    if (token.length < STAMP + MAC) return undefined;
    const told = Buffer.from(token.subarray(0, token.length - MAC));
    if (!timingSafeEqual(this.mac(told, client), token.subarray(token.length - MAC))) return undefined;
    if (this.clock.monotonic() - told.readUIntBE(0, STAMP) > HOLDS) return undefined;
    return told.subarray(STAMP);
  }

  private mac(told: Buffer, { address, port }: Endpoint): Buffer {
    return createHmac('sha256', this.key).update(`${address} ${port} `).update(told).digest();
  }
}
