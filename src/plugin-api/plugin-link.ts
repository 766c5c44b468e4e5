import {
  DROP,
  Reply,
  mapReply,
  type ClientNetworks,
  type DependsOn,
  type Handler,
  type MetadataSource,
  type Next,
  type Outcome,
  type Query,
  type Role,
  type ReplyLease,
  type HitCounter,
} from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { Plugin, PluginHandler } from './contract.js';
import { PluginFault, isThenable, wordsOf } from './faults.js';
import type { ChangedQuestion, PluginReply } from './messages.js';
import { changedQuery, viewQuery } from './query-view.js';
import { ReadLease, Reads, recording } from './reads.js';
import { readReply, viewReply } from './reply-view.js';
import type { StallWatch } from './stall-watch.js';

/** What a link needs of the block that it stands in. */
export interface LinkHost {
  readonly clock: Clock;
  readonly stalls: StallWatch;
  /** Whether all tables of the plugin have been loaded. */
  tablesReady(): boolean;
  /** Told of a plugin whose promise for the answer was not settled in time. */
  overdue(query: Query): void;
}

/** What a handler was asked once, while it is asked. */
class Call {
  /** What `next` returned, where that has to be waited for: given back as it is, nothing was done in between. */
  passed: PromiseLike<PluginReply> | undefined;
  /** Time that was spent in handlers behind. */
  behind: Milliseconds = 0;
  /** Promises of `next` that are not settled. */
  waiting = 0;
  /** What handlers behind threw: their fault. */
  thrown: unknown;

  constructor(readonly reads: Reads | undefined) {}
}

/** A plugin's handler as a link of the chain. */
export class PluginLink implements Handler {
  readonly name: string;
  readonly dependsOn: DependsOn;
  readonly clientNetworks?: ClientNetworks;
  readonly role: Role;
  /** Only where the plugin has something to say about it. */
  readonly ready?: () => boolean;
  /** Only where the plugin counts. */
  readonly hitCounter?: (query: Query) => HitCounter;

  constructor(
    plugin: Plugin<never>,
    private readonly handler: PluginHandler,
    private readonly host: LinkHost,
  ) {
    this.name = plugin.name;
    this.dependsOn = handler.dependsOn ?? plugin.dependsOn ?? 'query';
    const networks = handler.clientNetworks ?? plugin.clientNetworks;
    if (networks !== undefined) this.clientNetworks = networks;
    const { hitCounter } = handler;
    if (hitCounter !== undefined)
      this.hitCounter = (query) => {
        const count = hitCounter(viewQuery(query));
        return (plain, edns) => count(plain + edns);
      };
    this.role = plugin.role ?? 'answers';
    this.ready = () => (handler.ready?.() ?? true) && host.tablesReady();
  }

  /** Labels of the plugin, under its name. */
  metadata(): Readonly<Record<string, MetadataSource>> {
    const labels = Object.entries(this.handler.labels ?? {});
    return Object.fromEntries(
      labels.map(([label, value]) => [`${this.name}/${label}`, (query: Query) => value(viewQuery(query))]),
    );
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { clock, stalls } = this.host;
    const call = new Call(this.dependsOn === 'query' ? undefined : new Reads());
    const start = clock.monotonic();
    let result: unknown;
    try {
      result = recording(call.reads, () =>
        this.handler.handle(viewQuery(query), (question) => this.ask(query, question, next, call)),
      );
    } catch (error) {
      throw this.fault(error, call);
    } finally {
      stalls.took('handle', clock.monotonic() - start - call.behind);
    }
    if (!isThenable(result)) return this.outcomeOf(result, call.reads);
    if (result === call.passed)
      return (result as Promise<PluginReply>).then((view) => this.outcomeOf(view, call.reads));
    return this.settled(result, query, call);
  }

  /** What was asked after a wait may have been looked up at any time: nobody else is given that answer. */
  private async settled(result: PromiseLike<unknown>, query: Query, call: Call): Promise<Outcome> {
    const { signal } = query.context;
    const late = (): void => {
      if (call.waiting === 0 && (signal.reason as Error).name === 'TimeoutError') this.host.overdue(query);
    };
    signal.addEventListener('abort', late, { once: true });
    try {
      return this.outcomeOf(await result, undefined);
    } catch (error) {
      throw this.fault(error, call);
    } finally {
      signal.removeEventListener('abort', late);
    }
  }

  private ask(
    query: Query,
    question: ChangedQuestion | undefined,
    next: Next,
    call: Call,
  ): PluginReply | Promise<PluginReply> {
    const { clock } = this.host;
    const asked = question === undefined ? query : changedQuery(query, question);
    const start = clock.monotonic();
    try {
      const outcome = recording(undefined, () => next(asked));
      if (!(outcome instanceof Promise)) return viewReply(outcome);
      call.waiting++;
      const view = outcome.then(viewReply, (error: unknown) => {
        call.thrown = error;
        throw error;
      });
      const answered = view.finally(() => call.waiting--);
      if (asked === query) call.passed = answered;
      return answered;
    } catch (error) {
      call.thrown = error;
      throw error;
    } finally {
      call.behind += clock.monotonic() - start;
    }
  }

  private outcomeOf(value: unknown, reads: Reads | undefined): Outcome {
    let given;
    try {
      given = readReply(value);
    } catch (error) {
      throw new PluginFault(this.name, (error as Error).message);
    }
    const { outcome, passedOn, validFor } = given;
    if (!(outcome instanceof Reply)) return outcome;
    const lease = passedOn ? this.passedLease(outcome, reads) : this.ownLease(validFor, reads);
    return outcome.withLease(lease);
  }

  private passedLease({ lease }: Reply, reads: Reads | undefined): ReplyLease | undefined {
    if (reads === undefined || lease === undefined) return undefined;
    // The plugin saw how the name was spelt.
    return reads.list.length === 0 && !lease.everySpelling ? lease : new ReadLease(reads, lease.until, lease, this);
  }

  /** Whoever looked nothing up and says nothing promises nothing. */
  private ownLease(validFor: number | undefined, reads: Reads | undefined): ReplyLease | undefined {
    if (reads === undefined || (validFor === undefined && reads.list.length === 0)) return undefined;
    const until = validFor === undefined ? Infinity : this.host.clock.monotonic() + validFor * 1000;
    return new ReadLease(reads, until, undefined, this);
  }

  /** What handlers behind threw stays theirs. */
  private fault(error: unknown, call: Call): unknown {
    if (error === call.thrown && error !== undefined) return error;
    return error instanceof PluginFault ? error : new PluginFault(this.name, wordsOf(error), error);
  }
}

/** For `block.ask`: what the server said, undefined for silence. */
export const viewOutcome = (outcome: Outcome | Promise<Outcome>): Promise<PluginReply | undefined> =>
  Promise.resolve(mapReply(outcome, (reply) => reply)).then((settled) =>
    settled === DROP ? undefined : viewReply(settled),
  );
