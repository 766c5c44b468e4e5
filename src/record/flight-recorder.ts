import { Reply, type CacheNote, type Outcome, type Query, type Trail, type TrailNote } from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { FilePlace } from '../lib/errors.js';
import { VERSION } from '../lib/package-folder.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { Rcode, rcodeName } from '../wire/index.js';
import { ByteRing } from './byte-ring.js';
import type { RecordedFor, FlightQuery, FlightRecord } from './recorded-query.js';

export interface RecorderOptions {
  /** Of all that is kept. */
  readonly size: Octets;
  /** A query that takes longer is slow. */
  readonly slow: Milliseconds;
}

export const DEFAULT_RECORDER: RecorderOptions = { size: 1 << 20, slow: 500 };

/** Queries that are kept within one second: more tell no more, and cost a server that is in need already. */
const MOST_A_SECOND = 100;
/** EDNS option of RFC 8914. */
const EXTENDED_ERROR = 15;

/** The block that answered. */
interface AnsweringBlock {
  readonly handlers: readonly { readonly name: string }[];
  readonly origin?: { readonly zones: readonly string[]; readonly place: FilePlace } | undefined;
}

/**
 * Keeps the last queries that were slow, failed or were answered past the answer's time, whole, in memory of fixed
 * size. Others cost it a look: those that are answered at once are not even timed.
 */
export class FlightRecorder {
  private readonly ring: ByteRing;
  private omitted = 0;
  private second = -1;
  private inSecond = 0;

  constructor(
    private readonly options: RecorderOptions,
    private readonly clock: Clock,
  ) {
    this.ring = new ByteRing(options.size);
  }

  /** Queries that are kept now. */
  get count(): number {
    return this.ring.count;
  }

  /** A query was answered without a wait: it was not slow. */
  atOnce(query: Query, outcome: Outcome, chain: AnsweringBlock | undefined): void {
    const trail = query.context.trailSoFar;
    if (trail === undefined && !(outcome instanceof Reply && outcome.rcode === Rcode.SERVFAIL)) return;
    this.keep(query, outcome, chain, reasons(outcome, trail));
  }

  /** A query was answered that had to wait. */
  waited(query: Query, outcome: Outcome, chain: AnsweringBlock | undefined): void {
    const why = reasons(outcome, query.context.trailSoFar);
    if (this.clock.monotonic() - query.received >= this.options.slow) why.push('slow');
    this.keep(query, outcome, chain, why);
  }

  /** All that is kept now. */
  recording(occasion: string): FlightRecord {
    return {
      form: 'nodens-record/1',
      program: VERSION,
      pid: process.pid,
      written: new Date(this.clock.now()).toISOString(),
      occasion,
      omitted: this.omitted,
      queries: this.ring.all().map((text) => JSON.parse(text) as FlightQuery),
    };
  }

  private keep(query: Query, outcome: Outcome, chain: AnsweringBlock | undefined, why: readonly RecordedFor[]): void {
    if (why.length === 0) return;
    const now = this.clock.monotonic();
    const second = Math.floor(now / 1000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    if (++this.inSecond > MOST_A_SECOND) {
      this.omitted++;
      return;
    }
    this.ring.push(JSON.stringify(recorded(query, outcome, chain, why, now, this.clock.now())));
  }
}

function reasons(outcome: Outcome, trail: Trail | undefined): RecordedFor[] {
  const why: RecordedFor[] = [];
  if (outcome instanceof Reply && (outcome.rcode === Rcode.SERVFAIL || outcome.cause !== undefined)) why.push('failed');
  if (trail?.notes.some((note): note is CacheNote => note.kind === 'cache' && note.state === 'stale'))
    why.push('stale');
  return why;
}

function recorded(
  query: Query,
  outcome: Outcome,
  chain: AnsweringBlock | undefined,
  why: readonly RecordedFor[],
  now: Milliseconds,
  wall: Milliseconds,
): FlightQuery {
  const { client, received, context } = query;
  const { address, port } = client.remote;
  const reply = outcome instanceof Reply ? outcome : undefined;
  return {
    at: new Date(wall - (now - received)).toISOString(),
    why,
    name: query.qname,
    type: query.typeName,
    class: query.className,
    asked: askedWith(query),
    client: { address, port, transport: client.transport },
    server: client.server.label,
    zones: chain?.origin?.zones ?? [],
    place: chain?.origin?.place,
    view: context.view,
    handlers: chain?.handlers.map(({ name }) => name) ?? [],
    notes: (context.trailSoFar?.notes ?? []).map((note) => since(note, received)),
    result: reply && (reply.rcode === 0 && reply.answerCount === 0 ? 'NODATA' : rcodeName(reply.rcode)),
    cause: reply?.cause?.message,
    errors: (reply?.edns?.options ?? [])
      .filter(({ code, data }) => code === EXTENDED_ERROR && data.length >= 2)
      .map(({ data }) => [(data[0]! << 8) | data[1]!, Buffer.from(data.subarray(2)).toString('utf8')] as const),
    time: now - received,
  };
}

function askedWith(query: Query): string[] {
  const { queryFlags } = query;
  const flags = [
    [0x100, 'rd'],
    [0x20, 'ad'],
    [0x10, 'cd'],
  ] as const;
  return [
    ...flags.flatMap(([bit, name]) => ((queryFlags & bit) !== 0 ? [name] : [])),
    ...(query.do ? ['do'] : []),
    ...(query.hasEdns ? [`edns ${query.udpSize}`] : []),
  ];
}

const since = (note: TrailNote, received: Milliseconds): TrailNote =>
  note.kind === 'attempt' ? { ...note, sent: note.sent - received, ended: note.ended - received } : note;
