import type { ClientNetworks, HitCounter, HitNoter, Lease, LeaseHolder, Query, Reply } from '../chain/index.js';
import { parseIp } from '../lib/cidr.js';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { HEADER_SIZE, OPCODE_MASK, RCODE_MASK, RECORD_FIXED, Flag, Type, type EncodedRecords } from '../wire/index.js';
import type { NotedAnswer } from './hit-notes.js';
import { KeptAnswers } from './kept-answers.js';
import { NotedAnswers } from './noted-answers.js';
import { QueryKey } from './query-key.js';
import { sharedNow } from './shared-clock.js';
import { showsNoSpelling, withOwners } from './spelling.js';
import { MAX_NETWORKS } from './table-layout.js';
import type { AnswerTableWriter, SharedEntry } from './table-writer.js';
import { AnswerTable } from './table.js';

/** Queries that were answered alike without the chain. */
export interface TableHits {
  /** The question's name begins at `name`, in lower case. */
  readonly bytes: Uint8Array;
  readonly name: number;
  readonly type: number;
  /** Whether they had DO. */
  readonly signed: boolean;
  readonly rcode: number;
  /** How many came without and with an OPT record. */
  readonly plain: number;
  readonly edns: number;
}

/** How often hits are handed on to those who count them, when nobody asks before. */
const HARVEST: Milliseconds = 1000;
/** Slabs whose ended answers leave with each harvest: in a table of a million answers each within a minute. */
const SWEEP = 64;

/** More answers than these that end at once are only marked so; they leave with the harvests, some at a time. */
const MANY = 4096;

/** Lists of hit counters that are kept to be found again. */
const KNOWN_LISTS = 16;

/** An entry of which it is yet to be found out what it is good for. */
type OpenEntry = SharedEntry & { everySpelling: boolean; noted: boolean };

/**
 * The chain's side of the answer table: puts replies with a lease in, takes them out when it ends, and hands their
 * hits on.
 */
export class SharedAnswerCache implements LeaseHolder {
  private readonly key: QueryKey;
  private readonly answers: KeptAnswers;
  /** Listening addresses that the table has no place for the networks of. */
  private readonly unshared = new Set<number>();
  private readonly noted = new NotedAnswers();
  /** Those of the last answers, each list once. */
  private readonly counters: (readonly HitCounter[])[] = [];
  private readonly timer: Timer;
  /** Told of all hits, where somebody wants to know. */
  watcher: ((hits: TableHits) => void) | undefined;
  /** Told now and then how many queries nobody could be told of. */
  lostNotes: (count: number) => void = () => undefined;
  /** From the clock of the chain to that of the table. */
  private readonly offset: Milliseconds;

  constructor(
    private readonly table: AnswerTableWriter,
    private readonly clock: Clock,
  ) {
    this.key = new QueryKey(table.seed);
    this.answers = new KeptAnswers(table);
    this.offset = sharedNow() - clock.monotonic();
    this.timer = repeat(clock, HARVEST, () => {
      this.harvest();
      this.lostNotes(this.noted.age());
    });
  }

  /** Number of answers in the table. */
  get size(): number {
    return this.answers.size;
  }

  /**
   * Keeps the reply for queries like this one, if it is of a kind that can be kept. `hitCounters` are told of its hits,
   * `hitNoters` of each by itself.
   */
  offer(
    query: Query,
    reply: Reply,
    server: number,
    hitCounters: () => readonly HitCounter[],
    hitNoters: () => readonly HitNoter[] = () => [],
  ): void {
    const { lease, records } = reply;
    const now = this.clock.monotonic();
    if (
      lease === undefined ||
      lease.revoked ||
      lease.until <= now ||
      reply.rcode > RCODE_MASK ||
      reply.edns !== undefined ||
      reply.repeats !== undefined ||
      reply.truncated ||
      this.unshared.has(server)
    )
      return;
    const { key } = this;
    if (
      !key.read(query.bytes, 0, query.bytes.length, query.family === 6, server) ||
      !this.addNetwork(query, server) ||
      !AnswerTable.fits(key.length, records.bytes.length, records.ttls.length, records.owners?.length)
    )
      return;
    const entry = this.entry(reply, records, lease);
    entry.everySpelling = lease.everySpelling || (key.hasCapitals && showsNoSpelling(nameOf(query), entry.records));
    if (key.hasCapitals && !entry.everySpelling) return;
    const noters = hitNoters();
    entry.noted = noters.length > 0;
    const slot = this.table.put(entry, sharedNow(), this.evicted);
    if (slot < 0) return;
    if (entry.noted) this.noted.add(slot, this.table.sequence(slot), noters);
    this.answers.add(slot, lease, this.known(hitCounters()));
    lease.hold(this, slot);
  }

  /** Keeps the answers of a listening address apart by networks of clients from now on; undefined for one for all. */
  keepApart(server: number, networks: ClientNetworks | undefined): void {
    if (server >= MAX_NETWORKS) {
      if (networks === undefined) this.unshared.delete(server);
      else this.unshared.add(server);
      return;
    }
    this.table.setNetworkBits(server, networks?.ipv4 ?? 0, networks?.ipv6 ?? 0);
  }

