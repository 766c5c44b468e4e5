import { Query, Reply, mapReply, type Handler, type Next, type Outcome, type Zones } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import { Rcode, ExtendedErrorCode, explained } from '../../wire/index.js';
import { findTsig, tsigFaultName, withoutTsig } from '../../tsig/index.js';

/** Which queries have to be signed: those of a type or an opcode that is named, `all` for every one. */
export interface Required {
  readonly types: ReadonlySet<number> | 'all';
  readonly opcodes: ReadonlySet<number> | 'all';
}

const holds = (set: ReadonlySet<number> | 'all', value: number): boolean => set === 'all' || set.has(value);

/**
 * Lets signed queries through that are signed rightly, and unsigned ones where no signature is required. The server has
 * looked at the signature when the query came in, whichever way it came, and signs the answer when it goes out.
 */
export class Tsig implements Handler {
  readonly name = 'tsig';
  readonly role = 'wraps';
  // Answers to those who have to sign, and to those who did, are shared with nobody: their lease is taken away.
  readonly dependsOn = 'question';

  constructor(
    private readonly zones: Zones,
    private readonly required: Required,
    private readonly log: Logger,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!this.zones.contains(query.name)) return next(query);
    const required = this.requires(query);
    const { tsig } = query.context;
    // What the server asks itself on behalf of a client is not signed: it is the client who has to be somebody.
    if (query.context.depth > 0) return required && tsig?.verified !== true ? REFUSED : alone(next(query));
    const record = findTsig(query.bytes);
    if (tsig === undefined && record === undefined) {
      if (!required) return next(query);
      this.log.debug(`rejecting '${query.typeName}' request without TSIG`);
      return REFUSED;
    }
    if (tsig !== undefined) tsig.signs = true;
    if (tsig?.verified !== true) {
      this.log.debug(`TSIG validation failed: ${query.typeName} ${tsigFaultName(tsig?.error ?? 0)}`);
      return NOTAUTH;
    }
    const plain = record === undefined ? query : new Query(withoutTsig(query.bytes, record), query.context);
    return alone(next(plain));
  }

  private requires({ type, opcode }: Query): boolean {
    return holds(this.required.types, type) || holds(this.required.opcodes, opcode);
  }
}

const REFUSED = Reply.empty(Rcode.REFUSED).withEdns(explained(ExtendedErrorCode.Prohibited, 'a signature is required'));
const NOTAUTH = Reply.empty(Rcode.NOTAUTH).withEdns(
  explained(ExtendedErrorCode.Prohibited, 'the signature is not right'),
);

/** The same for this client alone. */
const alone = (outcome: Outcome | Promise<Outcome>): Outcome | Promise<Outcome> =>
  mapReply(outcome, (reply) => reply.withLease(undefined));
