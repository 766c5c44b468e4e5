import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadline, Deadlines } from '../../src/exchange/index.js';
import { ManualClock } from '../../src/lib/clock.js';

class Note extends Deadline {
  readonly calls: number[] = [];
  constructor(private readonly then?: (now: number) => void) {
    super();
  }
  override due(now: number): void {
    this.calls.push(now);
    this.then?.(now);
  }
}

const START = 1_000_000;
const wheel = (): { clock: ManualClock; deadlines: Deadlines } => {
  const clock = new ManualClock(START);
  return { clock, deadlines: new Deadlines(clock) };
};

describe('Deadlines', () => {
  it.each([
    { name: 'a time between ticks', after: 123, want: 130 },
    { name: 'a tick', after: 120, want: 120 },
    { name: 'a time that has passed', after: -5, want: 10 },
    { name: 'one turn ahead', after: 5120, want: 5120 },
    { name: 'several turns ahead', after: 20_001, want: 20_010 },
  ])('calls once at the end of the tick: $name', ({ after, want }) => {
    const { clock, deadlines } = wheel();
    const note = new Note();
    deadlines.set(note, START + after);
    clock.advance(30_000);
    expect(note.calls).toEqual([START + want]);
    expect(deadlines.size).toBe(0);
  });

  it('runs on one timer, and on none when nothing waits', () => {
    const { clock, deadlines } = wheel();
    for (let i = 0; i < 100; i++) deadlines.set(new Note(), START + 500 + 10 * i);
    expect(clock.pending).toBe(1);
    clock.advance(3000);
    expect(clock.pending).toBe(0);
  });

  it('is in time for one that is set before the one its timer was set for', () => {
    const { clock, deadlines } = wheel();
    const late = new Note();
    const early = new Note();
    deadlines.set(late, START + 2000);
    deadlines.set(early, START + 100);
    expect(clock.pending).toBe(1);
    clock.advance(100);
    expect([early.calls.length, late.calls.length]).toEqual([1, 0]);
  });

  it('moves one that is set again', () => {
    const { clock, deadlines } = wheel();
    const note = new Note();
    deadlines.set(note, START + 100);
    deadlines.set(note, START + 300);
    clock.advance(1000);
    expect(note.calls).toEqual([START + 300]);
  });

  it('does not call one that was taken back, from outside or by another in the same tick', () => {
    const { clock, deadlines } = wheel();
    const gone = new Note();
    deadlines.set(gone, START + 50);
    deadlines.clear(gone);
    const neighbours: Note[] = [];
    for (let i = 0; i < 2; i++) neighbours.push(new Note(() => deadlines.clear(neighbours[1 - i]!)));
    for (const note of neighbours) deadlines.set(note, START + 50);
    clock.advance(1000);
    expect(gone.calls).toEqual([]);
    expect(neighbours[0]!.calls.length + neighbours[1]!.calls.length).toBe(1);
  });

  it('takes back the very first tick of a clock', () => {
    const clock = new ManualClock(0);
    const deadlines = new Deadlines(clock);
    const note = new Note();
    deadlines.set(note, 5);
    deadlines.clear(note);
    expect(deadlines.size).toBe(0);
    clock.advance(100);
    expect(note.calls).toEqual([]);
  });

  it('takes one that sets itself again', () => {
    const { clock, deadlines } = wheel();
    const note: Note = new Note((now) => now < START + 300 && deadlines.set(note, now + 100));
    deadlines.set(note, START + 100);
    clock.advance(1000);
    expect(note.calls).toEqual([START + 100, START + 200, START + 300]);
  });

  it('keeps time after it stood still for long', () => {
    const { clock, deadlines } = wheel();
    clock.advance(1_000_000);
    const note = new Note();
    deadlines.set(note, clock.monotonic() + 70);
    clock.advance(100);
    expect(note.calls).toEqual([START + 1_000_070]);
  });

  it('calls each once and in time, whatever is set, moved and taken back', () => {
    const which = fc.integer({ min: 0, max: 5 });
    // Times meet often, and some lie several turns ahead.
    const after = fc
      .oneof(fc.integer({ min: -2, max: 12 }), fc.integer({ min: 500, max: 520 }))
      .map((tick) => 10 * tick);
    const steps = fc.array(
      fc.oneof(
        fc.record({ set: which, after }),
        fc.record({ clear: which }),
        fc.record({ pass: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(6000)) }),
      ),
      { maxLength: 60 },
    );
    const play = (all: readonly ({ set: number; after: number } | { clear: number } | { pass: number })[]): void => {
      const { clock, deadlines } = wheel();
      const due = new Map<number, number>();
      const notes = [0, 1, 2, 3, 4, 5].map(
        (i) =>
          new Note((now) => {
            const late = now - due.get(i)!;
            expect(late >= 0 && late <= 20, `${late} ms late`).toBe(true);
            due.delete(i);
          }),
      );
      for (const step of all) {
        if ('set' in step) {
          deadlines.set(notes[step.set]!, clock.monotonic() + step.after);
          due.set(step.set, clock.monotonic() + Math.max(0, step.after));
        } else if ('clear' in step) {
          deadlines.clear(notes[step.clear]!);
          due.delete(step.clear);
        } else clock.advance(step.pass);
        expect([deadlines.size, clock.pending <= 1]).toEqual([due.size, true]);
      }
      clock.advance(10_000);
      expect([deadlines.size, due.size, clock.pending]).toEqual([0, 0, 0]);
    };
    fc.assert(fc.property(steps, play), { seed: 7, numRuns: 200 });
  });
});
