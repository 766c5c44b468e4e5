import { channel } from 'node:diagnostics_channel';
import { Rcode, ExtendedErrorCode, explained } from '../wire/index.js';
import type { Handler, Next } from './handler.js';
import type { Query } from './query.js';
import type { Outcome } from './outcome.js';
import { Reply } from './reply.js';

/** Name of the `node:diagnostics_channel` on which handlers are watched. */
export const HANDLER_CHANNEL = 'nodens:handler';

/** A handler is asked (`enter`), or has answered (`leave`). */
export interface HandlerEvent {
  readonly phase: 'enter' | 'leave';
  readonly handler: Handler;
  readonly query: Query;
  /** The same object in both phases, for whoever keeps something for the time between. */
  readonly call: object;
  /** On `leave`: whether the handler asked the next one. */
  readonly passed: boolean;
  /** On `leave`, where the handler did not fail. */
  readonly outcome?: Outcome;
  /** On `leave`, where the handler threw or its promise was rejected. */
  readonly error?: unknown;
}

const watchers = channel(HANDLER_CHANNEL);

/** Tells `listener` of every handler that is asked, in all servers of this process; the returned function ends it. */
export function watchHandlers(listener: (event: HandlerEvent) => void): () => void {
  const onMessage = (event: unknown): void => listener(event as HandlerEvent);
  watchers.subscribe(onMessage);
  return () => void watchers.unsubscribe(onMessage);
}

const NOBODY_ANSWERS = explained(ExtendedErrorCode.NotAuthoritative, 'nothing here answers for this name');

/** Links handlers, first to last, into one function. A query that no handler answers gets SERVFAIL, with that as its cause. */
export function linkChain(handlers: readonly Handler[]): Next {
  let next: Next = () => Reply.failure(Rcode.SERVFAIL, new Error('no next plugin found')).withEdns(NOBODY_ANSWERS);
  for (const handler of [...handlers].reverse()) {
    const after = next;
    next = (query) => (watchers.hasSubscribers ? watched(handler, query, after) : handler.handle(query, after));
  }
  return next;
}

function watched(handler: Handler, query: Query, next: Next): Outcome | Promise<Outcome> {
  let passed = false;
  const call = {};
  const tell = (phase: HandlerEvent['phase'], result: Pick<HandlerEvent, 'outcome' | 'error'>): void =>
    watchers.publish({ phase, handler, query, call, passed, ...result } satisfies HandlerEvent);
  const left = (outcome: Outcome): Outcome => {
    tell('leave', { outcome });
    return outcome;
  };
  const failed = (error: unknown): never => {
    tell('leave', { error });
    throw error;
  };
  tell('enter', {});
  try {
    const outcome = handler.handle(query, (inner) => {
      passed = true;
      return next(inner);
    });
    return outcome instanceof Promise ? outcome.then(left, failed) : left(outcome);
  } catch (error) {
    return failed(error);
  }
}