  /** Makes the client's network a part of the key. False where it is not known. */
  private addNetwork({ client, family }: Query, server: number): boolean {
    const bits = this.table.networkBits(server, family === 6);
    if (bits === 0) return true;
    const address = parseIp(client.remote.address.replace(/%.*$/, ''));
    if (address === undefined) return false;
    this.key.addNetwork(address, 0, bits);
    return true;
  }

  /** Hands on a note of an answer that was given. */
  note(note: NotedAnswer): void {
    this.noted.tell(note);
  }

  /** Hands on the hits of all answers, and forgets some of those whose time is over. */
  harvest(): void {
    this.table.visitHit((slot) => {
      const lease = this.answers.lease(slot);
      if (lease !== undefined) this.handOn(slot, lease);
    });
    const now = this.clock.monotonic() + this.offset;
    this.table.visitEnded(SWEEP, now, (slot) => this.withdraw(slot));
  }

  /** Takes an answer out of the table; its hits so far are handed on. */
  withdraw(slot: number): void {
    this.table.clear(slot);
    this.forget(slot);
  }

  withdrawAll(slots: ReadonlySet<number>): void {
    this.end(slots, slots.size);
  }

  /** Takes out everything: the chains that made the answers are about to end. */
  clear(): void {
    this.harvest();
    this.end(this.answers.slots(), this.size);
  }

  /** None of them is given any more. Taking a million of them out at once would hold up whoever waits for the chain. */
  private end(slots: Iterable<number>, count: number): void {
    if (count > MANY) for (const slot of slots) this.table.expire(slot);
    else for (const slot of [...slots]) this.withdraw(slot);
  }

  stop(): void {
    this.timer.cancel();
    this.harvest();
  }

  /** A list of the same counters that came lately, where there is one: most answers have the same as others. */
  private known(hitCounters: readonly HitCounter[]): readonly HitCounter[] {
    const { counters } = this;
    const known = counters.find(
      (list) => list.length === hitCounters.length && list.every((counter, i) => counter === hitCounters[i]),
    );
    if (known !== undefined) return known;
    if (counters.unshift(hitCounters) > KNOWN_LISTS) counters.pop();
    return hitCounters;
  }

  private readonly evicted = (slot: number): void => this.forget(slot);

  private forget(slot: number): void {
    const lease = this.answers.lease(slot);
    if (lease === undefined) return;
    this.handOn(slot, lease);
    this.answers.delete(slot);
    this.noted.leave(slot);
    lease.release(this, slot);
  }

  private handOn(slot: number, lease: Lease): void {
    const { plain, edns } = this.table.takeHits(slot);
    if (plain + edns === 0) return;
    for (const hitCounter of this.answers.counters(slot)) hitCounter(plain, edns, lease);
    if (this.watcher === undefined) return;
    const { bytes } = this.table;
    this.watcher({ bytes, ...this.table.questionOf(slot), rcode: this.table.flags(slot) & RCODE_MASK, plain, edns });
  }

  private entry(reply: Reply, records: EncodedRecords, lease: Lease): OpenEntry {
    const { key } = this;
    const { countdown } = lease;
    const { owners = [] } = records;
    const bytes = withOwners(records.bytes, owners, key.name);
    return {
      key,
      flags: (reply.flags & ~(OPCODE_MASK | Flag.RD | Flag.CD)) | reply.rcode,
      answers: records.answers,
      authorities: records.authorities,
      additionals: records.additionals,
      records: countdown === undefined && reply.ttl !== undefined ? withTtl(bytes, records.ttls, reply.ttl) : bytes,
      ttls: records.ttls,
      owners,
      everySpelling: false,
      noted: false,
      until: lease.until + this.offset,
      ttl: countdown?.ttl,
      stored: countdown === undefined ? 0 : countdown.from + this.offset,
      rotation: reply.rotates ? rotationOf(records) : undefined,
    };
  }
}

/** The question's name as it is spelt. */
const nameOf = (query: Query): Uint8Array => query.bytes.subarray(HEADER_SIZE, query.questionEnd - 4);

function withTtl(records: Uint8Array, places: readonly Octets[], ttl: number): Uint8Array {
  const bytes = Buffer.from(records);
  for (const at of places) bytes.writeUInt32BE(ttl, at);
  return bytes;
}

/**
 * The longest run of answers that are address records of one size, which is where their order does not matter;
 * undefined when there are not two.
 */
export function rotationOf(records: EncodedRecords): SharedEntry['rotation'] {
  const { bytes, ttls } = records;
  let best: { start: Octets; size: Octets; count: number } | undefined;
  let run: { start: Octets; size: Octets; count: number; type: number } | undefined;
  let start = 0;
  for (let i = 0; i < records.answers; i++) {
    const ttl = ttls[i]!;
    const type = (bytes[ttl - 4]! << 8) | bytes[ttl - 3]!;
    const end = ttl + RECORD_FIXED - 4 + ((bytes[ttl + 4]! << 8) | bytes[ttl + 5]!);
    const size = end - start;
    const address = type === Type.A || type === Type.AAAA;
    if (address && run?.type === type && run.size === size) run.count++;
    else run = address ? { start, size, count: 1, type } : undefined;
    if (run && run.count > 1 && run.count >= (best?.count ?? 0))
      best = { start: run.start, size: run.size, count: run.count };
    start = end;
  }
  return best;
}
