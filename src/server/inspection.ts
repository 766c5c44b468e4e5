import {
  QueryContext,
  Query,
  Reply,
  Trail,
  finishReply,
  hasReadiness,
  replyOf,
  type Client,
  type ClientNetworks,
  type Handler,
  type Next,
  type Outcome,
  type TrailNote,
} from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { FilePlace } from '../lib/errors.js';
import type { Milliseconds } from '../lib/units.js';
import { Rcode, decodeMessage, type Message, type Name } from '../wire/index.js';
import type { Chain, Routes } from './routes.js';

/** What one handler of a block had to do with a query. */
export interface InspectedHandler {
  /** The directive's name. */
  readonly name: string;
  /** Its line in the Corefile. */
  readonly place: FilePlace | undefined;
  /** `records`: it is not asked, as it keeps records of clients' queries. `unasked`: one before it answered. */
  state: 'records' | 'unasked' | 'asked';
  /** Whether it asked the next one. */
  passed: boolean;
  /** From when it was asked until it had answered; undefined without an outcome. */
  time?: Milliseconds;
  /** Whether it has what it needs to answer; undefined where it does not say. */
  readonly ready: boolean | undefined;
}

/** Who else may be given the answer, and why nobody. */
export type InspectedSharing =
  | { readonly shared: true; readonly networks: ClientNetworks | undefined; readonly left: Milliseconds }
  | { readonly shared: false; readonly why: 'handlers' | 'sees-each'; readonly names: readonly string[] }
  | {
      readonly shared: false;
      readonly why: 'views' | 'no-answer' | 'no-promise' | 'fresh';
      readonly names?: undefined;
    };

/** What became of a query that no client asked. Times are monotonic. */
export interface Inspection {
  readonly client: Client;
  readonly started: Milliseconds;
  readonly ended: Milliseconds;
  /** Zones and place of the block that answers; undefined where none serves the name. */
  readonly block: { readonly zones: readonly Name[]; readonly place: FilePlace | undefined } | undefined;
  readonly view: string;
  /** In the order in which they see queries. */
  readonly handlers: readonly InspectedHandler[];
  readonly notes: readonly TrailNote[];
  /** As a client would get it; undefined for silence. */
  readonly answer: Message | undefined;
  readonly bytes: Buffer | undefined;
  /** What a handler says is the cause, or what it threw. */
  readonly cause: string | undefined;
  /** `fault`: a handler threw. `overdue`: none came to an end in time. */
  readonly end: 'answered' | 'dropped' | 'fault' | 'overdue' | 'no-block';
  readonly sharing: InspectedSharing;
}

/** Asks the chain that a client's query would reach, for nobody. Never rejects. */
export async function inspect(
  bytes: Buffer,
  client: Client,
  routes: Routes,
  { clock, limit }: { readonly clock: Clock; readonly limit: Milliseconds },
): Promise<Inspection> {
  const started = clock.monotonic();
  const context = new QueryContext(client, started, routes.waiting, 0, undefined, true);
  const query = new Query(bytes, context);
  const chain = routes.chainOf(query);
  const handlers = chain?.handlers.map((handler) => inspected(handler, chain)) ?? [];
  const result = await outcomeOf(query, chain, routes, { clock, limit, handlers });
  const { outcome } = result;
  const reply = outcome && replyOf(outcome);
  const sent = reply && finishReply(query, reply, 0);
  const trail = context.trailSoFar ?? new Trail();
  return {
    client,
    started,
    ended: clock.monotonic(),
    block: chain && { zones: chain.origin?.zones ?? [], place: chain.origin?.place },
    view: context.view,
    handlers,
    notes: trail.notes,
    answer: sent && decodeMessage(sent),
    bytes: sent,
    cause: result.error ?? reply?.cause?.message,
    end: result.end,
    sharing: sharingOf(query, reply, chain, routes, clock.monotonic()),
  };
}

const inspected = (handler: Handler, { origin }: Chain): InspectedHandler => ({
  name: handler.name,
  place: origin?.placeOf(handler),
  state: handler.keepsRecord === true ? 'records' : 'unasked',
  passed: false,
  ready: hasReadiness(handler) ? handler.ready() : undefined,
});

interface ChainResult {
  readonly outcome?: Outcome;
  readonly end: Inspection['end'];
  readonly error?: string;
}

async function outcomeOf(
  query: Query,
  chain: Chain | undefined,
  routes: Routes,
  { clock, limit, handlers }: { clock: Clock; limit: Milliseconds; handlers: readonly InspectedHandler[] },
): Promise<ChainResult> {
  if (chain === undefined) return { outcome: routes.refuse(query), end: 'no-block' };
  const { context } = query;
  let overdue = (_result: ChainResult): void => undefined;
  const late = new Promise<ChainResult>((resolve) => (overdue = resolve));
  const timer = clock.setTimeout(() => {
    context.cancel(new DOMException('the time for this query is up', 'TimeoutError'));
    overdue({ outcome: Reply.failure(Rcode.SERVFAIL), end: 'overdue' });
  }, limit);
  routes.inFlight.enter();
  try {
    return await Promise.race([asked(linked(chain.handlers, handlers, clock), query), late]);
  } finally {
    timer.cancel();
    context.close();
    routes.inFlight.leave();
  }
}

async function asked(ask: Next, query: Query): Promise<ChainResult> {
  try {
    const outcome = await ask(query);
    return { outcome, end: replyOf(outcome) === undefined ? 'dropped' : 'answered' };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { outcome: Reply.failure(Rcode.SERVFAIL), end: 'fault', error: text };
  }
}

/** The handlers but those that keep records, each with a note of what it did. */
function linked(handlers: readonly Handler[], notes: readonly InspectedHandler[], clock: Clock): Next {
  let next: Next = () => Reply.failure(Rcode.SERVFAIL, new Error('no next plugin found'));
  for (const [i, handler] of [...handlers.entries()].reverse()) {
    const note = notes[i]!;
    if (note.state === 'records') continue;
    const after = next;
    next = (query) => {
      note.state = 'asked';
      const begun = clock.monotonic();
      const left = (outcome: Outcome): Outcome => {
        note.time = clock.monotonic() - begun;
        return outcome;
      };
      const outcome = handler.handle(query, (inner) => {
        note.passed = true;
        return after(inner);
      });
      return outcome instanceof Promise ? outcome.then(left) : left(outcome);
    };
  }
  return next;
}

function sharingOf(
  query: Query,
  reply: Reply | undefined,
  chain: Chain | undefined,
  routes: Routes,
  now: Milliseconds,
): InspectedSharing {
  if (reply?.written !== true || chain === undefined) return { shared: false, why: 'no-answer' };
  const { sharing, because } = chain.verdict;
  if (sharing === undefined) return { shared: false, why: 'handlers', names: because };
  if (!routes.shares(chain)) return { shared: false, why: 'views' };
  const watching = chain.handlers.filter((handler) => handler.seesEach?.(query, reply) === true);
  if (watching.length > 0) return { shared: false, why: 'sees-each', names: watching.map(({ name }) => name) };
  const { lease } = reply;
  if (lease !== undefined && !lease.revoked && lease.until > now)
    return { shared: true, networks: sharing.networks, left: lease.until - now };
  return { shared: false, why: chain.handlers.some(({ name }) => name === 'cache') ? 'fresh' : 'no-promise' };
}
