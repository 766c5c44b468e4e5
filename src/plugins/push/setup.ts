import { definePlugin, onlyOne, providesChanges, takesChanges } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { Networks } from '../../lib/networks.js';
import { pushMetrics } from './metrics.js';
import { Publisher } from './publisher.js';
import { PushSessions } from './session.js';

/** Subscriptions where nothing is said. */
const SUBSCRIPTIONS = 5000;
const MOST_SUBSCRIPTIONS = 100_000;
const OPTIONS = ['to', 'subscriptions'];

/** `push [ZONES...] { ... }`: tells who has subscribed when names of the zones change. */
export const push = definePlugin('push', (directives, block) => {
  const directive = onlyOne(directives);
  const { clients, subscriptions } = readOptions(directive);
  const zones = block.zonesOf(directive.args, directive).list;
  const sessions = block.shared('push', () => {
    const made = new PushSessions(pushMetrics(block.runtime.metrics));
    block.onStop(() => made.stop());
    return made;
  });
  const publisher = new Publisher({ zones, clients }, block.runtime.clock, sessions.metrics);
  sessions.publishers.push(publisher);
  sessions.most = Math.max(sessions.most, subscriptions);
  block.settings.sessions = sessions;
  block.onStart(() => {
    const sources = block.handlers().filter((handler) => providesChanges(handler));
    if (sources.length === 0) directive.fail('got no directive beside it that tells of changes, allowed: kubernetes');
    publisher.follow(
      sources,
      block.handlers().filter((handler) => takesChanges(handler)),
    );
  });
  block.onStop(() => publisher.stop());
  return undefined;
});

function readOptions(directive: Directive): { clients: Networks | undefined; subscriptions: number } {
  const networks: Cidr[] = [];
  let everybody = false;
  let subscriptions = SUBSCRIPTIONS;
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'to':
        option.argCount(1, Infinity, 'to SOURCE...');
        for (const text of option.args) {
          if (text === '*') everybody = true;
          else networks.push(parseCidr(text) ?? option.wrong(text, 'an address, an address block, or * for all'));
        }
        break;
      case 'subscriptions':
        subscriptions = option.integer(option.one('subscriptions NUMBER'), {
          min: 1,
          max: MOST_SUBSCRIPTIONS,
          what: 'NUMBER',
        });
        break;
      default:
        option.unknown(OPTIONS);
    }
  }
  if (!everybody && networks.length === 0) directive.fail("'to' is required: who may hear of the names that change");
  return { clients: everybody ? undefined : new Networks(networks), subscriptions };
}
