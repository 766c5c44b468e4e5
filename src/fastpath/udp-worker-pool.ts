import { randomInt } from 'node:crypto';
import type { Logger } from '../lib/log.js';
import type { InheritedSockets } from '../net/inherited-sockets.js';
import { Losses } from '../net/losses.js';
import type { Endpoint, Network, OnDatagram, UdpSocket } from '../net/network.js';
import { BatchedNetwork } from './batched-network.js';
import { ClientCounts } from './client-counts.js';
import { ClientShares } from './client-shares.js';
import type { NotedAnswer } from './hit-notes.js';
import { MAX_SOCKETS, type ServedSocket } from './shared-socket-list.js';
import { loadLibc, type Libc } from './libc.js';
import { isReadable, openListening, portOf, turnAway } from './listening-socket.js';
import type { Arrived } from './ring-buffer.js';
import { Sender } from './sender.js';
import { ClientAddress } from './sockaddr.js';
import { PROGRAM, type StartingThreads } from './starting-thread.js';
import { ThreadMemory, type TableMemory } from './table-memory.js';
import { AnswerTableWriter } from './table-writer.js';
import { MAX_WORKERS } from './worker-data.js';
import type { AnswersBelow, WorkerPoolOptions } from './worker-pool-options.js';
import { WorkerThread, type WorkerHost } from './worker-thread.js';

/** What sending and the client's own way take is charged to it by its answers' length. */
const BYTES_A_MICROSECOND = 256;

interface OpenSocket {
  readonly id: number;
  readonly server: number;
  /** One descriptor a thread; the same where they share it. */
  readonly fds: readonly number[];
  readonly onDatagram: OnDatagram;
  /** Whether threads are to take from it. */
  taking: boolean;
  /** Lets no more answers be given before the socket. */
  readonly uncover: (() => void) | undefined;
  /** Resolves when none does any more; undefined while that is not asked for. */
  paused?: Promise<void>;
}

/**
 * Threads that take the datagrams of all listening addresses with batched calls, answer what the shared table holds
 * and hand the rest to this thread.
 * Each thread has a socket of its own at each address (SO_REUSEPORT), so the kernel spreads clients over them.
 */
