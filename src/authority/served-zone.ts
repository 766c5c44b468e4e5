import { Reply, ReplyLease, type Next, type Outcome, type Query, type ZoneTransfer } from '../chain/index.js';
import { Flag, Rcode, encodeRecords, type Name, ExtendedErrorCode, explained } from '../wire/index.js';
import type { ZoneChange, ZoneData } from '../zone/index.js';
import { Answering, type Answer } from './answer.js';
import type { Journal } from './journal.js';
import { KeptReplies } from './kept-replies.js';
import { transferOf } from './zone-transfer.js';

/** A zone that is answered for, whatever it holds at the moment: nothing while it was not read or received yet. */
export class ServedZone {
  private current: ZoneData | undefined;
  private ended = false;
  private replies = new KeptReplies();
  /** Covers all replies that the zone as it is has made. */
  private lease = new ReplyLease(Infinity);

  /** Keeps what changes, for other servers; undefined where there are none. */
  journal: Journal | undefined;

  /** @param origin in lower case with closing dot */
  constructor(readonly origin: Name) {}

  get zone(): ZoneData | undefined {
    return this.current;
  }

  /** Whether what it holds is too old to be told (RFC 1035 section 4.3.5). */
  get expired(): boolean {
    return this.ended;
  }

  /**
   * Answers from `zone` from now on.
   *
   * @param changes what leads there from the zone before, where that is known
   */
  replace(zone: ZoneData, changes?: readonly ZoneChange[]): void {
    if (this.current !== undefined) this.journal?.put(this.current, zone, changes);
    this.current = zone;
    this.ended = false;
    this.withdraw();
  }

  /** Answers nothing until the zone is replaced. */
  expire(): void {
    this.ended = true;
    this.withdraw();
  }

  /** Answers again from what it holds. */
  revive(): void {
    this.ended = false;
    this.withdraw();
  }

  /** Takes back all replies that were made. */
  withdraw(): void {
    this.lease.revoke();
    this.lease = new ReplyLease(Infinity);
    this.replies = new KeptReplies();
  }

  /** The zone, or what has changed of it, for a server that has `known`; `unready` while there is nothing to give. */
  transfer(known: number | undefined): ZoneTransfer | 'unready' {
    const { current } = this;
    return current === undefined || this.ended ? 'unready' : transferOf(current, known, this.journal);
  }

  /** @param through whether names without records are asked further on */
  answer(query: Query, ask: Next, next: Next, through: boolean): Outcome | Promise<Outcome> {
    const { current } = this;
    if (current === undefined) return NO_ZONE;
    if (this.ended) return EXPIRED;
    const signed = query.do && current.signed;
    // Where labels are collected, they are set on the way.
    const collects = query.context.metadata !== undefined;
    const kept = collects ? undefined : this.replies.get(query.name, query.type, signed);
    if (kept !== undefined) return kept;
    const { replies, lease } = this;
    const finish = (answer: Answer): Outcome | Promise<Outcome> => {
      if (through && answer.answer.length === 0 && (answer.result === 'name-error' || answer.result === 'empty'))
        return next(query);
      const reply = replyFrom(answer, answer.foreign ? undefined : lease);
      // Names that do not exist are without number.
      if (!answer.foreign && answer.result !== 'name-error') replies.keep(query.name, query.type, signed, reply);
      return reply;
    };
    const answer = new Answering(current, query, ask).answer();
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  }
}

const NO_ZONE = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.InvalidData, 'the zone is not loaded'),
);
const EXPIRED = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.InvalidData, 'the zone has expired'),
);
const NO_TARGET = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.Other, 'an alias leads to itself, or nowhere'),
);

function replyFrom(answer: Answer, lease: ReplyLease | undefined): Reply {
  const { result } = answer;
  if (result === 'failure' && answer.answer.length === 0) return NO_TARGET;
  // A referral is not the zone's own word; an alias before it is.
  const flags = result === 'delegation' && answer.answer.length === 0 ? 0 : Flag.AA;
  return Reply.ofRecords(flags, RCODES[result] ?? Rcode.NOERROR, encodeRecords(answer), undefined, undefined, lease);
}

const RCODES: Readonly<Partial<Record<Answer['result'], number>>> = {
  'name-error': Rcode.NXDOMAIN,
  failure: Rcode.SERVFAIL,
  'too-long': Rcode.YXDOMAIN,
};
