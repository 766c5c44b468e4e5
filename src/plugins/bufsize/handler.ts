import { mapReply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import type { Octets } from '../../lib/units.js';

/** Lowers the payload size that clients offer by EDNS to a limit, so that no answer is cut into fragments. */
export class BufSize implements Handler {
  readonly name = 'bufsize';
  readonly role = 'wraps';
  /** The size that the client offers. */
  readonly dependsOn = 'query';

  constructor(private readonly limit: Octets) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.udpSize <= this.limit) return next(query);
    const limited = query.withUdpSize(this.limit);
    return mapReply(next(limited), (reply) => (reply.repeats === undefined ? reply.repeating(limited) : reply));
  }
}
