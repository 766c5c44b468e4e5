import type { Clock, Timer } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';

/** Width of a slot: a deadline is met up to this much late. */
const TICK: Milliseconds = 10;
/** One turn of the wheel is 5.12 s; what lies further ahead stays in its slot for another turn. */
const SLOTS = 512;

const IDLE = 0;
/** Taken out of its slot and about to be called. */
const CALLED = -1;

/**
 * Something that is to be told when its time has come. Linked into its slot itself, so that putting it in and taking
 * it out allocates nothing.
 */
export abstract class Deadline {
  /** Number of the tick at which it is due, from 1 on; less while it is in no wheel. */
  tick = IDLE;
  before: Deadline | undefined;
  after: Deadline | undefined;

  /** Called once at or up to a tick after the time it was set for, no longer in the wheel then. */
  abstract due(now: Milliseconds): void;
}

/** A timing wheel: any number of deadlines on one timer of the clock, each set and taken back in constant time. */
export class Deadlines {
  private readonly slots = new Array<Deadline | undefined>(SLOTS).fill(undefined);
  private count = 0;
  /** The last tick that was worked off. */
  private current: number;
  private timer: Timer | undefined;
  private timerTick = Infinity;

  constructor(private readonly clock: Clock) {
    this.current = Math.floor(clock.monotonic() / TICK);
  }

  /** Number of deadlines that wait. */
  get size(): number {
    return this.count;
  }

  /** Sets `entry` for the monotonic time `at`; one that is set already is moved. */
  set(entry: Deadline, at: Milliseconds): void {
    this.clear(entry);
    const tick = Math.max(Math.ceil(at / TICK), this.current + 1);
    const slot = tick % SLOTS;
    const first = this.slots[slot];
    entry.tick = tick;
    entry.after = first;
    if (first !== undefined) first.before = entry;
    this.slots[slot] = entry;
    this.count++;
    if (tick < this.timerTick) this.arm(tick);
  }

  /** Takes `entry` back; does nothing when it is not set. */
  clear(entry: Deadline): void {
    if (entry.tick > 0) this.unlink(entry);
    entry.tick = IDLE;
  }

  private unlink(entry: Deadline): void {
    const { before, after } = entry;
    if (before === undefined) this.slots[entry.tick % SLOTS] = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    entry.before = entry.after = undefined;
    this.count--;
  }

  private arm(tick: number): void {
    this.timer?.cancel();
    this.timerTick = tick;
    this.timer = this.clock.setTimeout(() => this.fire(), tick * TICK - this.clock.monotonic());
  }

  private fire(): void {
    this.timerTick = Infinity;
    const now = this.clock.monotonic();
    const last = Math.floor(now / TICK);
    const from = Math.max(this.current, last - SLOTS) + 1;
    this.current = Math.max(this.current, last);
    const called: Deadline[] = [];
    for (let tick = from; tick <= last; tick++) this.collect(tick % SLOTS, last, called);
    for (const entry of called) {
      if (entry.tick !== CALLED) continue; // Taken back by one that was called before it.
      entry.tick = IDLE;
      entry.due(now);
    }
    if (this.count > 0) this.armNext();
  }

  private collect(slot: number, last: number, called: Deadline[]): void {
    let entry = this.slots[slot];
    while (entry !== undefined) {
      const { after } = entry;
      if (entry.tick <= last) {
        this.unlink(entry);
        entry.tick = CALLED;
        called.push(entry);
      }
      entry = after;
    }
  }

  /** The next slot that is not empty may hold later turns only; waking up for it in vain is cheaper than looking. */
  private armNext(): void {
    let tick = this.current + 1;
    while (this.slots[tick % SLOTS] === undefined) tick++;
    if (tick < this.timerTick) this.arm(tick);
  }
}
