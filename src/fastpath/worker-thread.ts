import type { Worker } from 'node:worker_threads';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import type { ClientCounts } from './client-counts.js';
import type { ClientShares } from './client-shares.js';
import { HitNotes, type NotedAnswer } from './hit-notes.js';
import { RingBuffer, type Arrived } from './ring-buffer.js';
import { SharedSocketList, type ServedSocket } from './shared-socket-list.js';
import { beginThread } from './starting-thread.js';
import type { WorkerData } from './worker-data.js';

/** Octets of queries that may wait for the chain, per thread. */
const RING = 1 << 20;
/** Notes of who was answered that may wait for the chain's thread, per thread. */
const NOTES = 1 << 14;
/** How long notes are gathered before they are looked at, in milliseconds. */
const GATHER = 10;
/** A thread that dies is replaced after this time, in milliseconds: at once might mean over and over. */
const RESTART = 100;
/** Queries that are dealt with before other events get their turn. */
const TURN = 256;

/** What a pool is for its threads. */
export interface WorkerHost {
  readonly program: URL;
  /** Memory that all threads share. */
  readonly memory: Pick<WorkerData, 'table' | 'losses'>;
  /** What clients take of the server. */
  readonly shares: ClientShares;
  readonly log: Logger;
  /** Runs when a thread has started, also one that replaces another. */
  readonly started: (() => void) | undefined;
  /** A thread that was begun before, if there is one left. */
  begun(): Worker | undefined;
  /** Threads are about to end from `closing` on, and have done so when it is `ended`. */
  phase(): 'open' | 'closing' | 'ended';
  /** What a thread is to serve. */
  socketsOf(index: number): readonly ServedSocket[];
  /** Takes a datagram that a thread hands over. */
  deliver(arrived: Arrived, index: number): void;
  /** Takes a note of an answer that a thread has given, during the call. */
  noted(note: NotedAnswer): void;
  /** Some were delivered. */
  delivered(): void;
}

/** One thread that takes datagrams, and those that come in its place when it dies; hands on what they hand over. */
export class WorkerThread {
  private readonly ring = new RingBuffer(RingBuffer.allocate(RING));
  private readonly notes = new HitNotes(HitNotes.allocate(NOTES));
  private worker: Worker;
  private control: SharedSocketList;

  constructor(
    private readonly host: WorkerHost,
    private readonly index: number,
    readonly clients: ClientCounts | undefined,
  ) {
    [this.worker, this.control] = this.spawn();
  }

  /** Resolves when it runs, and then keeps no process alive; rejects when it cannot be started at all. */
  async start(): Promise<void> {
    const { worker, control } = this;
    worker.ref();
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread ended at its start')));
      void control.serve([]).then(resolve);
    });
    this.supervise();
    void this.drain();
    void this.gather();
  }

  /** The start of all threads is over: it keeps no process alive any more. */
  unref(): void {
    this.worker.unref();
  }

  /** Resolves when it serves the sockets that the host has for it now. */
  serve(): Promise<void> {
    return this.control.serve(this.host.socketsOf(this.index));
  }

  /** How much it has handed over so far, for `hasDelivered`. */
  get mark(): number {
    return this.ring.mark;
  }

  hasDelivered(mark: number): boolean {
    return this.ring.hasPassed(mark);
  }

  /** Lets it end; `exited` says when it has. */
  stop(): void {
    this.control.stop();
  }

  exited(): Promise<unknown> {
    const { worker } = this;
    worker.ref();
    return worker.threadId < 0 ? Promise.resolve() : new Promise((resolve) => worker.once('exit', resolve));
  }

  /** Has whoever waits for what it hands over look whether there is to be more. */
  wake(): void {
    this.ring.wake();
    this.notes.wake();
  }

  private spawn(): [Worker, SharedSocketList] {
    const { program, memory, shares, started } = this.host;
    const control = new SharedSocketList(SharedSocketList.allocate());
    const worker = this.host.begun() ?? beginThread(program, started);
    worker.postMessage({
      ...memory,
      ring: this.ring.memory,
      control: control.memory,
      shares: { memory: shares.memory, seed: shares.seed },
      notes: this.notes.memory,
      clients: this.clients?.memory,
    } satisfies WorkerData);
    worker.once('exit', () => control.end());
    return [worker, control];
  }

  /** Puts another thread in the place of one that dies. */
  private supervise(): void {
    let reason = 'it ended';
    this.worker.on('error', (error) => (reason = error.message));
    this.worker.on('exit', () => {
      if (this.host.phase() !== 'open') return;
      this.host.log.error(`worker ${this.index} died, starting another: ${reason}`);
      setTimeout(() => this.replace(), RESTART).unref();
    });
  }

  private replace(): void {
    if (this.host.phase() !== 'open') return;
    [this.worker, this.control] = this.spawn();
    this.supervise();
    void this.serve();
  }

  /** Deals with what it hands over, until the end. */
  private async drain(): Promise<void> {
    const { ring, host } = this;
    while (host.phase() !== 'ended') {
      await ring.readable();
      const began = performance.now();
      host.shares.settle(began, ring.waiting);
      this.turn(began);
      ring.release();
      host.delivered();
      // Promises alone would keep other sockets and timers waiting for as long as queries come.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Deals with what is there, up to a bound; what queries of one client in a row take is measured together. */
  private turn(start: Milliseconds): void {
    const { ring, host } = this;
    let began = start;
    let client: Uint8Array | undefined;
    let count = 0;
    const charge = (): void => {
      if (client === undefined) return;
      const ended = performance.now();
      host.shares.ran(client, (ended - began) * 1000, count);
      began = ended;
      count = 0;
    };
    for (let i = 0; i < TURN; i++) {
      const arrived = ring.shift();
      if (arrived === undefined) break;
      const { sender } = arrived;
      if (client === undefined || !isOfOneHost(client, sender)) {
        charge();
        client = sender;
      }
      count++;
      // What its client was told before is known before it is dealt with.
      this.takeNotes();
      host.deliver(arrived, this.index);
    }
    charge();
  }

  /** Takes what it has noted so far. */
  takeNotes(): void {
    this.notes.take(this.taken);
  }

  private readonly taken = (note: NotedAnswer): void => this.host.noted(note);

  /** Takes what it notes, many notes at a time, until the end. */
  private async gather(): Promise<void> {
    while (this.host.phase() !== 'ended') {
      await this.notes.readable();
      if (this.host.phase() === 'open') await new Promise((resolve) => setTimeout(resolve, GATHER).unref());
      this.takeNotes();
    }
  }
}

/** Whether two socket addresses are one but for the port. */
function isOfOneHost(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length || one[0] !== other[0]) return false;
  for (let i = 4; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
