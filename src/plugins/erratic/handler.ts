import { DROP, Reply, type Handler, type Outcome, type Query } from '../../chain/index.js';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
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

/** Which queries, numbered from 0, are treated how; 0 stands for none. */
export interface Faults {
  /** Every so many-th query gets no answer, the first one included. */
  readonly drop: number;
  /** Every so many-th query is answered after `duration`. */
  readonly delay: number;
  readonly duration: Milliseconds;
  /** Queries whose number has no bit in common with this are answered as cut short. */
  readonly truncate: number;
  /** Answers to A questions have 30 records. */
  readonly large: boolean;
}

const LARGE = 30;
/** 192.0.2.53 and 2001:db8::53. */
const IPV4 = Uint8Array.of(192, 0, 2, 53);
const IPV6 = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53);

/** Answers addresses to every name, and keeps some answers back, delays them or marks them as cut short. */
export class Erratic implements Handler {
  readonly name = 'erratic';
  readonly role = 'answers';
  readonly dependsOn = 'query';
  private queries = 0;

  constructor(
    private readonly faults: Faults,
    private readonly clock: Clock,
  ) {}

  /** Ready while it has seen three or four queries, so that both can be watched. */
  ready(): boolean {
    return this.queries === 3 || this.queries === 4;
  }

  handle(query: Query): Outcome | Promise<Outcome> {
    const { drop, delay, duration, truncate, large } = this.faults;
    const number = this.queries++;
    if (drop > 0 && number % drop === 0) return DROP;
    const outcome = answerTo(query, truncate > 0 && (number & truncate) === 0, large);
    return delay > 0 && number % delay === 0 ? sleep(this.clock, duration).then(() => outcome) : outcome;
  }
}

function answerTo(query: Query, truncated: boolean, large: boolean): Reply {
  const flags = truncated ? Flag.AA | Flag.TC : Flag.AA;
  const record = (type: number, rdata: Uint8Array): Rr => rr(query.qname, type, rdata);
  switch (query.type) {
    case Type.A:
      return Reply.of(flags, Rcode.NOERROR, {
        answer: Array.from({ length: large ? LARGE : 1 }, () => record(Type.A, IPV4)),
      });
    case Type.AAAA:
      return Reply.of(flags, Rcode.NOERROR, { answer: [record(Type.AAAA, IPV6)] });
    case Type.AXFR:
      return Reply.of(Flag.AA, Rcode.NOERROR, { answer: zoneOf(query.qname, !truncated) });
    default:
      return OTHER_TYPE;
  }
}

const rr = (name: Name, type: number, rdata: Uint8Array): Rr => ({ name, type, class: Class.IN, ttl: 0, rdata });

const OTHER_TYPE = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.NotSupported, 'only A, AAAA and AXFR are answered'),
);

/** Serial, refresh, retry, expire and minimum. */
const SOA_NUMBERS = [2_018_050_825, 7200, 3600, 1_209_600, 3600];

/** A small zone; without its closing SOA record the transfer is incomplete (RFC 5936 section 2.2). */
function zoneOf(origin: Name, complete: boolean): Rr[] {
  const numbers = Buffer.alloc(20);
  SOA_NUMBERS.forEach((number, i) => numbers.writeUInt32BE(number, 4 * i));
  const names = [encodeName('sns.dns.icann.org.'), encodeName('noc.dns.icann.org.')];
  const soa = rr(origin, Type.SOA, Buffer.concat([...names, numbers]));
  const under = (label: string): Name => (origin === '.' ? `${label}.` : `${label}.${origin}`);
  return [
    soa,
    rr(origin, Type.NS, encodeName(under('b'))),
    rr(origin, Type.NS, encodeName(under('a'))),
    rr(under('a'), Type.AAAA, Uint8Array.of(0x20, 0x01, 0x0b, 0xd8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53)),
    rr(under('b'), Type.AAAA, Uint8Array.of(0x20, 0x01, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x54)),
    ...(complete ? [soa] : []),
  ];
}
