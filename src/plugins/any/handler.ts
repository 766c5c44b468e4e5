import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { Class, Rcode, Type } from '../../wire/index.js';

const TTL = 8482;
const string = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
/** CPU and operating system of the HINFO record (RFC 1035 section 3.3.2). */
const RDATA = Buffer.concat([string('ANY obsoleted'), string('See RFC 8482')]);

/** Answers questions of type ANY with one HINFO record (RFC 8482 section 4.2), so that they are not worth asking. */
export class Any implements Handler {
  readonly name = 'any';
  readonly role = 'answers';
  readonly dependsOn = 'question';

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.type !== Type.ANY) return next(query);
    const record = { name: query.qname, type: Type.HINFO, class: Class.IN, ttl: TTL, rdata: RDATA };
    return Reply.of(0, Rcode.NOERROR, { answer: [record] });
  }
}
