import { Reply } from '../chain/index.js';
import { ExtendedErrorCode, Rcode, explained } from '../wire/index.js';

// What is answered where no handler answers: who sent an OPT record is told why (RFC 8914).

export const NO_BLOCK = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.NotAuthoritative, 'the name is in no zone that is served here'),
);
export const NO_MEMORY = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.NotReady, 'the server is short of memory'),
);
export const PANIC = Reply.failure(Rcode.SERVFAIL).withEdns(explained(ExtendedErrorCode.Other, 'a plugin failed'));
export const OVERDUE = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.Other, 'not answered in time'),
);
export const NO_STREAM = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.NotSupported, 'zones are transferred over TCP'),
);
