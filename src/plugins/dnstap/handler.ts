import {
  finishReply,
  replyOf,
  type Handler,
  type Next,
  type Outcome,
  type ProvidesTap,
  type Query,
  type QueryFormat,
  type TappedExchange,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { dataFrame } from './frame-stream.js';
import { Seen, encodeTap, type TapEvent, type TapTeller } from './message.js';

/** What one tap tells, and to whom. */
export interface TapParts {
  readonly clock: Clock;
  readonly identity: string;
  readonly version: string;
  /** Makes the field `extra`; undefined where it is left out. */
  readonly extra: QueryFormat | undefined;
  /** Whether the messages themselves are part of it. */
  readonly full: boolean;
  /** Takes a frame, and never makes anybody wait. */
  readonly send: (frame: Buffer) => void;
}

/** Tells of queries and responses as they pass. */
export class Dnstap implements Handler, ProvidesTap {
  readonly name = 'dnstap';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn = 'query';
  private readonly teller: TapTeller;

  constructor(private readonly parts: TapParts) {
    const { identity, version } = parts;
    this.teller = { identity: Buffer.from(identity), version: Buffer.from(version), extra: undefined };
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const queried = this.parts.clock.now();
    const { full } = this.parts;
    const { protocol, client } = query;
    const about = { protocol, from: client.remote, queried };
    this.tell(query, { ...about, seen: Seen.CLIENT_QUERY, message: full ? query.bytes : undefined });
    const outcome = next(query);
    if (!(outcome instanceof Promise)) return this.answered(query, outcome, about);
    return outcome.then((settled) => this.answered(query, settled, about));
  }

  tap({ query, protocol, from, to, sent, answered, question, answer }: TappedExchange): void {
    const { full } = this.parts;
    const about = { protocol, from, to, queried: sent };
    this.tell(query, { ...about, seen: Seen.FORWARDER_QUERY, message: full ? question : undefined });
    if (answer === undefined) return;
    const message = full ? answer : undefined;
    this.tell(query, { ...about, seen: Seen.FORWARDER_RESPONSE, responded: answered, message });
  }

  private answered(
    query: Query,
    outcome: Outcome,
    about: {
      readonly protocol: 'udp' | 'tcp';
      readonly from: Query['client']['remote'];
      readonly queried: Milliseconds;
    },
  ): Outcome {
    const reply = replyOf(outcome);
    if (reply === undefined) return outcome;
    const message = this.parts.full ? finishReply(query, reply, 0) : undefined;
    this.tell(query, { ...about, seen: Seen.CLIENT_RESPONSE, responded: this.parts.clock.now(), message });
    return outcome;
  }

  private tell(query: Query, event: TapEvent): void {
    const { extra, send } = this.parts;
    const teller =
      extra === undefined ? this.teller : { ...this.teller, extra: Buffer.from(extra(query, undefined, 0)) };
    send(dataFrame(encodeTap(event, teller)));
  }
}
