import {
  Query,
  Reply,
  finishReply,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type ProvidesSearchLists,
  type Zones,
} from '../../chain/index.js';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Value } from '../../metrics/metrics.js';
import { Class, Flag, HEADER_SIZE, Rcode, Type, encodeName, isName, isSubdomain, type Name } from '../../wire/index.js';
import { answering } from './answering.js';

/** Resolvers wait five seconds for an answer; a walk that is slower than this leaves them their own steps. */
const PATIENCE: Milliseconds = 1000;
/** Byte of the header with the flag that an answer was cut short. */
const TC = 0x02;

/** What came of a walk, for the metric. */
export type WalkResult = 'answered' | 'denied' | 'left';

export interface WalkOptions {
  readonly zones: Zones;
  readonly lists: ProvidesSearchLists;
  /** Asks the whole server: a name of the walk may be another block's. */
  readonly ask: Next;
  readonly clock: Clock;
  readonly successes: PerServer<Value>;
  readonly walks: PerServer<Record<WalkResult, Value>>;
}

/**
 * Walks a pod's search list in its place, so that its resolver comes to the result that its own steps would lead to:
 * wherever that is not certain, the pod gets the answer to the name that it asked for, and goes on by itself.
 */
export class ListWalk implements Handler {
  readonly name = 'autopath';
  readonly role = 'wraps';
  /**
   * Of the client depends only what is given in place of NXDOMAIN: such an answer carries no lease, and NXDOMAIN itself
   * is never given to another client (`seesEach`).
   */
  readonly dependsOn = 'question';

  constructor(private readonly options: WalkOptions) {}

  seesEach(query: Query, reply: Reply): boolean {
    return reply.rcode === Rcode.NXDOMAIN && isWalked(query);
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    // A question of the server's own is no step of a resolver, and a made alias carries no signature.
    if (!isWalked(query) || query.context.depth > 0 || query.do || query.checkingDisabled) return next(query);
    if (!this.options.zones.contains(query.name)) return next(query);
    const list = this.options.lists.searchList(query);
    const first = list?.domains[0];
    if (first === undefined || query.name === first || !isSubdomain(first, query.name)) return next(query);
    const base = query.qname.slice(0, -first.length);
    const dots = dotsOf(base);
    // A name of one label is as likely that of a service that is not there.
    if (dots === 0) return next(query);
    const domains = list!.domains.slice(1);
    return this.walk(query, next, namesOf(base, dots < list!.ndots ? [...domains, '.'] : domains), first);
  }

  private walk(query: Query, next: Next, names: readonly Name[], first: Name): Outcome | Promise<Outcome> {
    // The client may be answered before the walk has ended, and its bytes be the listener's again.
    const own = new Query(Buffer.from(query.bytes), query.context);
    const asking = next(own);
    const goOn = (outcome: Outcome, partner = besides(next, own, own.qname, partnerOf(own))) => {
      // In a service's zone the name may be that of a pod that is gone: nothing else of that name is to be found then.
      const parent = besides(this.options.ask, own, parentOf(own.qname, first), Type.A);
      const both = together(partner, parent);
      const stepsAfter = (denied: readonly Besides[]): Steps =>
        denied.every(isDenial) ? this.steps(own, names) : 'left';
      return this.inTime(own, outcome, both instanceof Promise ? both.then(stepsAfter) : stepsAfter(both));
    };
    if (!(asking instanceof Promise)) return isDenial(asking) ? goOn(asking) : asking;
    const partner = besides(next, own, own.qname, partnerOf(own));
    return asking.then((outcome) => (isDenial(outcome) ? goOn(outcome, partner) : outcome));
  }

  /** What the last step of the client would come to; `left` where it has to find out by itself. */
  private steps(query: Query, names: readonly Name[], from = 0): Steps {
    for (let i = from; i < names.length; i++) {
      const name = names[i]!;
      const asked = together(
        ...[query.type, partnerOf(query)].map((type) => besides(this.options.ask, query, name, type)),
      );
      if (asked instanceof Promise)
        return asked.then((both) => verdictOf(query, name, both) ?? this.steps(query, names, i + 1));
      const verdict = verdictOf(query, name, asked);
      if (verdict !== undefined) return verdict;
    }
    return 'denied';
  }

