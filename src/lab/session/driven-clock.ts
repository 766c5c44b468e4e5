import { setImmediate } from 'node:timers/promises';
import { NodensError } from '../../lib/errors.js';
import type { ManualClock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';

/** Turns of the event loop that work gets to end without any time passing; streams need several for one message. */
const TURNS = 60;
/** How far time is moved on at once when work waits. */
const STEP: Milliseconds = 20;
const MAX_TIME: Milliseconds = 3_600_000 * 24;

/** Where the time of a driven lab begins. */
export const DRIVEN_START = Date.UTC(2025, 6, 30, 14, 56, 15);

/** Work under way that takes real time, such as that of another thread. */
let realWork = 0;

/** Waits for work that takes real time: the clock of a driven lab stands still meanwhile. */
export async function inRealTime<T>(work: Promise<T>): Promise<T> {
  realWork++;
  try {
    return await work;
  } finally {
    realWork--;
  }
}

/** Moves a lab's clock on until the work is done, so that nothing has to wait in real time. */
export async function drive<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => undefined);
  const end = clock.now() + MAX_TIME;
  for (let turn = 0; !done; turn++) {
    if (clock.now() > end) throw new NodensError('NODENS_LAB', 'the command does not end');
    if (realWork > 0) await setImmediate();
    else await clock.advanceAsync(turn < TURNS ? 0 : STEP);
  }
  return settled;
}
