import { copyOctets } from '../lib/octets.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { HEADER_SIZE, OPT_SIZE, RCODE_MASK, Rcode, Type, behindName } from '../wire/index.js';
import type { Attempt } from './attempt.js';

/** The option (RFC 7873 section 4), and the lengths of its parts. */
const COOKIE = 10;
const CLIENT: Octets = 8;
const SERVER: { readonly least: Octets; readonly most: Octets } = { least: 8, most: 32 };
const LONGEST_OPTION: Octets = 4 + CLIENT + SERVER.most;
/** Sizes that upstreams are told: answers fit as they would without the option. */
const PLAIN_SIZE: Octets = 512 + OPT_SIZE + LONGEST_OPTION;
const MOST_SIZE: Octets = 4096;
/** Nobody follows us for longer by a client cookie (RFC 7873 section 7.1: 36 days at most). */
const LIFETIME: Milliseconds = 3_600_000;
/** An upstream that has no cookies is asked without for this long. */
const PAUSE: Milliseconds = 3_600_000;
/** Replies without a cookie, in a row, of one that has sent some before: fewer may be a forger's. */
const FORGED = 8;

/** What a reply is by its cookie: not taken, to be asked again with the cookie that came or without any, or good. */
export type CookieVerdict = 'wrong' | 'again' | Buffer;

/**
 * The cookies of one upstream (RFC 7873): a client cookie that is drawn for it, anew with the local address and every
 * hour, and the server cookie that came last. Once an upstream has sent the client cookie back, each reply has to.
 */
export class Cookies {
  private client = new Uint8Array(0);
  private server = new Uint8Array(0);
  private local = '';
  private until: Milliseconds = -Infinity;
  private everKept = false;
  private lostInRow = 0;
  private pausedUntil: Milliseconds = -Infinity;

  constructor(private readonly random: Random) {}

  /** The attempt's message with a cookie; undefined where it is to go as it is. */
  add(attempt: Attempt, local: string, now: Milliseconds): Buffer | undefined {
    attempt.cookie = undefined;
    if (now < this.pausedUntil) return undefined;
    if (now >= this.until || local !== this.local) this.renew(local, now);
    const { client, server } = this;
    const message = withCookie(attempt.message, attempt.questionEnd, client, server);
    if (message !== undefined) attempt.cookie = client;
    return message;
  }

  /**
   * Judges a reply to an attempt that went with a cookie. A good one comes back without it, and without an OPT record
   * where the query had none before.
   *
   * @param records offset after the reply's question
   */
  judge(attempt: Attempt, reply: Buffer, records: number, now: Milliseconds): CookieVerdict {
    const opt = findOpt(reply, records);
    const rcode = (reply[3]! & RCODE_MASK) | ((opt === undefined ? 0 : reply[opt.at + 5]!) << 4);
    const cookie = opt && findCookie(reply, opt);
    if (cookie === undefined) return this.without(attempt, reply, opt, rcode, now);
    const { at, length } = cookie;
    const size = length - CLIENT;
    const sameClient = attempt.cookie!.every((byte, i) => byte === reply[at + 4 + i]);
    if (!sameClient || size < SERVER.least || size > SERVER.most) return 'wrong';
    this.everKept = true;
    this.lostInRow = 0;
    if (attempt.cookie === this.client) this.server = reply.subarray(at + 4 + CLIENT, at + 4 + length).slice();
    if (rcode === Rcode.BADCOOKIE) return 'again';
    return isOptAdded(attempt) ? cutOpt(reply, opt!) : cutCookie(reply, opt!, cookie);
  }

  private without(
    attempt: Attempt,
    reply: Buffer,
    opt: MessagePart | undefined,
    rcode: number,
    now: Milliseconds,
  ): CookieVerdict {
    const shown = this.everKept;
    if (!shown || ++this.lostInRow >= FORGED) {
      this.pausedUntil = now + PAUSE;
      this.everKept = false;
      this.lostInRow = 0;
    }
    if (shown) return 'wrong';
    // Perhaps because of the option, or of the record that it stands in.
    if (rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP || rcode === Rcode.BADVERS) return 'again';
    return opt !== undefined && isOptAdded(attempt) ? cutOpt(reply, opt) : reply;
  }

