import { definePlugin } from '../../chain/index.js';
import { budgetOf } from './byte-budget.js';
import { Cache } from './handler.js';
import { cacheMetrics } from './metrics.js';
import { parseOptions } from './options.js';

/** `cache [TTL] [ZONES...] { ... }`: keeps replies and answers from them. */
export const cache = definePlugin('cache', ([directive, second], block) => {
  second?.fail('got a second cache in this server block, allowed: one');
  const options = parseOptions(directive, block);
  const order = block.shared('cache/order', () => ({ next: 0 }));
  const keptAs = `cache ${order.next++} ${options.zones.list.join(' ')}`;
  const handler = new Cache(options, {
    keptAs,
    clock: block.runtime.clock,
    budget: budgetOf(block.runtime),
    log: block.logger('cache'),
    metrics: cacheMetrics(block.runtime.metrics, options.zones.list.join(','), () => block.settings.view?.name ?? ''),
    panics: block.runtime.metrics.counter('', 'panics_total', 'A metrics that counts the number of panics.'),
    // The server routes by the block's zones: where the cache has them all, no query needs to be looked at again.
    everyZone: block.zones.every((zone) => options.zones.contains(zone)),
  });
  const { persist } = options;
  if (persist !== undefined) {
    // Of two caches with one file, the later one would take the place of the earlier.
    const files = block.shared('cache/persist', () => new Set<string>());
    if (files.has(persist)) directive.fail(`persist: got '${persist}' a second time, allowed: a file for each cache`);
    files.add(persist);
    block.onStart(() => handler.load(persist));
  }
  const { handedOver } = block.runtime;
  block.onStart(() => {
    const text = handedOver?.get(keptAs);
    if (text !== undefined) handler.takeOver(text);
    handedOver?.delete(keptAs);
  });
  block.onStop(() => handler.end());
  return handler;
});
