import { definePlugin, onlyOne, providesUpstreams, takesChanges } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { subscribeMetrics } from './metrics.js';
import { Subscription } from './subscription.js';

const SETTLE: Milliseconds = 1000;
const LONGEST_SETTLE: Milliseconds = 10_000;

/** `subscribe [ZONES...] { ... }`: has the upstreams of the block tell when names of the zones change. */
export const subscribe = definePlugin('subscribe', (directives, block) => {
  const directive = onlyOne(directives);
  const settle = readSettle(directive);
  const zones = block.zonesOf(directive.args, directive).list;
  const { clock, random, metrics } = block.runtime;
  const metricsOf = subscribeMetrics(metrics);
  let subscriptions: readonly Subscription[] = [];
  block.onStart(() => {
    if (!block.handlers().some((handler) => providesUpstreams(handler)))
      directive.fail('got no upstream to ask, allowed: forward in the same server block');
    for (const taker of block.handlers().filter((handler) => takesChanges(handler)))
      zones.forEach((zone) => taker.expectChanges(zone));
  });
  // Names of upstreams are looked up while starting.
  block.onServing(() => {
    const takers = block.handlers().filter((handler) => takesChanges(handler));
    const parts = { zones, settle, takers, clock, random, log: block.logger('subscribe') };
    subscriptions = block
      .handlers()
      .filter((handler) => providesUpstreams(handler))
      .flatMap((source) => source.upstreams())
      .map((upstream) => new Subscription(upstream, parts, metricsOf(upstream.label)));
    for (const subscription of subscriptions) subscription.start();
  });
  block.onStop(() => subscriptions.forEach((subscription) => subscription.stop()));
  return undefined;
});

function readSettle(directive: Directive): Milliseconds {
  let settle = SETTLE;
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name !== 'settle') option.unknown(['settle']);
    settle = option.duration(option.one('settle DURATION'), { min: 0, max: LONGEST_SETTLE, what: 'DURATION' });
  }
  return settle;
}
