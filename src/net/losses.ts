/** Why datagrams were lost on their way out of this process. */
export const LOSS_REASONS = ['buffer_full', 'unreachable', 'refused', 'other'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** Numbers of errors as Linux has them (errno(3)), by what they mean for a datagram. */
const REASON_OF: ReadonlyMap<number, LossReason> = new Map([
  [11, 'buffer_full'], // EAGAIN
  [105, 'buffer_full'], // ENOBUFS
  [12, 'buffer_full'], // ENOMEM
  [100, 'unreachable'], // ENETDOWN
  [101, 'unreachable'], // ENETUNREACH
  [112, 'unreachable'], // EHOSTDOWN
  [113, 'unreachable'], // EHOSTUNREACH
  [1, 'refused'], // EPERM: a packet filter
  [13, 'refused'], // EACCES
]);

/** Counts of datagrams that could not be sent, shared by all threads of the process. */
export class Losses {
  private readonly words: Int32Array;

  /** @param memory made by `Losses.allocate` */
  constructor(readonly memory: SharedArrayBuffer = Losses.allocate()) {
    this.words = new Int32Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * LOSS_REASONS.length);
  }

  /**
   * Counts datagrams by what the system said.
   *
   * @param errno as the system numbers it, positive
   */
  count(errno: number, datagrams = 1): void {
    this.add(REASON_OF.get(errno) ?? 'other', datagrams);
  }

  /** Counts datagrams by their reason. */
  add(reason: LossReason, datagrams: number): void {
    Atomics.add(this.words, LOSS_REASONS.indexOf(reason), datagrams);
  }

  /** Since the start of the process. */
  of(reason: LossReason): number {
    return Atomics.load(this.words, LOSS_REASONS.indexOf(reason)) >>> 0;
  }
}
