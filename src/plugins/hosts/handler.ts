import { Reply, type Handler, type Next, type Outcome, type Query, type Zones } from '../../chain/index.js';
import { Class, Rcode, Type, ExtendedErrorCode, explained } from '../../wire/index.js';
import type { HostAnswers } from './answers.js';

/** Whoever knows the answers of the moment; they are replaced when the file changes. */
export interface AnswersSource {
  readonly answers: HostAnswers;
}

/** Answers A, AAAA and PTR questions from a hosts file and lines of the Corefile. */
export class Hosts implements Handler {
  readonly name = 'hosts';
  readonly dependsOn = 'question';

  /**
   * @param through zones in which names without an entry are asked further on
   * @param throughOtherTypes in these zones questions for anything but addresses are, whether or not there is an entry
   */
  constructor(
    private readonly source: AnswersSource,
    private readonly zones: Zones,
    private readonly through: Zones,
    private readonly throughOtherTypes: boolean,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.class !== Class.IN) return next(query);
    const { answers } = this.source;
    // Addresses are found backwards whether or not the zones speak of reverse names, and those without a name are
    // asked further on.
    if (query.type === Type.PTR) return answers.pointer(query.name) ?? next(query);
    const isAddress = query.type === Type.A || query.type === Type.AAAA;
    if (this.throughOtherTypes && !isAddress && this.through.contains(query.name)) return next(query);
    const known = answers.host(query.name, query.type);
    if (known !== undefined) return known;
    if (!this.zones.contains(query.name) || this.through.contains(query.name)) return next(query);
    // A hosts file has no SOA record, without which NXDOMAIN could not be kept by anyone (RFC 2308 section 5).
    return NO_SUCH_HOST;
  }
}

const NO_SUCH_HOST = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.NotAuthoritative, 'the hosts file does not have this name'),
);
