import { HEADER_SIZE } from '../wire/index.js';
import { questionEndOf } from './match.js';

/**
 * The last queries that a socket sent, by id and question: a reply to one that is over is late, or came twice, and is
 * nobody's guess.
 */
export class SentQueries {
  private marks: Uint32Array | undefined;
  private count = 0;

  /** @param most how many are kept */
  constructor(private readonly most: number) {}

  add(id: number, message: Uint8Array, questionEnd: number): void {
    this.marks ??= new Uint32Array(this.most);
    this.marks[this.count++ % this.most] = ((id << 16) | sumOf(message, questionEnd)) >>> 0;
  }

  /** Whether the question of `reply` was asked under that id. */
  has(id: number, reply: Uint8Array): boolean {
    const { marks } = this;
    if (marks === undefined) return false;
    const mark = ((id << 16) | sumOf(reply, questionEndOf(reply))) >>> 0;
    return marks.subarray(0, this.count).includes(mark);
  }
}

/** 16 bits of the question that ends there, letter case aside. */
function sumOf(message: Uint8Array, questionEnd: number): number {
  let sum = questionEnd;
  for (let at = HEADER_SIZE; at < questionEnd; at++) sum = (Math.imul(sum, 31) + (message[at]! | 0x20)) | 0;
  return (sum ^ (sum >>> 16)) & 0xffff;
}
