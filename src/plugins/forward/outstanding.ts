import type { Outcome, Query } from '../../chain/index.js';
import { IntMap } from '../../lib/int-map.js';
import { HEADER_SIZE } from '../../wire/index.js';

/** Bytes of a message before those that make two queries equal: the id. */
const ID = 2;

/** A question under way, with those who asked the same meanwhile. */
export class OutstandingQuery {
  readonly outcome: Promise<Outcome>;
  waiters = 1;
  /** The same name and type are on their way over UDP, asked differently: this one had better not join them there. */
  apart = false;
  private resolve!: (outcome: Outcome | Promise<Outcome>) => void;

  /**
   * @param message what upstreams are sent, id aside
   * @param hash of the message, see `hashOf`
   * @param questionHash of its question alone
   * @param onSettled called before those who asked are told
   */
  constructor(
    readonly query: Query,
    readonly message: Buffer,
    readonly hash: number,
    readonly questionHash: number,
    private readonly onSettled: (outstanding: OutstandingQuery) => void,
  ) {
    this.outcome = new Promise((resolve) => (this.resolve = resolve));
  }

  settle(outcome: Outcome | Promise<Outcome>): void {
    this.onSettled(this);
    this.resolve(outcome);
  }
}

/**
 * Questions under way over one transport. Where two of them have the same hash, the later one is not kept: an equal
 * one travels again.
 */
export class OutstandingQueries {
  private readonly byHash = new IntMap<OutstandingQuery>();
  private readonly byQuestion = new IntMap<OutstandingQuery>();

  /** The one whose message equals `message`, letter case of the name and id aside. */
  find(message: Buffer, questionEnd: number, hash: number): OutstandingQuery | undefined {
    const outstanding = this.byHash.get(hash);
    return outstanding !== undefined && equal(outstanding.message, message, questionEnd) ? outstanding : undefined;
  }

  add(outstanding: OutstandingQuery): void {
    if (!this.byHash.has(outstanding.hash)) this.byHash.set(outstanding.hash, outstanding);
    outstanding.apart = this.byQuestion.has(outstanding.questionHash);
    if (!outstanding.apart) this.byQuestion.set(outstanding.questionHash, outstanding);
  }

  remove(outstanding: OutstandingQuery): void {
    if (this.byHash.get(outstanding.hash) === outstanding) this.byHash.delete(outstanding.hash);
    if (this.byQuestion.get(outstanding.questionHash) === outstanding) this.byQuestion.delete(outstanding.questionHash);
  }
}

/** Capital letters are made small; bytes of lengths, types and classes below them stay apart from letters. */
const fold = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);

/** Hash of the question of a message, letter case of its name aside (FNV-1a, 32 bits, from `seed`). */
export function hashOfQuestion(message: Uint8Array, questionEnd: number, seed: number): number {
  let hash = seed;
  const nameEnd = questionEnd - 4;
  for (let i = HEADER_SIZE; i < nameEnd; i++) hash = Math.imul(hash ^ fold(message[i]!), 0x01000193);
  for (let i = nameEnd; i < questionEnd; i++) hash = Math.imul(hash ^ message[i]!, 0x01000193);
  return hash;
}

/** Equal messages have equal hashes: that of the question, with what stands before and after it. */
export function hashOf(message: Uint8Array, questionEnd: number, questionHash: number): number {
  let hash = Math.imul(questionHash ^ message[2]!, 0x01000193);
  hash = Math.imul(hash ^ message[3]!, 0x01000193);
  for (let i = questionEnd; i < message.length; i++) hash = Math.imul(hash ^ message[i]!, 0x01000193);
  return hash;
}

function equal(one: Uint8Array, other: Uint8Array, questionEnd: number): boolean {
  if (one.length !== other.length) return false;
  const nameEnd = questionEnd - 4;
  for (let i = ID; i < nameEnd; i++) if (one[i] !== other[i] && fold(one[i]!) !== fold(other[i]!)) return false;
  for (let i = nameEnd; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