  private renew(local: string, now: Milliseconds): void {
    this.local = local;
    this.until = now + LIFETIME;
    const client = Buffer.alloc(CLIENT);
    client.writeUInt32BE(this.random.uint32(), 0);
    client.writeUInt32BE(this.random.uint32(), 4);
    this.client = client;
    // It was made for the other one.
    this.server = new Uint8Array(0);
  }
}

/** A part of a message: where it begins, and how many bytes its data has. */
interface MessagePart {
  readonly at: number;
  readonly length: Octets;
}

const isOptAdded = ({ message, questionEnd }: Attempt): boolean => message.length === questionEnd;

/** A query of a question and perhaps an OPT record, with one that has the option; undefined where there is more in it. */
function withCookie(
  message: Uint8Array,
  questionEnd: number,
  client: Uint8Array,
  server: Uint8Array,
): Buffer | undefined {
  const records = (message[6]! | message[7]! | message[8]! | message[9]! | message[10]!) << 8;
  const isPlain = message.length === questionEnd;
  if (records !== 0 || message[11] !== (isPlain ? 0 : 1) || (!isPlain && message[questionEnd + 2] !== Type.OPT))
    return undefined;
  const start = isPlain ? questionEnd + OPT_SIZE : message.length;
  const length = client.length + server.length;
  const made = Buffer.alloc(start + 4 + length);
  made.set(message);
  made[11] = 1;
  made.writeUInt16BE(Type.OPT, questionEnd + 1);
  const size = isPlain ? PLAIN_SIZE : Math.min(MOST_SIZE, made.readUInt16BE(questionEnd + 3) + LONGEST_OPTION);
  made.writeUInt16BE(size, questionEnd + 3);
  made.writeUInt16BE(made.length - questionEnd - OPT_SIZE, questionEnd + 9);
  made.writeUInt16BE(COOKIE, start);
  made.writeUInt16BE(length, start + 2);
  made.set(client, start + 4);
  made.set(server, start + 4 + client.length);
  return made;
}

/** The first OPT record with its root name, of which `length` is that of its data; undefined where none is whole. */
function findOpt(reply: Buffer, records: number): MessagePart | undefined {
  let left = 0;
  for (let at = 6; at < HEADER_SIZE; at += 2) left += reply.readUInt16BE(at);
  for (let at = records; left > 0 && at < reply.length; left--) {
    const start = at;
    at = behindName(reply, at);
    if (at + 10 > reply.length) return undefined;
    const length = reply.readUInt16BE(at + 8);
    if (reply.readUInt16BE(at) === Type.OPT && at === start + 1)
      return at + 10 + length <= reply.length ? { at: start, length } : undefined;
    at += 10 + length;
  }
  return undefined;
}

function findCookie(reply: Buffer, opt: MessagePart): MessagePart | undefined {
  const end = opt.at + OPT_SIZE + opt.length;
  for (let at = opt.at + OPT_SIZE; at + 4 <= end;) {
    const length = reply.readUInt16BE(at + 2);
    if (reply.readUInt16BE(at) === COOKIE) return at + 4 + length <= end ? { at, length } : undefined;
    at += 4 + length;
  }
  return undefined;
}

const cutOut = (reply: Buffer, start: number, end: number): Buffer => {
  const cut = copyOctets(reply, 0, reply.length - (end - start));
  cut.set(reply.subarray(end), start);
  return cut;
};

function cutOpt(reply: Buffer, { at, length }: MessagePart): Buffer {
  const cut = cutOut(reply, at, at + OPT_SIZE + length);
  cut.writeUInt16BE(cut.readUInt16BE(10) - 1, 10);
  return cut;
}

function cutCookie(reply: Buffer, opt: MessagePart, cookie: MessagePart): Buffer {
  const cut = cutOut(reply, cookie.at, cookie.at + 4 + cookie.length);
  cut.writeUInt16BE(opt.length - 4 - cookie.length, opt.at + 9);
  return cut;
}
