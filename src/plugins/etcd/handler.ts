import { Reply, type Handler, type Next, type Outcome, type Query, type Zones } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import {
  Class,
  Flag,
  Rcode,
  Type,
  encodeName,
  type Name,
  type Rr,
  ExtendedErrorCode,
  explained,
} from '../../wire/index.js';
import { SkyAnswers } from './answers.js';
import type { ServiceStore } from './store.js';

/** One question to etcd is given up after this time. */
const TIMEOUT: Milliseconds = 5000;
const MIN_TTL: Seconds = 30;
const REFRESH = 7200;
const RETRY = 1800;
const EXPIRE = 86_400;

/** Answers from SkyDNS messages in etcd. */
export class Etcd implements Handler {
  readonly name = 'etcd';
  readonly role = 'answers';
  readonly dependsOn = 'question';
  readonly waits = true;

  /** @param through zones in which names that do not exist are asked further on @param ask the whole server */
  constructor(
    private readonly zones: Zones,
    private readonly through: Zones,
    private readonly store: ServiceStore,
    private readonly prefix: string,
    private readonly clock: Clock,
    private readonly ask: Next,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const zone = query.class === Class.IN ? this.zones.match(query.name) : undefined;
    if (zone === undefined) return next(query);
    if (query.type === Type.SOA) return Reply.of(Flag.AA, Rcode.NOERROR, { answer: [this.soa(zone)] });
    return this.answer(query, zone, next);
  }

  private async answer(query: Query, zone: Name, next: Next): Promise<Outcome> {
    try {
      const answers = new SkyAnswers(this.store, this.prefix, zone, query, this.ask, this.timeFor(query));
      const records = await answers.answer();
      if (records === undefined)
        return this.through.contains(query.name) ? await next(query) : this.deny(zone, Rcode.NXDOMAIN);
      const { answer, additional, truncated } = records;
      if (answer.length === 0) return this.deny(zone, Rcode.NOERROR);
      return Reply.of(truncated ? Flag.AA | Flag.TC : Flag.AA, Rcode.NOERROR, { answer, additional });
    } catch (error) {
      if (!(error instanceof NodensError)) throw error;
      return Reply.failure(Rcode.SERVFAIL, error).withEdns(UNREACHABLE);
    }
  }

  private timeFor(query: Query): Milliseconds {
    return Math.max(1, Math.min(TIMEOUT, query.context.timeLeft(this.clock.monotonic())));
  }

  private deny(zone: Name, rcode: number): Reply {
    return Reply.of(Flag.AA, rcode, { authority: [this.soa(zone)] });
  }

  /** The serial is the time in seconds since 1970. */
  private soa(zone: Name): Rr {
    const numbers = Buffer.alloc(20);
    const serial = Math.floor(this.clock.now() / 1000) >>> 0;
    [serial, REFRESH, RETRY, EXPIRE, MIN_TTL].forEach((value, i) => numbers.writeUInt32BE(value, 4 * i));
    const under = (label: string): Uint8Array => encodeName(zone === '.' ? `${label}.` : `${label}.${zone}`);
    const rdata = Buffer.concat([under('ns.dns'), under('hostmaster'), numbers]);
    return { name: zone, type: Type.SOA, class: Class.IN, ttl: MIN_TTL, rdata };
  }
}

const UNREACHABLE = explained(ExtendedErrorCode.NetworkError, 'etcd does not answer');
