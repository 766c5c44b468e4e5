import {
  replyOf,
  watchHandlers,
  type Handler,
  type HandlerEvent,
  type Outcome,
  type PluginDefinition,
  type Query,
  type Reply,
  type Trail,
  type TrailNote,
  type Transport,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { rcodeName } from '../../wire/index.js';

/** A question that a server asked itself to answer a query. */
export interface InnerQuestion {
  readonly name: string;
  readonly type: string;
  /** The plugin whose handler saw it first. */
  readonly from: string;
  rcode: string | undefined;
}

/** One query at one server: what came, which plugins saw it, and which of them answered. */
export interface ServerSpan {
  /** `namespace/pod` or the name of a host. */
  readonly server: string;
  readonly name: string;
  readonly type: string;
  readonly transport: Transport;
  readonly remote: { readonly address: string; readonly port: number };
  readonly local: { readonly address: string; readonly port: number };
  /** How many servers were at work on the same question when it came in. */
  readonly depth: number;
  readonly started: Milliseconds;
  /** In the order in which they were asked. */
  readonly plugins: string[];
  /** What they told of their work. */
  readonly notes: readonly TrailNote[];
  /** In the order in which they were asked. */
  readonly questions: InnerQuestion[];
  answeredBy: string | undefined;
  rcode: string | undefined;
  ended: Milliseconds | undefined;
}

/** Unfinished queries that are remembered. */
const MAX_OPEN = 4096;

/** A listener: called when a server gets a query, and when it is done with it. */
interface Watcher {
  readonly entered?: (visit: ServerSpan) => void;
  readonly left?: (visit: ServerSpan) => void;
}

/** Follows queries through the plugin chains of all servers of a lab, while it has listeners. */
export class Tracer {
  private readonly watchers = new Set<Watcher>();
  /** By the trail of the query, which what a server asks itself for it shares. */
  private readonly open = new Map<Trail, ServerSpan>();
  /** Whose server a handler belongs to. */
  private readonly servers = new WeakMap<Handler, string>();
  private readonly calls = new WeakMap<object, ServerSpan>();
  private unwatch: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** Begins to watch; the returned function ends it and gives what was seen, in order of arrival. */
  watch(): () => readonly ServerSpan[] {
    const visits: ServerSpan[] = [];
    const end = this.add({ entered: (visit) => void visits.push(visit) });
    return () => {
      end();
      return visits;
    };
  }

  /** Tells each visit when it is over; returns the function that ends it. */
  follow(left: (visit: ServerSpan) => void): () => void {
    return this.add({ left });
  }

  private add(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    this.unwatch ??= watchHandlers((event) => this.handled(event));
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size > 0) return;
      this.unwatch?.();
      this.unwatch = undefined;
      this.open.clear();
    };
  }

  /** The plugins of one server, with a note of which handlers are its. */
  wrap(plugins: readonly PluginDefinition[], server: string): readonly PluginDefinition[] {
    return plugins.map((plugin) => ({
      name: plugin.name,
      setup: (directives, block) => {
        const made = plugin.setup(directives, block);
        const handlers = made === undefined ? [] : 'handle' in made ? [made] : made;
        for (const handler of handlers) this.servers.set(handler, server);
        return made;
      },
    }));
  }

  private handled({ phase, handler, query, call, passed, outcome }: HandlerEvent): void {
    const server = this.servers.get(handler);
    if (server === undefined) return;
    if (query.context.depth > 0) return this.ownQuestion(phase, query, handler.name, outcome);
    if (phase === 'enter') return void this.calls.set(call, this.enter(query, server, handler.name));
    const visit = this.calls.get(call);
    if (visit === undefined) return;
    if (outcome === undefined) this.forget(visit, handler.name, query);
    else this.leave(visit, handler.name, passed, outcome, query);
  }

  /** What a server asks itself is part of the visit that it does so for. */
  private ownQuestion(phase: HandlerEvent['phase'], query: Query, plugin: string, outcome: Outcome | undefined): void {
    const [name, type] = [query.qname, query.typeName];
    const questions = this.open.get(query.context.keepTrail())?.questions;
    const known = questions?.find((question) => question.name === name && question.type === type);
    if (phase === 'enter' && known === undefined) questions?.push({ name, type, from: plugin, rcode: undefined });
    if (phase === 'leave' && known?.from === plugin) {
      const reply = outcome && replyOf(outcome);
      known.rcode = reply === undefined ? 'no answer' : describe(reply);
    }
  }

  private enter(query: Query, server: string, plugin: string): ServerSpan {
    const trail = query.context.keepTrail();
    let visit = this.open.get(trail);
    if (!visit) {
      const { transport, remote, local } = query.client;
      const name = query.qname;
      const type = query.typeName;
      const depth = [...this.open.values()].filter(
        (other) => other.ended === undefined && other.name.toLowerCase() === name.toLowerCase() && other.type === type,
      ).length;
      visit = {
        server,
        name,
        type,
        transport,
        remote,
        local,
        depth,
        started: this.clock.monotonic(),
        plugins: [],
        notes: trail.notes,
        questions: [],
        answeredBy: undefined,
        rcode: undefined,
        ended: undefined,
      };
      this.open.set(trail, visit);
      // Queries of a server that was killed are never left.
      if (this.open.size > MAX_OPEN) this.open.delete(this.open.keys().next().value!);
      for (const watcher of this.watchers) watcher.entered?.(visit);
    }
    visit.plugins.push(plugin);
    return visit;
  }

  /** A query whose chain failed has no outcome here: the server answers it. */
  private forget(visit: ServerSpan, plugin: string, query: Query): void {
    if (visit.plugins[0] !== plugin) return;
    visit.rcode = 'SERVFAIL';
    this.end(visit, query);
  }

  private leave(visit: ServerSpan, plugin: string, passed: boolean, outcome: Outcome, query: Query): void {
    if (!passed && visit.answeredBy === undefined) visit.answeredBy = plugin;
    if (visit.plugins[0] === plugin) {
      const reply = replyOf(outcome);
      visit.rcode = reply === undefined ? 'no answer' : describe(reply);
      this.end(visit, query);
    }
  }

  private end(visit: ServerSpan, query: Query): void {
    visit.ended = this.clock.monotonic();
    this.open.delete(query.context.keepTrail());
    for (const watcher of this.watchers) watcher.left?.(visit);
  }
}

const describe = (reply: Reply): string =>
  reply.rcode === 0 && reply.answerCount === 0 ? 'NODATA' : rcodeName(reply.rcode);
