import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import { HEADER_SIZE, lowerOctet } from '../wire/index.js';

/** An upstream that does not repeat names as they were asked is asked as clients spell them for this long. */
const PAUSE: Milliseconds = 3_600_000;
/** Replies in another spelling, in a row, of one that has repeated spellings before: fewer may be a forger's. */
const FORGED = 8;

/**
 * Draws letter case for the names that one upstream is asked, which it has to repeat (draft-vixie-dnsext-dns0x20-00):
 * who forges a reply has to guess that too. Ends for an hour where the upstream does not.
 */
export class MixedCase {
  private everKept = false;
  private lostInRow = 0;
  private pausedUntil: Milliseconds = -Infinity;

  constructor(private readonly random: Random) {}

  /** A bit for each letter, again and again after 32; 0 where names are to stay as they are. */
  draw(now: Milliseconds): number {
    return now < this.pausedUntil ? 0 : this.random.uint32() | 0;
  }

  kept(): void {
    this.everKept = true;
    this.lostInRow = 0;
  }

  lost(now: Milliseconds): void {
    if (++this.lostInRow < FORGED && this.everKept) return;
    this.pausedUntil = now + PAUSE;
    this.everKept = false;
  }
}

/**
 * Turns the case of those letters whose bit is set, in the name of the question that ends at `questionEnd`; the same
 * again undoes it. False where there is none.
 */
export function turnCase(message: Uint8Array, questionEnd: number, bits: number): boolean {
  const nameEnd = questionEnd - 4;
  let left = bits;
  let turned = 0;
  for (let at = HEADER_SIZE; at < nameEnd; at++) {
    const byte = message[at]!;
    const letter = byte | 0x20;
    // Lengths of labels are below every letter.
    if (letter < 0x61 || letter > 0x7a || byte < 0x41) continue;
    const turn = (left & 1) << 5;
    turned |= turn;
    message[at] = byte ^ turn;
    left = (left >>> 1) | (left << 31);
  }
  return turned !== 0;
}

/**
 * Gives the name its case back in a reply whose question is that of `query`, also where it owns records and is written
 * out there. False, and nothing changed, where the reply does not repeat the case that was drawn.
 */
export function restoreCase(reply: Uint8Array, query: Uint8Array, questionEnd: number, bits: number): boolean {
  turnCase(reply, questionEnd, bits);
  for (let at = HEADER_SIZE; at < questionEnd; at++) {
    if (reply[at] === query[at]) continue;
    turnCase(reply, questionEnd, bits);
    return false;
  }
  restoreOwners(reply, query, questionEnd);
  return true;
}

function restoreOwners(reply: Uint8Array, query: Uint8Array, questionEnd: number): void {
  let records = 0;
  for (let at = 6; at < HEADER_SIZE; at += 2) records += (reply[at]! << 8) | reply[at + 1]!;
  let at = questionEnd;
  for (; records > 0 && at < reply.length; records--) {
    restoreOwner(reply, at, query, questionEnd - 4);
    while (at < reply.length && reply[at]! > 0 && reply[at]! < 0xc0) at += reply[at]! + 1;
    at += reply[at]! >= 0xc0 ? 2 : 1;
    at += 10 + ((reply[at + 8]! << 8) | reply[at + 9]!);
  }
}

/** Where the name that begins at `start` is the question's, in whatever case, it gets that of the question. */
function restoreOwner(reply: Uint8Array, start: number, query: Uint8Array, nameEnd: number): void {
  const length = nameEnd - HEADER_SIZE;
  if (reply[start]! >= 0xc0 || start + length > reply.length) return;
  for (let i = 0; i < length; i++) if (lowerOctet(reply[start + i]!) !== lowerOctet(query[HEADER_SIZE + i]!)) return;
  for (let i = 0; i < length; i++) reply[start + i] = query[HEADER_SIZE + i]!;
}
