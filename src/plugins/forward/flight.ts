import type { Outcome, Query } from '../../chain/index.js';
import { IntMap } from '../../lib/int-map.js';
import { HEADER_SIZE } from '../../wire/index.js';

/** Bytes of a message before those that make two queries equal: the id. */
const ID = 2;

/** A question under way, with those who asked the same meanwhile. */
export class Flight {
  readonly outcome: Promise<Outcome>;
  askers = 1;
  /** The same name and type are on their way over UDP, asked differently: this one had better not join them there. */
  apart = false;
  private settle!: (outcome: Outcome | Promise<Outcome>) => void;

  /**
   * @param message what upstreams are sent, id aside
   * @param hash of the message, see `hashOf`
   * @param questionHash of its question alone
   * @param onLanded called before those who asked are told
   */
  constructor(
    readonly query: Query,
    readonly message: Buffer,
    readonly hash: number,
    readonly questionHash: number,
    private readonly onLanded: (flight: Flight) => void,
  ) {
    this.outcome = new Promise((resolve) => (this.settle = resolve));
  }

  land(outcome: Outcome | Promise<Outcome>): void {
    this.onLanded(this);
    this.settle(outcome);
  }
}

/**
 * Questions under way over one transport. Where two of them have the same hash, the later one is not kept: an equal
 * one travels again.
 */
export class Flights {
  private readonly byHash = new IntMap<Flight>();
  private readonly byQuestion = new IntMap<Flight>();

  /** The one whose message equals `message`, letter case of the name and id aside. */
  find(message: Buffer, questionEnd: number, hash: number): Flight | undefined {
    const flight = this.byHash.get(hash);
    return flight !== undefined && equal(flight.message, message, questionEnd) ? flight : undefined;
  }

  add(flight: Flight): void {
    if (!this.byHash.has(flight.hash)) this.byHash.set(flight.hash, flight);
    flight.apart = this.byQuestion.has(flight.questionHash);
    if (!flight.apart) this.byQuestion.set(flight.questionHash, flight);
  }

  remove(flight: Flight): void {
    if (this.byHash.get(flight.hash) === flight) this.byHash.delete(flight.hash);
    if (this.byQuestion.get(flight.questionHash) === flight) this.byQuestion.delete(flight.questionHash);
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
