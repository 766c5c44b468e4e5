import { Rcode } from '../wire/index.js';
import type { Handler, Next } from './handler.js';
import { Reply } from './reply.js';

/**
 * Links handlers, first to last, into one function. A query that no handler answers gets SERVFAIL, with that as its
 * cause.
 */
export function linkChain(handlers: readonly Handler[]): Next {
  let next: Next = () => Reply.failure(Rcode.SERVFAIL, new Error('no next plugin found'));
  for (const handler of [...handlers].reverse()) {
    const after = next;
    next = (query) => handler.handle(query, after);
  }
  return next;
}
