import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { randomBelow, type Random } from '../../lib/random.js';
import { Class, Rcode, Type, type Rr } from '../../wire/index.js';

/** Longest character string of a TXT record, in bytes (RFC 1035 section 3.3). */
const MAX_STRING = 255;

/** What the server says about itself. Longer texts are cut at 255 bytes. */
export interface Identity {
  readonly version: string;
  readonly authors: readonly string[];
  readonly hostname: string;
}

/** Tells the server's version, authors and host name to TXT questions of class CH (RFC 4892 section 2). */
export class Chaos implements Handler {
  readonly name = 'chaos';
  readonly role = 'answers';
  readonly dependsOn = 'query';
  readonly everyClass = true;

  constructor(
    private readonly identity: Identity,
    private readonly random: Random,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.class !== Class.CH || query.type !== Type.TXT) return next(query);
    const texts = this.textsFor(query.name);
    if (texts === undefined) return next(query);
    return Reply.of(0, Rcode.NOERROR, { answer: texts.map((text) => txt(query.qname, text)) });
  }

  private textsFor(name: string): readonly string[] | undefined {
    const { version, authors, hostname } = this.identity;
    switch (name) {
      case 'version.bind.':
      case 'version.server.':
        return [version];
      case 'hostname.bind.':
      case 'id.server.':
        return [hostname];
      case 'authors.bind.':
        return this.shuffled(authors);
      default:
        return undefined;
    }
  }

  /** Fisher and Yates. */
  private shuffled(texts: readonly string[]): readonly string[] {
    const all = [...texts];
    for (let i = all.length - 1; i > 0; i--) {
      const other = randomBelow(this.random, i + 1);
      [all[i], all[other]] = [all[other]!, all[i]!];
    }
    return all;
  }
}

function txt(name: string, text: string): Rr {
  const bytes = Buffer.from(text).subarray(0, MAX_STRING);
  return { name, type: Type.TXT, class: Class.CH, ttl: 0, rdata: Buffer.concat([Buffer.of(bytes.length), bytes]) };
}