export class UdpWorkerPool {
  private readonly threads: WorkerThread[] = [];
  private readonly sockets = new Map<number, OpenSocket>();
  /** Answers that the system did not take from any of the threads. */
  readonly losses = new Losses();
  /** What clients take of the threads' and the chain's time. */
  readonly shares = new ClientShares(ClientShares.allocate(), randomInt(2 ** 32) | 0);
  private readonly sender: Sender;
  readonly table: AnswerTableWriter;
  /** Never used again: a datagram that is still on its way must not end up with another socket. */
  private nextId = 0;
  /** Told of each answer that was given and that somebody wants to know of. */
  onNoted: (note: NotedAnswer) => void = () => undefined;
  private closing = false;
  private ended = false;
  /** Resolves when all threads take datagrams; rejects, with the pool stopped, when one cannot be started. */
  running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly libc: Libc,
    private readonly program: URL,
    private readonly place: TableMemory,
    readonly below: AnswersBelow | undefined,
    private readonly log: Logger,
    private readonly inherited: InheritedSockets | undefined,
    private readonly started: (() => void) | undefined,
    private readonly begun: StartingThreads | undefined,
  ) {
    this.table = new AnswerTableWriter(place);
    this.sender = new Sender(libc, (_fd, errno, lost) => this.losses.count(errno, lost));
  }

  /**
   * Starts `workers` threads over a table that takes `memory` bytes at most. Sockets that another process passed on
   * are used where they fit.
   * Rejects where batched I/O is not to be had, with the reason. `program` is for tests, whose own kind of file
   * threads cannot load.
   */
  static async start(options: WorkerPoolOptions): Promise<UdpWorkerPool> {
    const workerPool = UdpWorkerPool.begin(options);
    await workerPool.running;
    return workerPool;
  }

  /** As `start`, without waiting: `running` rejects when the threads cannot be started. Throws what fails at once. */
  static begin({
    workers,
    memory,
    log,
    inherited,
    started,
    below,
    countClients = false,
    begun,
    program = PROGRAM,
  }: WorkerPoolOptions): UdpWorkerPool {
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
      throw new RangeError(`workers: expected 1 to ${MAX_WORKERS}, got ${workers}`);
    const libc = loadLibc();
    const workerPool = new UdpWorkerPool(
      libc,
      program,
      below?.memory ?? new ThreadMemory(memory, [randomInt(2 ** 32), randomInt(2 ** 32)], libc),
      below,
      log,
      inherited,
      started,
      begun,
    );
    const clients = (): ClientCounts | undefined =>
      countClients ? new ClientCounts(ClientCounts.allocate(workers)) : undefined;
    workerPool.running = workerPool.startThreads(Array.from({ length: workers }, clients));
    // Who stops the pool before it runs waits for it no longer.
    workerPool.running.catch(() => undefined);
    return workerPool;
  }

  /** What the threads have counted clients in; empty where they do not. */
  get clients(): readonly ClientCounts[] {
    return this.threads.flatMap(({ clients }) => clients ?? []);
  }

  get workers(): number {
    return this.threads.length;
  }

  /** Whether its threads take nothing any more, or could not be started. */
  get stopped(): boolean {
    return this.closing;
  }

  /**
   * Binds an address; datagrams that the table does not answer come to `onDatagram`, from the next turn of the event
   * loop on. `serving` resolves when the
   * threads take them. Throws a NodeJS.ErrnoException.
   */
  bindUdp(at: Endpoint, server: number, onDatagram: OnDatagram): UdpSocket & { serving: Promise<void> } {
    if (this.sockets.size >= MAX_SOCKETS)
      throw Object.assign(
        new Error(
          `at most ${MAX_SOCKETS} listening addresses are possible with batched I/O; -io dgram has no such limit`,
        ),
        { code: 'EMFILE' },
      );
    const fds: number[] = [];
    let local = at;
    try {
      for (let i = 0; i < this.threads.length; i++) {
        const fd = this.openOne(local, fds[0]);
        fds.push(fd);
        if (local.port === 0) local = { address: at.address, port: portOf(this.libc, fd) };
      }
    } catch (error) {
      this.closeAll(fds);
      throw error;
    }
    const id = this.nextId++;
    this.sockets.set(id, { id, server, fds, onDatagram, taking: true, uncover: this.below?.serve(local, server) });
    return {
      local,
      serving: this.serve(),
      send: (bytes, length, to) => {
        if (!(to instanceof ClientAddress) || !this.sockets.has(id)) return;
        this.sender.send(fds[to.thread]!, bytes, length, to);
        this.shares.charge(to.sockaddr, length / BYTES_A_MICROSECOND);
      },
      // A socket that was passed on may be another process's too, and would be turned away from that as well.
      turnAway: () => this.inherited === undefined && this.turnAway(id, local),
      waits: () => (this.sockets.get(id)?.fds ?? []).some((fd) => isReadable(this.libc, fd)),
      pause: () => this.pause(id),
      close: () => void this.closeSocket(id),
    };
  }

  /** The network by which servers of this pool ask others: `inner`, with batched calls at connected UDP sockets. */
  networkOver(inner: Network): Network {
    return new BatchedNetwork(inner, this.libc, this.losses);
  }

  /** Ends all threads. Sockets still open are closed. */
  async stop(): Promise<void> {
    this.closing = true;
    this.below?.close();
    for (const thread of this.threads) thread.stop();
    // Until then what they hand over is taken: a thread that waits for room would wait for ever.
    await Promise.all(this.threads.map((thread) => thread.exited()));
    this.ended = true;
    for (const thread of this.threads) {
      thread.takeNotes();
      thread.wake();
    }
    this.sender.flush();
    for (const { fds } of this.sockets.values()) this.closeAll(fds);
    this.sockets.clear();
  }

  /** Ends one thread, which is then replaced as if it had died of a fault. For tests. */
  kill(index: number): void {
    this.threads[index]!.stop();
  }

  private turnAway(id: number, local: Endpoint): boolean {
    const fds = new Set(this.sockets.get(id)?.fds);
    return [...fds].map((fd) => turnAway(this.libc, fd, local)).some((turned) => turned);
  }

  /**
   * What threads had taken already is delivered first: nobody else has it, and a successor with the same sockets gets
   * only what is still in the kernel.
   */
  private pause(id: number): Promise<void> {
    const socket = this.sockets.get(id);
    return socket ? (socket.paused ??= this.stopTaking(socket)) : Promise.resolve();
  }

  private async stopTaking(socket: OpenSocket): Promise<void> {
    socket.taking = false;
    socket.uncover?.();
    await this.serve();
    const marks = this.threads.map(({ mark }) => mark);
    while (!this.ended && this.threads.some((thread, i) => !thread.hasDelivered(marks[i]!)))
      await new Promise((resolve) => setImmediate(resolve));
  }

  private async closeSocket(id: number): Promise<void> {
    await this.pause(id);
    const socket = this.sockets.get(id);
    // Threads that are about to end no longer say what they use: their sockets are closed when they have.
    if (!socket || this.closing) return;
    this.sockets.delete(id);
    this.sender.flush();
    this.closeAll(socket.fds);
  }

  /** Another user's socket that was passed on lets no other beside it: all threads take from that one. */
  private openOne(at: Endpoint, first: number | undefined): number {
    try {
      return openListening(this.libc, at, this.inherited);
    } catch (error) {
      const shared = this.inherited !== undefined && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!shared || first === undefined) throw error;
      return first;
    }
  }

  private closeAll(fds: readonly number[]): void {
    for (const fd of new Set(fds)) this.libc.close(fd);
  }

  private async serve(): Promise<void> {
    if (!this.closing) await Promise.all(this.threads.map((thread) => thread.serve()));
  }

  private socketsOf(index: number): ServedSocket[] {
    return [...this.sockets.values()]
      .filter(({ taking }) => taking)
      .map(({ id, server, fds }) => ({ fd: fds[index]!, server, id }));
  }

  /** @param clients what each counts clients in */
  private async startThreads(clients: readonly (ClientCounts | undefined)[]): Promise<void> {
    const host: WorkerHost = {
      program: this.program,
      memory: { table: this.place.shared, losses: this.losses.memory },
      shares: this.shares,
      log: this.log,
      started: this.started,
      begun: () => this.begun?.take(),
      phase: () => (this.ended ? 'ended' : this.closing ? 'closing' : 'open'),
      socketsOf: (index) => this.socketsOf(index),
      deliver: (arrived, index) => this.deliver(arrived, index),
      noted: (note) => this.onNoted(note),
      delivered: () => this.sender.flush(),
    };
    try {
      for (const [index, counts] of clients.entries()) this.threads.push(new WorkerThread(host, index, counts));
      this.begun?.endRest();
      await Promise.all(this.threads.map((thread) => thread.start()));
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const thread of this.threads) thread.unref();
  }

  private deliver({ socket, bytes, sender, control }: Arrived, thread: number): void {
    try {
      this.sockets.get(socket)?.onDatagram(bytes, new ClientAddress(sender, thread, control));
    } catch (error) {
      // One datagram must not end the loop that all others come through.
      this.log.error(`taking a datagram: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
}
