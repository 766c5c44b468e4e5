import { DROP, Query, Reply, type Arrival, type Outcome } from '../chain/index.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import {
  Flag,
  HEADER_SIZE,
  OPCODE_MASK,
  Opcode,
  Rcode,
  WireError,
  encodeMessage,
  encodeToFit,
  optReplyLength,
  replyLength,
  writeReply,
  writeOpt,
  optLength,
  OPT_SIZE,
  type OptReply,
} from '../wire/index.js';
import type { Routes, Served } from './routes.js';

/**
 * Above these sizes a UDP reply is compressed even if it would fit, so that it is not cut into fragments on common
 * links, in octets.
 */
const FRAGMENT_IPV4: Octets = 1480;
const FRAGMENT_IPV6: Octets = 1220;

/**
 * What the listener tells of a query's way in, and how an answer goes out. One object does for both: there is one for
 * each message.
 */
export interface Reception extends Arrival {
  readonly received: Milliseconds;
  /** Octets to leave free in front of the message: 2 for the length over TCP. */
  readonly prefix: 0 | 2;
  /** Takes a finished message. `bytes` is the receiver's from then on, its first `prefix` octets are free. */
  send(bytes: Buffer): void;
  /** Told of each reply of a chain that says how long it stays right, after it was sent. */
  standing?(query: Query, reply: Reply): void;
  /** Called in place of `send` when there will be no answer. */
  dropped?(): void;
}

/** A fault in a handler: reported by the server, answered with SERVFAIL. */
export type OnPanic = (error: unknown, query: Query) => void;

/**
 * Answers one received message, at once where nothing has to be waited for. Whatever the message holds, this neither
 * throws nor rejects.
 * Responses and runts get no answer, as nobody would know what to do with it; bad headers are answered before the
 * body is looked at.
 */
export function respond(bytes: Buffer, served: Served, reception: Reception, onPanic: OnPanic): void {
  const verdict = judgeHeader(bytes);
  if (verdict === 'ignore') return reception.dropped?.();
  if (verdict !== undefined) return reject(bytes, verdict, HEADER_SIZE, reception);
  let query: Query;
  let version: number;
  try {
    query = new Query(bytes, reception, reception.received);
    version = query.ednsVersion;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return reject(bytes, Rcode.FORMERR, questionEnd(bytes), reception);
  }
  if (version !== 0) return badVersion(query, reception);
  const { routes } = served;
  let outcome: Outcome | Promise<Outcome>;
  try {
    outcome = routes.answer(query);
  } catch (error) {
    onPanic(error, query);
    outcome = Reply.failure(Rcode.SERVFAIL);
  }
  if (!(outcome instanceof Promise)) return finish(query, outcome, reception);
  routes.inFlight.enter();
  // One promise more and no closure that could throw: this is the way of every query that waits.
  void outcome.then(
    (settled) => conclude(query, settled, reception, routes, onPanic),
    (error: unknown) => {
      onPanic(error, query);
      conclude(query, Reply.failure(Rcode.SERVFAIL), reception, routes, onPanic);
    },
  );
}

/** Sends the answer to a query that had to wait. */
function conclude(query: Query, outcome: Outcome, reception: Reception, routes: Routes, onPanic: OnPanic): void {
  try {
    finish(query, outcome, reception);
  } catch (error) {
    onPanic(error, query);
  } finally {
    routes.inFlight.leave();
  }
}

/**
 * What the header alone decides: `ignore` for what is no query, an rcode for what is refused, undefined for what goes
 * on.
 * One question; at most one record in answer and authority (NOTIFY, RFC 1996 section 3.7, and IXFR, RFC 1995 section
 * 3, send a SOA there) and two in additional.
 */
export function judgeHeader(bytes: Uint8Array): number | 'ignore' | undefined {
  if (bytes.length < HEADER_SIZE) return 'ignore';
  const flags = (bytes[2]! << 8) | bytes[3]!;
  if (flags & Flag.QR) return 'ignore';
  const opcode = (flags & OPCODE_MASK) >> 11;
  if (opcode !== Opcode.QUERY && opcode !== Opcode.NOTIFY) return Rcode.NOTIMP;
  const tooMany =
    bytes[4] !== 0 ||
    bytes[5] !== 1 ||
    bytes[6] !== 0 ||
    bytes[7]! > 1 ||
    bytes[8] !== 0 ||
    bytes[9]! > 1 ||
    bytes[10] !== 0 ||
    bytes[11]! > 2;
  return tooMany ? Rcode.FORMERR : undefined;
}

