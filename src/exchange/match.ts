import { Flag, HEADER_SIZE, Rcode, RCODE_MASK } from '../wire/index.js';

/** What a message that carries a query's id is to that query. */
export const NO_MATCH = -1;
/** Its question is the query's, but not spelt as it was asked. */
export const RESPELT = -2;

/**
 * Judges whether `reply` answers the question of `query`: a response with one question, of the same name (letter case
 * aside, RFC 4343), type and
 * class (RFC 5452 section 9.1). The id is the caller's business, it found the query by it. Returns the offset after
 * the question in `reply`, or
 * NO_MATCH. A server that could not read the question cannot repeat it, so a bare header that says FORMERR or NOTIMP
 * matches too.
 *
 * @param questionEnd offset after the question in `query`, which has one question with its name written out
 */
export function matchQuestion(query: Uint8Array, questionEnd: number, reply: Uint8Array): number {
  if (reply.length < HEADER_SIZE || (reply[2]! & 0x80) === 0) return NO_MATCH;
  if (reply[4] !== 0 || reply[5] !== 1) return isBareRefusal(reply) ? HEADER_SIZE : NO_MATCH;
  if (reply.length < questionEnd) return NO_MATCH;
  const name = questionEnd - 4;
  for (let i = HEADER_SIZE; i < name; i++) {
    const asked = query[i]!;
    const got = reply[i]!;
    // Length octets are below every letter, so folding never makes two of them equal.
    if (asked !== got && ((asked ^ got) !== 0x20 || !isLetter(asked | 0x20))) return NO_MATCH;
  }
  for (let i = name; i < questionEnd; i++) if (query[i] !== reply[i]) return NO_MATCH;
  return questionEnd;
}

/** Whether `reply` answers `query`: same id and same question. Both are whole messages. */
export function matchesQuery(query: Uint8Array, reply: Uint8Array): boolean {
  return (
    reply.length >= HEADER_SIZE &&
    query[0] === reply[0] &&
    query[1] === reply[1] &&
    matchQuestion(query, questionEndOf(query), reply) !== NO_MATCH
  );
}

/** Offset after the only question of a message whose name is written out; the message's length when it ends before. */
export function questionEndOf(message: Uint8Array): number {
  let at = HEADER_SIZE;
  while (at < message.length && message[at] !== 0) at += message[at]! + 1;
  return Math.min(at + 5, message.length);
}

const isLetter = (octet: number): boolean => octet >= 0x61 && octet <= 0x7a;

function isBareRefusal(reply: Uint8Array): boolean {
  const word = (reply[2]! << 8) | reply[3]!;
  const rcode = word & RCODE_MASK;
  if ((rcode !== Rcode.FORMERR && rcode !== Rcode.NOTIMP) || (word & Flag.TC) !== 0) return false;
  for (let i = 4; i < HEADER_SIZE; i++) if (reply[i] !== 0) return false;
  return true;
}
