import type { Losses } from '../net/losses.js';
import { Flag, HEADER_SIZE, MIN_MESSAGE_SIZE, OPT_SIZE, RCODE_MASK, Rcode } from '../wire/index.js';
import { Batch } from './batch.js';
import type { ServedSocket } from './shared-socket-list.js';
import type { ClientCounts } from './client-counts.js';
import type { ClientShares } from './client-shares.js';
import type { HitNotes } from './hit-notes.js';
import { MSG_WAITFORONE, SOCKADDR, type Libc } from './libc.js';
import { QueryKey } from './query-key.js';
import { RingBuffer } from './ring-buffer.js';
import { sharedNow } from './shared-clock.js';
import type { AnswerTable } from './table.js';

/** Datagrams of one call. */
const BATCH = 64;
/**
 * Longest query that is taken, in octets: beyond what any client sends over UDP it is cut, and refused as malformed.
 */
const QUERY_SIZE = 4096;
/** Room for an answer: what every client takes, as entries of the table are too small for a longer one. */
const ANSWER_SIZE = MIN_MESSAGE_SIZE;
/** How long a full ring is waited for at a time, in milliseconds. */
const PATIENCE = 50;
/** How long something is waited for while queries are held back, in milliseconds: others may come. */
const SHORT = 1;
/** Bytes of queries that may be held back. */
const HELD = 2 << 20;

/** Takes datagrams from sockets, answers what the table holds and hands the rest over. One instance a thread. */
export class QueryReceiver {
  private readonly received: Batch;
  private readonly answers: Batch;
  private readonly key: QueryKey;
  /** Of those who asked. */
  private readonly addresses: Int32Array;
  /** Answers that are ready to be sent. */
  private ready = 0;
  /** Queries of those who ask more than their share; made when there is one. */
  private held: RingBuffer | undefined;
  private readonly lost = (errno: number, count: number): void => this.losses.count(errno, count);

  constructor(
    private readonly libc: Libc,
    private readonly table: AnswerTable,
    private readonly ring: RingBuffer,
    private readonly losses: Losses,
    private readonly shares: ClientShares,
    private readonly now: () => number = sharedNow,
    /** Told who was answered, where somebody wants to know. */
    private readonly clients?: ClientCounts,
    /** Where answers are noted that are to be; without it they are not given. */
    private readonly notes?: HitNotes,
  ) {
    this.key = new QueryKey(table.seed);
    this.received = new Batch(libc, BATCH, QUERY_SIZE);
    this.answers = new Batch(libc, BATCH, ANSWER_SIZE);
    const { buffer, byteOffset, length } = this.received.addresses;
    this.addresses = new Int32Array(buffer, byteOffset, length >> 2);
  }

  /**
   * Waits for datagrams at a socket, at most its receive timeout, and deals with those that are there, up to a batch.
   * False when there was none.
   */
  take(socket: ServedSocket, flags: number = MSG_WAITFORONE): boolean {
    const count = this.libc.recvmmsg(socket.fd, this.received.pointer, BATCH, flags, null);
    if (count <= 0) return false;
    const now = this.now();
    for (let i = 0; i < count; i++) {
      const length = this.answer(i, this.ready, socket, now);
      if (length > 0) {
        this.answers.setLength(this.ready, length);
        this.answers.answerTo(this.ready++, this.received, i);
      } else this.handOver(i, socket);
      this.received.reset(i);
    }
    this.notes?.publish(this.now() - now);
    if (this.held !== undefined) this.letOn(this.held);
    this.ring.publish();
    this.send(socket);
    return true;
  }

  /** Whether queries wait here: the caller must not wait for others for long. */
  get holdsBack(): boolean {
    return this.held !== undefined && this.held.written > 0;
  }

  /** Hands over of what waits here what there is room for, and waits for that a moment where there is none. */
  goOn(): void {
    if (this.held === undefined) return;
    if (!this.letOn(this.held)) this.ring.waitForTurn(SHORT);
    this.ring.publish();
  }

  /** Hands over all that waits here. */
  release(): void {
    for (const { held, ring } = this; held !== undefined && held.written > 0;) {
      if (held.moveTo(ring)) continue;
      ring.publish();
      ring.waitForRoom(PATIENCE);
    }
    this.ring.publish();
  }

  /** False when nothing may be handed over now. */
  private letOn(held: RingBuffer): boolean {
    const { ring, shares } = this;
    held.publish();
    let some = false;
    while (ring.written <= shares.calm && held.moveTo(ring)) some = true;
    return some;
  }

