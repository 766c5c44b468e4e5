/**
 * Datagrams handed from a thread that takes queries to the thread that runs the chains, in shared memory: one writer,
 * one reader.
 * A record is a multiple of eight octets long and never wraps around the end.
 */
import { copyOctets } from '../lib/octets.js';
import type { Octets } from '../lib/units.js';
import type { Batch } from './batch.js';
import { CONTROL, SOCKADDR } from './libc.js';

const HEAD = 0;
const TAIL = 16;
/** Octets before the data: both counters, each in a cache line of its own. */
const COUNTERS: Octets = 128;
/**
 * Fields of a record before the datagram: its length, socket number, lengths of the sender's address and of the
 * ancillary data, both of these.
 */
const ADDRESS: Octets = 16;
const ANCILLARY: Octets = ADDRESS + SOCKADDR;
const FIELDS: Octets = ANCILLARY + CONTROL;
/** In place of a length: the rest up to the end is unused. */
const SKIP = -1;

function move(source: Uint8Array, at: number, length: Octets, target: Uint8Array, to: number): void {
  for (let i = 0; i < length; i++) target[to + i] = source[at + i]!;
}

const padded = (length: Octets): Octets => (FIELDS + length + 7) & ~7;

/** Datagrams as they were received. */
export type Datagrams = Pick<
  Batch,
  'bytes' | 'size' | 'addresses' | 'controls' | 'length' | 'addressLength' | 'controlLength'
>;

/** What came in at a socket. */
export interface Arrived {
  readonly socket: number;
  /** The sender as a `struct sockaddr`. */
  readonly sender: Uint8Array;
  /** Ancillary data: at which of the socket's addresses, where it has several. */
  readonly control: Uint8Array | undefined;
  readonly bytes: Buffer;
}

export class RingBuffer {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly capacity: Octets;
  /** How far the reader was when there was no room last. */
  private tailSeen = 0;

  /** @param memory made by `Ring.allocate` */
  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.capacity = memory.byteLength - COUNTERS;
  }

  /** Memory for `capacity` octets of records, a power of two. */
  static allocate(capacity: Octets): SharedArrayBuffer {
    return new SharedArrayBuffer(COUNTERS + capacity);
  }

  /** Writer: puts datagram `i` of a batch in without telling the reader yet. False when there is no room. */
  push(socket: number, batch: Datagrams, i: number): boolean {
    const length = batch.length(i);
    const { words, bytes } = this;
    const start = this.reserve(padded(length));
    if (start < 0) return false;
    words[start >> 2] = length;
    words[(start >> 2) + 1] = socket;
    words[(start >> 2) + 2] = batch.addressLength(i);
    words[(start >> 2) + 3] = batch.controlLength(i);
    move(batch.addresses, i * SOCKADDR, batch.addressLength(i), bytes, start + ADDRESS);
    move(batch.controls, i * CONTROL, batch.controlLength(i), bytes, start + ANCILLARY);
    move(batch.bytes, i * batch.size, length, bytes, start + FIELDS);
    return true;
  }

  /** Where a record of so many bytes is to be written; negative when there is no room. */
  private reserve(size: Octets): number {
    const { words, capacity } = this;
    const head = words[HEAD + 1]!;
    const tail = Atomics.load(words, TAIL);
    const used = (head - tail) >>> 0;
    const offset = (head >>> 0) % capacity;
    const unused = offset + size > capacity ? capacity - offset : 0;
    if (used + unused + size > capacity) {
      this.tailSeen = tail;
      return -1;
    }
    if (unused > 0) words[(COUNTERS + offset) >> 2] = SKIP;
    words[HEAD + 1] = head + unused + size;
    return COUNTERS + (unused > 0 ? 0 : offset);
  }

  /** Bytes that wait for the reader, as the writer knows it. */
  get written(): Octets {
    return (this.words[HEAD + 1]! - Atomics.load(this.words, TAIL)) >>> 0;
  }

  /** Reader: moves the next datagram to a ring of the same thread; false when there is none, or no room for it. */
  moveTo(target: RingBuffer): boolean {
    const { words, bytes, capacity } = this;
    let tail = words[TAIL]!;
    if (tail === Atomics.load(words, HEAD)) return false;
    let offset = (tail >>> 0) % capacity;
    if (words[(COUNTERS + offset) >> 2] === SKIP) {
      tail += capacity - offset;
      offset = 0;
    }
    const size = padded(words[(COUNTERS + offset) >> 2]!);
    const start = target.reserve(size);
    if (start < 0) return false;
    move(bytes, COUNTERS + offset, size, target.bytes, start);
    Atomics.store(words, TAIL, tail + size);
    return true;
  }

  /** Writer: shows the reader what was pushed, and wakes it. */
  publish(): void {
    const head = this.words[HEAD + 1]!;
    if (Atomics.load(this.words, HEAD) === head) return;
    Atomics.store(this.words, HEAD, head);
    Atomics.notify(this.words, HEAD, 1);
  }

  /** Writer: waits until the reader has taken something since there was no room, at most `timeout` milliseconds. */
  waitForRoom(timeout: number): void {
    Atomics.wait(this.words, TAIL, this.tailSeen, timeout);
  }

  /** Writer: waits until the reader has ended a turn, at most `timeout` milliseconds. */
  waitForTurn(timeout: number): void {
    Atomics.wait(this.words, TAIL, Atomics.load(this.words, TAIL), timeout);
  }

  /** Reader: the next datagram, copied, or undefined. */
  shift(): Arrived | undefined {
    const { words, bytes, capacity } = this;
    let tail = words[TAIL]!;
    if (tail === Atomics.load(words, HEAD)) return undefined;
    let offset = (tail >>> 0) % capacity;
    if (words[(COUNTERS + offset) >> 2] === SKIP) {
      tail += capacity - offset;
      offset = 0;
    }
    const start = COUNTERS + offset;
    const length = words[start >> 2]!;
    const controlLength = words[(start >> 2) + 3]!;
    const copy = copyOctets(bytes, start + FIELDS, start + FIELDS + length);
    const sender = copyOctets(bytes, start + ADDRESS, start + ADDRESS + words[(start >> 2) + 2]!);
    const control =
      controlLength === 0 ? undefined : copyOctets(bytes, start + ANCILLARY, start + ANCILLARY + controlLength);
    const socket = words[(start >> 2) + 1]!;
    Atomics.store(words, TAIL, tail + padded(length));
    return { socket, sender, control, bytes: copy };
  }

  /** Reader: lets a writer that waits for room go on. */
  release(): void {
    Atomics.notify(this.words, TAIL, 1);
  }

  /** Reader: bytes that wait. */
  get waiting(): Octets {
    return (Atomics.load(this.words, HEAD) - this.words[TAIL]!) >>> 0;
  }

  /** Reader: a mark behind all that was shown so far. */
  get mark(): number {
    return Atomics.load(this.words, HEAD);
  }

  /** Reader: whether all before the mark has been taken. */
  hasPassed(mark: number): boolean {
    return ((this.words[TAIL]! - mark) | 0) >= 0;
  }

  /** Ends the reader's waiting though there is nothing to shift. */
  wake(): void {
    Atomics.notify(this.words, HEAD);
  }

  /** Reader: resolves when there is something to shift, at once if there is already, or at a call of `wake`. */
  async readable(): Promise<void> {
    const wait = Atomics.waitAsync(this.words, HEAD, this.words[TAIL]!);
    if (wait.async) await wait.value;
  }
}
