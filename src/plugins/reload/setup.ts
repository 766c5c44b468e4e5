import { definePlugin, onlyOne } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { parseDuration } from '../../lib/duration.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import { reloadMetrics } from './metrics.js';
import { Watch } from './watch.js';

const DEFAULT_INTERVAL = 30_000;
const MIN_INTERVAL = 2000;
const DEFAULT_JITTER = 15_000;
const MIN_JITTER = 1000;

export const reload = definePlugin('reload', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 2, 'reload [INTERVAL] [JITTER]');
  directive.noOptions();
  const [first, second] = directive.args;
  const interval =
    first === undefined ? DEFAULT_INTERVAL : directive.duration(first, { min: MIN_INTERVAL, what: 'INTERVAL' });
  const asked = second === undefined ? DEFAULT_JITTER : jitterOf(directive, second);
  const jitter = Math.min(asked, interval / 2);
  const { clock, random, metrics } = block.runtime;
  // The Corefile is one, however many of its blocks say that it shall be watched.
  const watch = block.shared('reload', () => {
    const made = new Watch({
      clock,
      corefile: block.corefile,
      log: block.logger('reload'),
      metrics: reloadMetrics(metrics),
      requestReload: () => block.requestReload(),
    });
    block.onServing(() => made.start());
    block.onStop(() => made.stop());
    return made;
  });
  watch.interval = jitter === 0 ? interval : interval + randomBelow(random, jitter) - jitter / 2;
  return undefined;
});

/** None, or enough to make a difference. */
const jitterOf = (directive: Directive, text: string): Milliseconds =>
  parseDuration(text) === 0 ? 0 : directive.duration(text, { min: MIN_JITTER, what: 'JITTER' });
