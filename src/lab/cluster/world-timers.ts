import type { World } from '../../datapath/world.js';
import type { Clock, Timer } from '../../lib/clock.js';

/** Runs the model's own timers, such as retransmissions, when they are due; nothing happens while none waits. */
export function runWorldTimers(world: World, clock: Clock): Timer {
  let armed: Timer | undefined;
  let over = false;
  const arm = (): void => {
    armed?.cancel();
    const next = world.nextTimer;
    armed =
      next === undefined || over
        ? undefined
        : clock.setTimeout(
            () => {
              world.runTimers();
              arm();
            },
            Math.max(0, next - clock.now()),
          );
  };
  world.onEarlierTimer(arm);
  return {
    cancel: () => {
      over = true;
      armed?.cancel();
    },
  };
}