  /** Writes the answer to datagram `i` as answer `to`; its length, or 0 when the table has none. */
  private answer(i: number, to: number, socket: ServedSocket, now: number): number {
    const { server } = socket;
    const { key, table } = this;
    const query = this.received.bytes;
    const at = i * QUERY_SIZE;
    if (!key.read(query, at, this.received.length(i), this.received.fromIpv6(i), server)) return 0;
    const bits = table.networkBits(server, this.received.fromIpv6(i));
    if (bits > 0) key.addNetwork(this.received.addresses, this.received.ipOffset(i), bits);
    const slot = table.find(key, now);
    if (slot < 0) return 0;
    const sequence = table.sequence(slot);
    // The key is compared once more between the two looks at the counter: the place may have changed hands since it
    // was found.
    if ((sequence & 1) !== 0 || table.find(key, now) !== slot) return 0;
    const target = this.answers.bytes;
    const start = to * ANSWER_SIZE;
    const flags = table.flags(slot);
    let length = table.copy(slot, target, start, query, at + HEADER_SIZE, at + key.questionEnd, now, key.hasCapitals);
    const noted = table.isNoted(slot);
    if (!table.unchanged(slot, sequence) || (noted && !this.note(i, slot, sequence, socket, now))) return 0;
    target[start] = query[at]!;
    target[start + 1] = query[at + 1]!;
    target[start + 2] = (flags >> 8) | (query[at + 2]! & (Flag.RD >> 8));
    target[start + 3] = (flags & 0xff) | (query[at + 3]! & Flag.CD);
    if (key.opt > 0) length = this.writeOpt(target, start, length, query, at + key.opt);
    table.count(slot, key.opt > 0);
    this.clients?.add(
      this.addresses,
      this.received.ipOffset(i) >> 2,
      this.received.fromIpv6(i),
      (flags & RCODE_MASK) === Rcode.NXDOMAIN,
    );
    return length;
  }

  /** Notes who is given an answer; false where that cannot be, and so it must not be given. */
  private note(i: number, slot: number, sequence: number, socket: ServedSocket, now: number): boolean {
    const { notes, received, addresses, key } = this;
    if (notes === undefined) return false;
    const at = i * QUERY_SIZE;
    const from = (i * SOCKADDR) >> 2;
    const push = (): boolean =>
      notes.push(
        ...([slot, sequence, received.bytes, at, received.length(i), key.opt] as const),
        ...([addresses, from, received.addressLength(i)] as const),
      );
    if (push()) return true;
    // Whoever reads the notes is behind.
    notes.publish(this.now() - now);
    this.send(socket);
    notes.waitForRoom(PATIENCE);
    return push();
  }

  /** An OPT record that mirrors the client's payload size and DO. */
  private writeOpt(target: Uint8Array, start: number, length: number, query: Uint8Array, opt: number): number {
    const at = start + length;
    for (let k = 0; k < 5; k++) target[at + k] = query[opt + k]!;
    target[at + 5] = 0;
    target[at + 6] = 0;
    target[at + 7] = query[opt + 7]! & 0x80;
    target[at + 8] = 0;
    target[at + 9] = 0;
    target[at + 10] = 0;
    if (target[start + 11] === 0xff) target[start + 10]!++;
    target[start + 11]!++;
    return length + OPT_SIZE;
  }

  private handOver(i: number, socket: ServedSocket): void {
    const { received, ring, shares, addresses } = this;
    const at = received.ipOffset(i) >> 2;
    const first = addresses[at]!;
    const second = received.fromIpv6(i) ? addresses[at + 1]! : 0;
    shares.take(first, second);
    if (ring.written > shares.calm && shares.isHeavy(first, second)) return this.holdBack(i, socket);
    while (!ring.push(socket.id, received, i)) {
      // The chain is behind. What arrives meanwhile waits in the kernel's buffer, which is the place where it is lost
      // last.
      ring.publish();
      this.send(socket);
      ring.waitForRoom(PATIENCE);
      if (shares.isHeavy(first, second)) return this.holdBack(i, socket);
    }
  }

  /** Others' queries go first: this one waits, or is lost where too many of its kind wait. */
  private holdBack(i: number, { id }: ServedSocket): void {
    this.held ??= new RingBuffer(RingBuffer.allocate(HELD));
    if (this.held.push(id, this.received, i)) this.shares.delay();
    else this.shares.drop();
  }

  private send({ fd }: ServedSocket): void {
    this.answers.send(fd, this.ready, this.lost);
    this.ready = 0;
  }
}
