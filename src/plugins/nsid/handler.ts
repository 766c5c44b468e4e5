import { mapReply, type Handler, type Next, type Outcome, type Query, type Reply } from '../../chain/index.js';

/** The option code of a name server identifier (RFC 5001 section 4). */
const NSID = 3;

/** Puts an identifier of this server into answers whose query asks for it (RFC 5001). */
export class Nsid implements Handler {
  readonly name = 'nsid';
  readonly role = 'wraps';
  /** The options of the OPT record. */
  readonly dependsOn = 'query';

  constructor(private readonly identifier: Uint8Array) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!query.hasEdns || !query.ednsOptions.some(({ code }) => code === NSID)) return next(query);
    return mapReply(next(query), (reply) => (reply.written ? this.identified(query, reply) : reply));
  }

  private identified(query: Query, reply: Reply): Reply {
    const option = { code: NSID, data: this.identifier };
    const { edns } = reply;
    // DO without the client's asking is how CoreDNS marks an OPT record that it adds here.
    if (edns === undefined) return reply.withEdns({ udpSize: query.udpSize, version: 0, do: true, options: [option] });
    const known = edns.options.some(({ code }) => code === NSID);
    const options = known
      ? edns.options.map((each) => (each.code === NSID ? option : each))
      : [...edns.options, option];
    return reply.withEdns({ ...edns, options });
  }
}