/** Offset after a well-formed question, else the header's end: how much of a bad message the answer repeats. */
function questionEnd(bytes: Buffer): number {
  let at = HEADER_SIZE;
  while (at < bytes.length && bytes[at]! > 0 && bytes[at]! < 64) at += bytes[at]! + 1;
  return bytes[at] === 0 && at + 5 <= bytes.length && at - HEADER_SIZE < 255 ? at + 5 : HEADER_SIZE;
}

/**
 * Answers with an rcode, the header's other counts at zero, and the question if it could be read. FORMERR is always
 * an answer to QUERY.
 */
function reject(bytes: Buffer, rcode: number, end: number, reception: Reception): void {
  const { prefix } = reception;
  const answer = Buffer.alloc(prefix + end);
  bytes.copy(answer, prefix, 0, end);
  const word = (bytes[2]! << 8) | bytes[3]!;
  const keep = rcode === Rcode.NOTIMP ? OPCODE_MASK | Flag.RD | Flag.CD : Flag.RD | Flag.CD;
  answer.writeUInt16BE(Flag.QR | (word & keep) | rcode, prefix + 2);
  answer.writeUInt16BE(end > HEADER_SIZE ? 1 : 0, prefix + 4);
  answer.fill(0, prefix + 6, prefix + HEADER_SIZE);
  reception.send(answer);
}

/** An EDNS version other than 0 gets BADVERS and the version there is (RFC 6891 section 6.1.3). */
function badVersion(query: Query, reception: Reception): void {
  const edns = { udpSize: query.udpSize, version: 0, do: false, options: [] };
  const answer = Buffer.alloc(reception.prefix + query.questionEnd + OPT_SIZE);
  query.bytes.copy(answer, reception.prefix, 0, query.questionEnd);
  answer.writeUInt16BE(Flag.QR | (query.queryFlags & (OPCODE_MASK | Flag.RD | Flag.CD)), reception.prefix + 2);
  answer.writeUInt16BE(1, reception.prefix + 4);
  answer.fill(0, reception.prefix + 6, reception.prefix + 10);
  answer.writeUInt16BE(1, reception.prefix + 10);
  writeOpt(edns, Rcode.BADVERS, answer, reception.prefix + query.questionEnd);
  reception.send(answer);
}

function finish(query: Query, outcome: Outcome, reception: Reception): void {
  if (outcome === DROP) return reception.dropped?.();
  reception.send(finishReply(query, outcome, reception.prefix));
  if (outcome.standing !== undefined) reception.standing?.(query, outcome);
}

/** The reply as it goes to the client of `query`, behind `prefix` free octets. */
export function finishReply(query: Query, reply: Reply, prefix: 0 | 2): Buffer {
  const opt = query.hasEdns ? optFor(query, reply) : undefined;
  const { records } = reply;
  const length = replyLength(query, records, opt === undefined ? 0 : optReplyLength(opt));
  const fragments =
    length > FRAGMENT_IPV6 &&
    query.transport === 'udp' &&
    length > (query.family === 4 ? FRAGMENT_IPV4 : FRAGMENT_IPV6);
  if (length > query.maxSize || fragments) return squeeze(query, reply, prefix, fragments && length <= query.maxSize);
  const bytes = Buffer.allocUnsafe(prefix + length);
  writeReply(prefix === 0 ? bytes : bytes.subarray(prefix), query, reply.flags, reply.rcode, records, reply.ttl, opt);
  return bytes;
}

const NO_OPTIONS: OptReply = { udpSize: 0, do: false, options: undefined };

function optFor(query: Query, reply: Reply): OptReply {
  const options = reply.edns?.options;
  if (options === undefined || options.length === 0) return { ...NO_OPTIONS, udpSize: query.udpSize, do: query.do };
  const edns = { udpSize: query.udpSize, version: 0, do: query.do, options };
  const bytes = Buffer.alloc(optLength(edns));
  writeOpt(edns, 0, bytes, 0);
  return { udpSize: query.udpSize, do: query.do, options: bytes.subarray(OPT_SIZE) };
}

/** The way of a reply that does not fit as it is: compressed, and cut short if that is not enough. */
function squeeze(query: Query, reply: Reply, prefix: 0 | 2, fits: boolean): Buffer {
  const edns = query.hasEdns
    ? { udpSize: query.udpSize, version: 0, do: query.do, options: reply.edns?.options ?? [] }
    : undefined;
  const message = { ...reply.messageFor(query), edns };
  const bytes = fits ? encodeMessage(message, true) : encodeToFit(message, query.maxSize);
  return prefix === 0 ? bytes : Buffer.concat([Buffer.alloc(prefix), bytes]);
}
