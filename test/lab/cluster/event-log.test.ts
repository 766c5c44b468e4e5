import { expect, it } from 'vitest';
import { EventLog } from '../../../src/lab/cluster/event-log.js';
import { ManualClock } from '../../../src/lib/clock.js';

const MINUTE = 60_000;

/** A log, and how it tells: the id, how often, and between which minutes. */
function log() {
  const clock = new ManualClock(0);
  let changes = 0;
  const events = new EventLog(clock, () => changes++);
  return {
    clock,
    tell: (reason: string, container?: string) =>
      events.tell({
        about: { kind: 'Pod', namespace: 'default', name: 'web', created: 0 },
        ...(container !== undefined && { container }),
        reason,
        message: 'x',
        source: { component: 'kubelet' },
      }),
    shown: () =>
      events
        .list()
        .map(({ id, reason, count, first, last }) => `${id} ${reason} x${count} ${first / MINUTE}-${last / MINUTE}`),
    changes: () => changes,
  };
}

it('what is told again is counted, and stands last', () => {
  const { clock, tell, shown, changes } = log();
  tell('Killing');
  clock.advance(MINUTE);
  tell('Pulled');
  clock.advance(MINUTE);
  tell('Killing');
  expect(shown()).toEqual(['2 Pulled x1 1-1', '1 Killing x2 0-2']);
  expect(changes()).toBe(3);
  // Of another container it is another event.
  tell('Killing', 'side');
  expect(shown()).toEqual(['2 Pulled x1 1-1', '1 Killing x2 0-2', '3 Killing x1 2-2']);
});

// kube-apiserver: --event-ttl, 1h0m0s where nothing is said.
it('events are kept for an hour after they were told last', () => {
  const { clock, tell, shown } = log();
  tell('Killing');
  clock.advance(30 * MINUTE);
  tell('Pulled');
  clock.advance(30 * MINUTE - 1);
  expect(shown()).toHaveLength(2);
  clock.advance(1);
  expect(shown()).toEqual(['2 Pulled x1 30-30']);
});

it('what is told again after its hour is new', () => {
  const { clock, tell, shown } = log();
  tell('Killing');
  clock.advance(61 * MINUTE);
  tell('Killing');
  expect(shown()).toEqual(['2 Killing x1 61-61']);
});
