import type { DnsSession, SessionHost, SessionLine } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import {
  DsoType,
  Rcode,
  decodeDso,
  dsoKeepAlive,
  dsoTime,
  encodeDso,
  nameIn,
  pushMessages,
  type DsoMessage,
  type DsoTlv,
  type Name,
} from '../../wire/index.js';
import type { PushMetrics } from './metrics.js';
import type { Publisher, Subscriber } from './publisher.js';

/** How often a client has to be heard of (RFC 8490 section 7.1); it is given up after more than twice as long. */
const KEEP_ALIVE: Milliseconds = 15_000;
const SILENCE: Milliseconds = 40_000;
/** Zones of one connection. */
const MOST_ZONES = 16;
/** Changed names that are kept for a client that does not take what is sent; beyond, the zone counts as changed. */
const MOST_BEHIND = 1024;
/** Who is refused for want of room is not to come again before. */
const COME_AGAIN: Milliseconds = 60_000;

/** The connections that subscribe at all addresses of one configuration. */
export class PushSessions implements SessionHost {
  readonly publishers: Publisher[] = [];
  /** Subscriptions that there may be, by the largest that a directive says. */
  most = 0;
  readonly sessions = new Set<PushSession>();
  subscriptions = 0;

  constructor(readonly metrics: PushMetrics) {}

  open(line: SessionLine): DnsSession {
    return new PushSession(line, this);
  }

  /** Closes all: nothing is told any more. */
  stop(): void {
    for (const session of [...this.sessions]) session.close();
  }
}

/** One client's subscriptions. */
class PushSession implements DnsSession, Subscriber {
  private readonly zones = new Map<Name, readonly Publisher[]>();
  /** What is still to be told; the whole zone where the names are not known any more. */
  private readonly behind = new Map<Name, Set<Name> | 'all'>();

  constructor(
    private readonly line: SessionLine,
    private readonly host: PushSessions,
  ) {
    host.sessions.add(this);
  }

  get silence(): Milliseconds | undefined {
    return this.zones.size > 0 ? SILENCE : undefined;
  }

  receive(bytes: Buffer): void {
    let message: DsoMessage;
    try {
      message = decodeDso(bytes);
    } catch {
      return this.close();
    }
    const { id, response, tlvs } = message;
    const [operation] = tlvs;
    // Nothing is asked of clients, and nothing that they tell unasked is known here (RFC 8490 section 5.4).
    if (response || id === 0) return this.close();
    if (operation === undefined) return this.answer(id, Rcode.FORMERR);
    switch (operation.type) {
      case DsoType.KeepAlive:
        if (operation.data.length !== 8) return this.close();
        return this.answer(id, Rcode.NOERROR, {
          type: DsoType.KeepAlive,
          data: dsoKeepAlive(KEEP_ALIVE),
        });
      case DsoType.SubscribeZone:
        return this.subscribe(id, operation.data);
      default:
        return this.answer(id, Rcode.DSOTYPENI);
    }
  }

  tell(zone: Name, names: readonly Name[], messages: readonly Buffer[]): void {
    if (!this.line.full && this.behind.size === 0) return this.send(messages);
    const kept = this.behind.get(zone) ?? new Set<Name>();
    if (kept === 'all') return;
    for (const name of names) kept.add(name);
    if (kept.size > MOST_BEHIND) this.host.metrics.behind.inc();
    this.behind.set(zone, kept.size > MOST_BEHIND ? 'all' : kept);
  }

  drained(): void {
    for (const [zone, names] of this.behind) {
      if (this.line.full) return;
      this.behind.delete(zone);
      this.send(pushMessages(names === 'all' ? [zone] : names, 2));
    }
  }

  ended(): void {
    this.host.sessions.delete(this);
    for (const [zone, publishers] of this.zones) {
      for (const publisher of publishers) publisher.remove(zone, this);
      this.count(-1);
    }
    this.zones.clear();
    this.behind.clear();
  }

  close(): void {
    this.line.close();
  }

  private subscribe(id: number, data: Uint8Array): void {
    let zone: Name;
    try {
      zone = nameIn(data);
    } catch {
      return this.answer(id, Rcode.FORMERR);
    }
    if (this.zones.has(zone)) return this.answer(id, Rcode.NOERROR);
    const knowing = this.host.publishers.filter((publisher) => publisher.knows(zone));
    const admitting = knowing.filter((publisher) => publisher.admits(this.line.client.remote.address));
    if (knowing.length === 0) return this.refuse(id, Rcode.NOTAUTH);
    if (admitting.length === 0) return this.refuse(id, Rcode.REFUSED);
    if (this.zones.size >= MOST_ZONES || this.host.subscriptions >= this.host.most)
      return this.refuse(id, Rcode.SERVFAIL, { type: DsoType.RetryDelay, data: dsoTime(COME_AGAIN) });
    this.zones.set(zone, admitting);
    this.count(1);
    this.answer(id, Rcode.NOERROR);
    for (const publisher of admitting) publisher.add(zone, this);
  }

  private count(by: number): void {
    this.host.subscriptions += by;
    this.host.metrics.subscriptions.set(this.host.subscriptions);
  }

  private refuse(id: number, rcode: number, ...tlvs: DsoTlv[]): void {
    this.host.metrics.refused.inc();
    this.answer(id, rcode, ...tlvs);
  }

  private answer(id: number, rcode: number, ...tlvs: DsoTlv[]): void {
    this.line.send(encodeDso({ id, response: true, rcode, tlvs }, 2));
  }

  private send(messages: readonly Buffer[]): void {
    const { metrics } = this.host;
    for (const message of messages) {
      metrics.messages.inc();
      metrics.bytes.inc(message.length);
      this.line.send(message);
    }
  }
}
