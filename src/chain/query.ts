import { randomBelow, type Random } from '../lib/random.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import {
  Flag,
  HEADER_SIZE,
  MAX_MESSAGE_SIZE,
  MIN_MESSAGE_SIZE,
  OPCODE_MASK,
  Type,
  WireError,
  copyName,
  decodeMessage,
  encodeMessage,
  readLowerName,
  readName,
  readOptions,
  className,
  typeName,
  type EdnsOption,
  type Message,
  type Name,
  type ReplyHead,
} from '../wire/index.js';
import { protocolOf, type Client, type Transport } from './client.js';
import type { QueryContext } from './context.js';

/**
 * Longest reply over UDP, in bytes, whatever the client says: a small query with a false sender must not send somebody
 * else more than that.
 */
const MAX_UDP_REPLY: Octets = 4096;

const EDNS_ABSENT = -1;
const EDNS_UNREAD = -2;
const nameScratch = Buffer.alloc(256);

/**
 * One question to be answered: a view over the received bytes. Header, type and class are read when it is made, the
 * name and the OPT record
 * when somebody asks. It is never altered; a changed question is a new query (`withQuestion`).
 */
export class Query implements ReplyHead {
  readonly id: number;
  /** The second header word: opcode, RD, AD, CD. */
  readonly queryFlags: number;
  readonly questionStart: number = HEADER_SIZE;
  /** Offset after the question. */
  readonly questionEnd: number;
  readonly type: number;
  readonly class: number;
  private lower: Name | undefined;
  private asked: Name | undefined;
  private opt = EDNS_UNREAD;

  /**
   * @param bytes the message, which starts at 0 and is `bytes.length` long
   * @throws WireError when the question is malformed. The header must have been judged before (`judgeHeader`).
   */
  constructor(
    readonly bytes: Buffer,
    readonly context: QueryContext,
  ) {
    this.id = (bytes[0]! << 8) | bytes[1]!;
    this.queryFlags = (bytes[2]! << 8) | bytes[3]!;
    const end = skipName(bytes, HEADER_SIZE, false);
    if (end + 4 > bytes.length) throw new WireError('question cut short', end);
    this.type = (bytes[end]! << 8) | bytes[end + 1]!;
    this.class = (bytes[end + 2]! << 8) | bytes[end + 3]!;
    this.questionEnd = end + 4;
  }

  /** The name in lower case, for matching. */
  get name(): Name {
    return (this.lower ??= readLowerName(this.bytes, HEADER_SIZE));
  }

  /** The name as the client spelt it, for echoing. */
  get qname(): Name {
    return (this.asked ??= readName(this.bytes, HEADER_SIZE).name);
  }

  get typeName(): string {
    return typeName(this.type);
  }

  get className(): string {
    return className(this.class);
  }

  get recursionDesired(): boolean {
    return (this.queryFlags & Flag.RD) !== 0;
  }

  /** CD: the client checks signatures itself (RFC 4035 section 3.2.2). */
  get checkingDisabled(): boolean {
    return (this.queryFlags & Flag.CD) !== 0;
  }

  /** AD in a query: the client understands AD in the reply (RFC 6840 section 5.7). */
  get authenticData(): boolean {
    return (this.queryFlags & Flag.AD) !== 0;
  }

  get opcode(): number {
    return (this.queryFlags & OPCODE_MASK) >> 11;
  }

  /** Who asked, and how. */
  get client(): Client {
    return this.context.client;
  }

  /** Monotonic time of arrival. */
  get received(): Milliseconds {
    return this.context.received;
  }

  get transport(): Transport {
    return this.context.client.transport;
  }

  /** The `proto` of logs and metrics. */
  get protocol(): 'udp' | 'tcp' {
    return protocolOf(this.transport);
  }

  /** 4 or 6. */
  get family(): 4 | 6 {
    const { remote } = this.context.client;
    return remote.ipVersion ?? (remote.address.includes(':') ? 6 : 4);
  }

  /** Length of the message as received, in octets. */
  get size(): Octets {
    return this.bytes.length;
  }

  get hasEdns(): boolean {
    return this.optOffset() >= 0;
  }

  /** The version field of the OPT record; 0 without one. */
  get ednsVersion(): number {
    const at = this.optOffset();
    return at < 0 ? 0 : this.bytes[at + 6]!;
  }

  /** DNSSEC OK (RFC 3225). */
  get do(): boolean {
    const at = this.optOffset();
    return at >= 0 && (this.bytes[at + 7]! & 0x80) !== 0;
  }

  /** The payload size that the OPT record names, unchanged; 0 without one. */
  get udpSize(): Octets {
    const at = this.optOffset();
    return at < 0 ? 0 : (this.bytes[at + 3]! << 8) | this.bytes[at + 4]!;
  }

