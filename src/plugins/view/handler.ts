import type { ClientNetworks, DependsOn, Handler, Next, Outcome, Query, View } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import type { Condition } from './expression/compile.js';
import type { Dependence } from './sharing.js';

/** Decides which queries its server block serves: those for which all conditions hold. */
export class ConditionalView implements View {
  readonly dependsOn: DependsOn;
  readonly clientNetworks: ClientNetworks | undefined;

  constructor(
    readonly name: string,
    private readonly conditions: readonly Condition<Query>[],
    dependence: Dependence,
    private readonly log: Pick<Logger, 'debug'>,
  ) {
    this.dependsOn = dependence.dependsOn;
    this.clientNetworks = dependence.clientNetworks;
  }

  /** A condition that cannot be evaluated for the query does not hold. */
  matches(query: Query): boolean {
    try {
      return this.conditions.every((condition) => condition.run(query));
    } catch (error) {
      this.log.debug(`view ${this.name}: ${(error as Error).message}`);
      return false;
    }
  }
}

/** Stands in the chain for `coredns_plugin_enabled` and for its label; the block was chosen before. */
export class ViewName implements Handler {
  readonly name = 'view';
  readonly role = 'observes';
  readonly dependsOn = 'question';

  constructor(private readonly view: string) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    return next(query);
  }

  metadata(): Readonly<Record<string, () => string>> {
    return { 'view/name': () => this.view };
  }
}
