/**
 * The list of sockets that one thread serves, in shared memory: the thread cannot be told by message, as it waits in
 * the kernel and not in its event loop.
 */

/** Most listening addresses of one process. */
export const MAX_SOCKETS = 64;

const VERSION = 0;
const SEEN = 1;
const STOP = 2;
const COUNT = 3;
const LIST = 4;

/** A socket as its thread sees it. */
export interface ServedSocket {
  readonly fd: number;
  /** Number of the listening address, as in the table and in the `server` label. */
  readonly server: number;
  /** Number under which its datagrams are handed over. */
  readonly id: number;
}

export class SharedSocketList {
  private readonly words: Int32Array;
  private ended = false;

  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (LIST + 3 * MAX_SOCKETS));
  }

  /**
   * Chain's side: puts a new list in place; resolves when the thread uses it, or one that was put in place later, and
   * no other any more; or when it has ended.
   */
  async serve(sockets: readonly ServedSocket[]): Promise<void> {
    const { words } = this;
    // Odd while the list is written, so that the thread never reads half of one and half of another.
    Atomics.add(words, VERSION, 1);
    sockets
      .flatMap(({ fd, server, id }) => [fd, server, id])
      .forEach((value, i) => Atomics.store(words, LIST + i, value));
    Atomics.store(words, COUNT, sockets.length);
    const version = Atomics.add(words, VERSION, 1) + 1;
    Atomics.notify(words, VERSION);
    for (
      let seen = Atomics.load(words, SEEN);
      ((seen - version) | 0) < 0 && !this.ended;
      seen = Atomics.load(words, SEEN)
    ) {
      const wait = Atomics.waitAsync(words, SEEN, seen, 1000);
      if (wait.async) await wait.value;
    }
  }

  /** Chain's side: lets the thread end. */
  stop(): void {
    Atomics.store(this.words, STOP, 1);
    Atomics.add(this.words, VERSION, 2);
    Atomics.notify(this.words, VERSION);
  }

  /** Chain's side: the thread has ended, in whatever way; nobody has to wait for it any more. */
  end(): void {
    this.ended = true;
    Atomics.notify(this.words, SEEN);
  }

  get stopped(): boolean {
    return Atomics.load(this.words, STOP) === 1;
  }

  get version(): number {
    return Atomics.load(this.words, VERSION);
  }

  /** Thread's side: the list as it is now and its version; the old one is not used any more from here on. */
  sockets(): { sockets: ServedSocket[]; version: number } {
    const { words } = this;
    for (;;) {
      const { version } = this;
      const value = (i: number): number => Atomics.load(words, LIST + i);
      const sockets = Array.from({ length: Atomics.load(words, COUNT) }, (_, i) => ({
        fd: value(3 * i),
        server: value(3 * i + 1),
        id: value(3 * i + 2),
      }));
      if ((version & 1) !== 0 || this.version !== version) continue;
      Atomics.store(words, SEEN, version);
      Atomics.notify(words, SEEN);
      return { sockets, version };
    }
  }

  /** Thread's side: waits for another list than that of `version`. */
  waitForChange(version: number): void {
    Atomics.wait(this.words, VERSION, version);
  }
}
