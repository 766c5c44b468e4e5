import type { Handler, Next, Outcome, Query } from '../../chain/index.js';

/** Stands in the chain for `coredns_plugin_enabled`: labels are collected before the block is chosen. */
export class MetadataCollector implements Handler {
  readonly name = 'metadata';
  readonly role = 'observes';
  readonly dependsOn = 'question';

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    return next(query);
  }
}
