/**
 * Who was given which shared answer, from a thread that takes queries to the thread that runs the chains, in shared
 * memory: one writer, one reader. Only answers that somebody wants such notes of are noted.
 */
import type { NotedHit } from '../chain/index.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { MIN_MESSAGE_SIZE } from '../wire/index.js';
import { AF_INET } from './libc.js';
import { addressOf } from './sockaddr.js';

const HEAD = 0;
const TAIL = 16;
/** 1 while the reader waits for something to be noted. */
const WAITING = 32;
/** Words before the notes: each counter has a cache line of its own. */
const COUNTERS = 48;

/** Fields of a note, as offsets in words. */
const SLOT = 0;
const SEQUENCE = 1;
/** The query's id in the low half, the second word of its header in the high half. */
const HEADER = 2;
/** Its length in the low half, the payload size of its OPT record in the high half. */
const SIZES = 3;
/** Time between arrival and answer, as a double. */
const ELAPSED = 4;
const ADDRESS_LENGTH = 6;
/** The sender as a `struct sockaddr`: port in the second half of the first word, an IPv4 address in the second. */
const ADDRESS = 7;
const ADDRESS_WORDS = 7;
const NOTE = 16;

/** Addresses whose texts are kept, a power of two: clients ask more than once. */
const TEXTS = 256;

/** A query that was answered with a shared answer, and which it was. One instance is used over and over. */
export interface NotedAnswer extends NotedHit {
  /** Of the answer: its place in the table, and its sequence counter there. */
  readonly slot: number;
  readonly sequence: number;
}

class Note implements NotedAnswer {
  slot = 0;
  sequence = 0;
  id = 0;
  queryFlags = 0;
  size = 0;
  maxSize = 0;
  elapsed = 0;
  readonly remote = { address: '', port: 0 };
}

/** Notes that wait to be read. */
export class HitNotes {
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly capacity: number;
  /** Writer: how many notes it has made, shown or not. */
  private made: number;
  private tailSeen = 0;
  private readonly note = new Note();
  private readonly texts = new Array<string | undefined>(TEXTS).fill(undefined);
  private readonly textWords = new Int32Array(TEXTS * ADDRESS_WORDS);

  /** @param memory made by `HitNotes.allocate` */
  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.capacity = (this.words.length - COUNTERS) / NOTE;
    this.made = this.words[HEAD]!;
  }

  /** Memory for so many notes, a power of two. */
  static allocate(notes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (COUNTERS + notes * NOTE));
  }

  /**
   * Writer: notes a query, without showing it to the reader yet. False when there is no room.
   *
   * @param query bytes that hold the message of `length` bytes at `at`
   * @param opt offset of its OPT record within it, 0 for none
   * @param sender words that hold the `struct sockaddr` of `senderLength` bytes at word `senderAt`
   */
  push(
    slot: number,
    sequence: number,
    query: Uint8Array,
    at: number,
    length: Octets,
    opt: number,
    sender: Int32Array,
    senderAt: number,
    senderLength: Octets,
  ): boolean {
    const { words } = this;
    const tail = Atomics.load(words, TAIL);
    if (((this.made - tail) | 0) >= this.capacity) {
      this.tailSeen = tail;
      return false;
    }
    const to = this.place(this.made);
    words[to + SLOT] = slot;
    words[to + SEQUENCE] = sequence;
    words[to + HEADER] = (query[at]! << 8) | query[at + 1]! | (query[at + 2]! << 24) | (query[at + 3]! << 16);
    const udpSize = opt === 0 ? 0 : (query[at + opt + 3]! << 8) | query[at + opt + 4]!;
    words[to + SIZES] = length | (udpSize << 16);
    words[to + ADDRESS_LENGTH] = senderLength;
    for (let i = 0; i < ADDRESS_WORDS; i++) words[to + ADDRESS + i] = sender[senderAt + i]!;
    this.made = (this.made + 1) | 0;
    return true;
  }

  /** Writer: shows the reader what was noted, all of it answered after `elapsed`, and wakes it if it waits. */
  publish(elapsed: Milliseconds): void {
    const { words, made } = this;
    const shown = words[HEAD]!;
    if (shown === made) return;
    for (let note = shown; note !== made; note = (note + 1) | 0)
      this.doubles[(this.place(note) + ELAPSED) >> 1] = elapsed;
    Atomics.store(words, HEAD, made);
    if (Atomics.exchange(words, WAITING, 0) === 1) Atomics.notify(words, WAITING, 1);
  }

  /** Writer: waits until the reader has taken something since there was no room, at most `timeout`. */
  waitForRoom(timeout: Milliseconds): void {
    Atomics.wait(this.words, TAIL, this.tailSeen, timeout);
  }

  /** Reader: visits the notes that are shown, the oldest first. */
  take(visit: (note: NotedAnswer) => void): void {
    const { words } = this;
    const tail = words[TAIL]!;
    const head = Atomics.load(words, HEAD);
    if (tail === head) return;
    for (let note = tail; note !== head; note = (note + 1) | 0) visit(this.read(this.place(note)));
    Atomics.store(words, TAIL, head);
    Atomics.notify(words, TAIL, 1);
  }

  /** Reader: resolves when there is something to take, at once if there is already, or at a call of `wake`. */
  async readable(): Promise<void> {
    const { words } = this;
    Atomics.store(words, WAITING, 1);
    if (words[TAIL] !== Atomics.load(words, HEAD)) return;
    const wait = Atomics.waitAsync(words, WAITING, 1);
    if (wait.async) await wait.value;
  }

  /** Ends the reader's waiting though there is nothing to take. */
  wake(): void {
    Atomics.store(this.words, WAITING, 0);
    Atomics.notify(this.words, WAITING);
  }

  private place(note: number): number {
    return COUNTERS + (note & (this.capacity - 1)) * NOTE;
  }

  private read(at: number): Note {
    const { words, note } = this;
    const sizes = words[at + SIZES]!;
    const first = words[at + ADDRESS]!;
    note.slot = words[at + SLOT]!;
    note.sequence = words[at + SEQUENCE]!;
    note.id = words[at + HEADER]! & 0xffff;
    note.queryFlags = words[at + HEADER]! >>> 16;
    note.size = sizes & 0xffff;
    note.maxSize = Math.max(MIN_MESSAGE_SIZE, sizes >>> 16);
    note.elapsed = this.doubles[(at + ELAPSED) >> 1]!;
    note.remote.port = ((first >>> 8) & 0xff00) | (first >>> 24);
    note.remote.address = this.addressAt(at + ADDRESS, words[at + ADDRESS_LENGTH]!);
    return note;
  }

  /** The text of an address, which is made anew only where another one has taken its place. */
  private addressAt(at: number, length: Octets): string {
    const { words, textWords, texts } = this;
    const last = (words[at]! & 0xffff) === AF_INET ? 1 : 5;
    const mixed = Math.imul(words[at + last]! ^ (words[at + last]! >>> 15), 0x9e37_79b1);
    const i = (mixed >>> 20) & (TEXTS - 1);
    let known = texts[i] !== undefined && textWords[i * ADDRESS_WORDS] === last;
    for (let k = 1; known && k <= last; k++) known = textWords[i * ADDRESS_WORDS + k] === words[at + k];
    if (known) return texts[i]!;
    textWords[i * ADDRESS_WORDS] = last;
    for (let k = 1; k <= last; k++) textWords[i * ADDRESS_WORDS + k] = words[at + k]!;
    const bytes = new Uint8Array(words.buffer, 4 * at, length).slice();
    return (texts[i] = addressOf(bytes));
  }
}