  get ednsOptions(): readonly EdnsOption[] {
    const at = this.optOffset();
    return at < 0 ? [] : readOptions(this.bytes, at + 11, (this.bytes[at + 9]! << 8) | this.bytes[at + 10]!);
  }

  /**
   * Largest reply the client takes: 65,535 over a stream, what it says over UDP but at least 512 octets (RFC 6891 section
   * 6.2.3).
   */
  get maxSize(): Octets {
    return this.transport !== 'udp' ? MAX_MESSAGE_SIZE : Math.max(MIN_MESSAGE_SIZE, this.udpSize);
  }

  /** Largest reply that is sent: what the client takes, over UDP at most MAX_UDP_REPLY bytes. */
  get replyLimit(): Octets {
    return this.transport !== 'udp' ? MAX_MESSAGE_SIZE : Math.min(this.maxSize, MAX_UDP_REPLY);
  }

  /** The whole message. Throws a WireError where a part behind the question is malformed. */
  decode(): Message {
    return decodeMessage(this.bytes);
  }

  /**
   * The same query with another question; flags, OPT record and context stay. Throws a WireError when the name breaks
   * its limits.
   */
  withQuestion(name: Name, type: number = this.type, questionClass: number = this.class): Query {
    const message = this.decode();
    return new Query(encodeMessage({ ...message, question: [{ name, type, class: questionClass }] }), this.context);
  }

  /** The same query with the bits of `clear` off and those of `set` on in the second header word. */
  withFlags(set: number, clear: number): Query {
    const bytes = Buffer.from(this.bytes);
    bytes.writeUInt16BE((this.queryFlags & ~clear) | set, 2);
    return new Query(bytes, this.context);
  }

  /** The same query with another payload size in its OPT record; the query must have one. */
  withUdpSize(size: Octets): Query {
    const bytes = Buffer.from(this.bytes);
    bytes.writeUInt16BE(size, this.optOffset() + 3);
    return new Query(bytes, this.context);
  }

  /** The same query with its message changed by `change`. */
  withMessage(change: (message: Message) => Message): Query {
    return new Query(encodeMessage(change(this.decode())), this.context);
  }

  /**
   * Offset of the OPT record, or a negative number. Records before it are skipped, malformed ones throw a WireError.
   */
  private optOffset(): number {
    if (this.opt === EDNS_UNREAD) this.opt = findOpt(this.bytes, this.questionEnd);
    return this.opt;
  }
}

/**
 * Offset after a name. A pointer ends it wherever it leads; the first name of a message has nothing before it that
 * one could lead to.
 */
function skipName(bytes: Uint8Array, offset: number, pointers: boolean): number {
  let at = offset;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new WireError('name runs past the end of the message', at);
    if (length === 0) break;
    if (length >= 0xc0 && pointers) return copyName(bytes, offset, nameScratch, 0);
    if (length > 63) throw new WireError('label of a reserved type', at);
    at += length + 1;
  }
  if (at + 1 - offset > 255) throw new WireError('name of more than 255 octets', offset);
  return at + 1;
}

function findOpt(bytes: Uint8Array, questionEnd: number): number {
  const before = ((bytes[6]! << 8) | bytes[7]!) + ((bytes[8]! << 8) | bytes[9]!);
  const total = before + ((bytes[10]! << 8) | bytes[11]!);
  let at = questionEnd;
  let found = EDNS_ABSENT;
  for (let i = 0; i < total && at < bytes.length; i++) {
    const end = skipName(bytes, at, true);
    if (end + 10 > bytes.length) throw new WireError('record cut short', end);
    const next = end + 10 + ((bytes[end + 8]! << 8) | bytes[end + 9]!);
    if (next > bytes.length) throw new WireError('record data runs past the end of the message', end);
    if (((bytes[end]! << 8) | bytes[end + 1]!) === Type.OPT && end === at + 1) {
      if (found >= 0) throw new WireError('more than one OPT record', at);
      found = at;
    }
    at = next;
  }
  return found;
}

/** What a question of our own asks for. */
export interface OwnQuestion {
  readonly name: Name;
  readonly type: number;
  readonly class?: number;
  /** 0 to 65535; drawn from `random` when left out. */
  readonly id?: number;
  readonly recursionDesired?: boolean;
}

/** A query that nobody sent: for probes, for following aliases through the server's own chain, and for `inject`. */
export function makeQuery(question: OwnQuestion, context: QueryContext, random: Random): Query {
  const bytes = encodeMessage({
    id: question.id ?? randomBelow(random, 0x10000),
    flags: question.recursionDesired === false ? 0 : Flag.RD,
    rcode: 0,
    question: [{ name: question.name, type: question.type, class: question.class ?? 1 }],
    answer: [],
    authority: [],
    additional: [],
  });
  return new Query(bytes, context);
}