  /** What the client gets: what was found in time, or the answer to the name that it asked for. */
  private inTime(query: Query, outcome: Outcome, walking: Steps): Outcome | Promise<Outcome> {
    const ended = (found: Reply | WalkResult | undefined): Outcome => {
      const { server } = query.client;
      this.options.walks.get(server)[found instanceof Reply ? 'answered' : (found ?? 'left')].inc();
      if (!(found instanceof Reply)) return outcome;
      this.options.successes.get(server).inc();
      return found;
    };
    if (!(walking instanceof Promise)) return ended(walking);
    const late = new AbortController();
    const patience = sleep(this.options.clock, PATIENCE, late.signal).then(nothing, nothing);
    return Promise.race([walking, patience]).then((found) => {
      late.abort(new Error('the walk has ended'));
      return ended(found);
    });
  }
}

const nothing = (): undefined => undefined;

/** undefined for a fault. */
type Besides = Outcome | undefined;
type Steps = Reply | WalkResult | Promise<Reply | WalkResult>;

/** What a step comes to for whoever asks for both types, and so takes it only where both answers are there. */
function verdictOf(query: Query, name: Name, [outcome, other]: readonly Besides[]): Reply | WalkResult | undefined {
  if (!isAnswer(outcome) || !isAnswer(other)) return 'left';
  if (outcome.rcode === Rcode.NOERROR) return fitting(query, name, outcome) ?? 'left';
  return isDenial(other) ? undefined : 'left';
}

/** The answer to the name as one to the query; undefined for one that the client could only get cut short. */
function fitting(query: Query, name: Name, found: Reply): Reply | undefined {
  const made = answering(query, new Query(bytesOf(query, name, query.type), query.context), found);
  const reply = made.withHeader({ flags: made.flags & ~Flag.AD });
  return (finishReply(query, reply, 0)[2]! & TC) === 0 ? reply : undefined;
}

/** Whether it says something of the name. */
const isAnswer = (outcome: Outcome | undefined): outcome is Reply =>
  outcome instanceof Reply && outcome.written && (outcome.rcode === Rcode.NOERROR || isDenial(outcome));

const isDenial = (outcome: Outcome | undefined): boolean =>
  outcome instanceof Reply && outcome.written && outcome.rcode === Rcode.NXDOMAIN;

/** Whether a resolver may have put a domain behind the name: what lies in a namespace, and no service itself. */
function isWalked({ type, class: questionClass, name, opcode }: Query): boolean {
  if ((type !== Type.A && type !== Type.AAAA) || questionClass !== Class.IN || opcode !== 0) return false;
  return name.includes('.svc.');
}

/** Dots of a name within it, its closing one left out. */
const dotsOf = (base: Name): number => base.split('.').length - 2;

/** Names in the order in which they are asked, each once; those that would be too long are passed over. */
const namesOf = (base: string, domains: readonly Name[]): readonly Name[] => [
  ...new Set(domains.map((domain) => base + (domain === '.' ? '' : domain)).filter(isName)),
];

/** The last label before the domain, in it. */
function parentOf(qname: Name, first: Name): Name {
  const base = qname.slice(0, -first.length - 1);
  return `${base.slice(base.lastIndexOf('.') + 1)}.${first}`;
}

/** The other of the two types that resolvers ask for together. */
const partnerOf = ({ type }: Query): number => (type === Type.A ? Type.AAAA : Type.A);

/** Asks something on behalf of the query; undefined for a fault, which the client meets by itself. */
function besides(ask: Next, query: Query, name: Name, type: number): Besides | Promise<Besides> {
  try {
    const outcome = ask(new Query(bytesOf(query, name, type), query.context.nested()));
    return outcome instanceof Promise ? outcome.catch(() => undefined) : outcome;
  } catch {
    return undefined;
  }
}

/** A promise only where something has to be waited for. */
const together = (...all: readonly (Besides | Promise<Besides>)[]): readonly Besides[] | Promise<readonly Besides[]> =>
  all.some((each) => each instanceof Promise)
    ? Promise.all(all.map((each) => Promise.resolve(each)))
    : (all as readonly Besides[]);

/** The query's message with another question. Nothing but an OPT record stands behind it in almost all of them. */
function bytesOf(query: Query, name: Name, type: number): Buffer {
  const { bytes, questionEnd } = query;
  const records = bytes.readUIntBE(6, 6);
  if (records > 1 || (records === 1 && !query.hasEdns)) return query.withQuestion(name, type).bytes;
  const owner = encodeName(name);
  const tail = bytes.subarray(questionEnd);
  const made = Buffer.allocUnsafe(HEADER_SIZE + owner.length + 4 + tail.length);
  bytes.copy(made, 0, 0, HEADER_SIZE);
  made.set(owner, HEADER_SIZE);
  made.writeUInt16BE(type, HEADER_SIZE + owner.length);
  made.writeUInt16BE(query.class, HEADER_SIZE + owner.length + 2);
  made.set(tail, HEADER_SIZE + owner.length + 4);
  return made;
}
