import type { Milliseconds, Octets } from '../../lib/units.js';
import type { TcpFlag } from '../packet.js';
import type { Timers } from '../timers.js';

export interface Segment {
  readonly flags: readonly TcpFlag[];
  readonly payload: Uint8Array;
  /** Sequence numbers it takes: bytes, and one each for SYN and FIN. */
  readonly length: Octets;
  readonly seq: number;
}

/** First wait for an answer to a SYN (RFC 6298 section 2) and to data (Linux's lower bound). Doubled at each try. */
const SYN_TIMEOUT: Milliseconds = 1000;
const DATA_TIMEOUT: Milliseconds = 200;
const MAX_TIMEOUT: Milliseconds = 120_000;
/** tcp_syn_retries, tcp_synack_retries and tcp_retries2 of Linux. */
const SYN_RETRIES = 6;
const SYN_ACK_RETRIES = 5;
const DATA_RETRIES = 15;
const SEQUENCE_SPACE = 2 ** 32;

/** Segments on their way: sent again until they are acknowledged, or until the peer is given up. */
export class SendQueue {
  private unacked: Segment[] = [];
  private nextSeq: number;
  private cancel: (() => void) | undefined;
  private tries = 0;
  private inFlight = false;

  constructor(
    private readonly timers: Timers,
    private readonly now: () => Milliseconds,
    initial: number,
    private readonly transmit: (segment: Segment) => void,
    private readonly giveUp: () => void,
  ) {
    this.nextSeq = initial;
  }

  /** Sequence number of the next byte. */
  get next(): number {
    return this.nextSeq;
  }

  send(segment: Omit<Segment, 'seq'>): void {
    const numbered = { ...segment, seq: this.nextSeq };
    this.nextSeq = (this.nextSeq + segment.length) % SEQUENCE_SPACE;
    this.unacked.push(numbered);
    if (!this.inFlight) this.arm();
    this.transmit(numbered);
  }

  /** Drops what the acknowledgement number covers; true when nothing is left in flight. */
  acknowledge(ack: number): boolean {
    const before = this.unacked.length;
    this.unacked = this.unacked.filter((segment) => !covers(ack, segment));
    if (this.unacked.length < before) {
      this.tries = 0;
      this.disarm();
      if (this.unacked.length > 0) this.arm();
    }
    return this.unacked.length === 0;
  }

  clear(): void {
    this.unacked = [];
    this.disarm();
  }

  private arm(): void {
    const first = this.unacked[0]!;
    const base = first.flags.includes('SYN') ? SYN_TIMEOUT : DATA_TIMEOUT;
    this.inFlight = true;
    this.cancel = this.timers.set(this.now() + Math.min(base * 2 ** this.tries, MAX_TIMEOUT), () => this.expire());
  }

  private disarm(): void {
    this.inFlight = false;
    this.cancel?.();
    this.cancel = undefined;
  }

  private expire(): void {
    this.inFlight = false;
    const first = this.unacked[0];
    if (!first) return;
    if (++this.tries > retriesFor(first)) return this.giveUp();
    this.arm();
    this.transmit(first);
  }
}

const retriesFor = (segment: Segment): number =>
  !segment.flags.includes('SYN') ? DATA_RETRIES : segment.flags.includes('ACK') ? SYN_ACK_RETRIES : SYN_RETRIES;

/** Whether an acknowledgement number reaches the end of a segment, in the circle of 32-bit numbers. */
function covers(ack: number, segment: Segment): boolean {
  const distance = (ack - (segment.seq + segment.length)) >>> 0;
  return distance < SEQUENCE_SPACE / 2;
}
