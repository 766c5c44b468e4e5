import { HEADER_SIZE } from '../../wire/index.js';

/** Bytes of a message before those that make two queries equal: the id. */
const ID = 2;

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

/** Whether two messages are the same, letter case of the name and id aside. */
export function equal(one: Uint8Array, other: Uint8Array, questionEnd: number): boolean {
  if (one.length !== other.length) return false;
  const nameEnd = questionEnd - 4;
  for (let i = ID; i < nameEnd; i++) if (one[i] !== other[i] && fold(one[i]!) !== fold(other[i]!)) return false;
  for (let i = nameEnd; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
