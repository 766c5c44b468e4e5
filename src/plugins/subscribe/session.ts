import type { Duplex } from 'node:stream';
import { repeat, type Clock, type Timer } from '../../lib/clock.js';
import { randomBelow, type Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import {
  DsoType,
  FrameReader,
  Rcode,
  WireError,
  decodeDso,
  dsoKeepAlive,
  encodeDso,
  encodeName,
  isDso,
  isSubdomain,
  namesOfPush,
  rcodeName,
  type DsoMessage,
  type Name,
} from '../../wire/index.js';

/** The upstream is asked this often whether it is there, and has to answer anything that soon. */
const KEEP_ALIVE: Milliseconds = 15_000;
const ANSWER_TIME: Milliseconds = 5000;
/** Names a second that are more than a cluster changes. */
const MOST_A_SECOND = 20_000;
/** Names of one message, beyond which the zones count as changed as a whole. */
const MOST_NAMES = 1024;

/** Why a session is over: it could not begin (`refused`), was `lost`, or the upstream does what nobody may (`misused`). */
export interface SessionEnd {
  readonly kind: 'refused' | 'lost' | 'misused' | 'stopped';
  readonly text: string;
  /** When the upstream wants to be asked again, where it says so. */
  readonly retryAfter?: Milliseconds | undefined;
}

/** What a session tells. */
export interface SessionListener {
  /** From now on changes of the zone are told: what is known of it may be old. */
  subscribed(zone: Name): void;
  changed(names: readonly Name[]): void;
}

/** One connection on which an upstream is asked for changes, as long as it lasts. */
export class SubscriberSession {
  readonly ended: Promise<SessionEnd>;
  private end!: (end: SessionEnd) => void;
  private over = false;
  private readonly frames = new FrameReader();
  /** Zones that are asked for, by the id of the request. */
  private readonly asked = new Map<number, Name>();
  private readonly zones: Name[] = [];
  private refusal: SessionEnd | undefined;
  private readonly keepAliveId: number;
  private overdue: Timer | undefined;
  private readonly pulse: Timer;
  private second = 0;
  private inSecond = 0;

  constructor(
    private readonly stream: Duplex,
    zones: readonly Name[],
    private readonly clock: Clock,
    random: Random,
    private readonly listener: SessionListener,
  ) {
    this.ended = new Promise((resolve) => (this.end = resolve));
    stream.on('data', (chunk: Buffer) => this.take(chunk));
    stream.on('error', (error) => this.close({ kind: 'lost', text: error.message }));
    stream.on('end', () => this.close({ kind: 'lost', text: 'the upstream has closed the connection' }));
    stream.on('close', () => this.close({ kind: 'lost', text: 'the connection is closed' }));
    const first = 1 + randomBelow(random, 0x7000);
    zones.forEach((zone, i) => {
      this.asked.set(first + i, zone);
      this.request(first + i, DsoType.SubscribeZone, encodeName(zone));
    });
    this.keepAliveId = first + zones.length;
    this.expect();
    this.pulse = repeat(clock, KEEP_ALIVE, () => {
      this.request(this.keepAliveId, DsoType.KeepAlive, dsoKeepAlive(KEEP_ALIVE));
      this.expect();
    });
  }

  close(end: SessionEnd): void {
    if (this.over) return;
    // One that closes or says nothing to the first message does not know it.
    const unknown = end.kind === 'lost' && this.zones.length === 0;
    this.over = true;
    this.pulse.cancel();
    this.overdue?.cancel();
    this.stream.destroy();
    this.end(this.refusal ?? (unknown ? { ...end, kind: 'refused' } : end));
  }

  private request(id: number, type: number, data: Uint8Array): void {
    const message = encodeDso({ id, response: false, rcode: 0, tlvs: [{ type, data }] }, 2);
    message.writeUInt16BE(message.length - 2, 0);
    this.stream.write(message);
  }

  /** Something has to come soon. */
  private expect(): void {
    this.overdue ??= this.clock.setTimeout(
      () => this.close({ kind: 'lost', text: 'the upstream does not answer' }),
      ANSWER_TIME,
    );
  }

  private take(chunk: Buffer): void {
    this.frames.push(chunk);
    try {
      for (let bytes = this.frames.next(); bytes !== undefined && !this.over; bytes = this.frames.next())
        this.receive(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close({ kind: 'misused', text: error.message });
    }
  }

  private receive(bytes: Buffer): void {
    // A server that knows no stateful operations says so in its own way.
    if (!isDso(bytes)) return this.close({ kind: 'refused', text: 'got an answer to something else' });
    const message = decodeDso(bytes);
    if (message.response) return this.answered(message);
    for (const { type, data } of message.tlvs) {
      if (message.id !== 0) return this.close({ kind: 'misused', text: 'got a request' });
      if (type === DsoType.Push) this.pushed(namesOfPush(data));
      else if (type === DsoType.RetryDelay) this.refusal = { kind: 'lost', text: 'sent away', retryAfter: delay(data) };
    }
  }

  private answered({ id, rcode, tlvs }: DsoMessage): void {
    const zone = this.asked.get(id);
    if (zone === undefined) {
      if (id !== this.keepAliveId) return this.close({ kind: 'misused', text: 'got an answer to no question' });
    } else {
      this.asked.delete(id);
      if (rcode === Rcode.NOERROR) {
        this.zones.push(zone);
        this.listener.subscribed(zone);
      } else {
        const said = tlvs.find(({ type }) => type === DsoType.RetryDelay);
        this.refusal = { kind: 'refused', text: rcodeName(rcode), retryAfter: said && delay(said.data) };
      }
      if (this.asked.size > 0) return;
      if (this.zones.length === 0) return this.close(this.refusal!);
      // Those that it does tell of are worth the connection.
      this.refusal = undefined;
    }
    this.overdue?.cancel();
    this.overdue = undefined;
  }

  private pushed(names: readonly Name[]): void {
    const stranger = names.find((name) => !this.zones.some((zone) => isSubdomain(zone, name)));
    if (stranger !== undefined)
      return this.close({ kind: 'misused', text: `got ${stranger}, which was not asked for` });
    const second = Math.floor(this.clock.monotonic() / 1000);
    this.inSecond = second === this.second ? this.inSecond + names.length : names.length;
    this.second = second;
    if (this.inSecond > MOST_A_SECOND) return this.close({ kind: 'misused', text: 'got too many changes' });
    this.listener.changed(names.length > MOST_NAMES ? this.zones : names);
  }
}

/** Throws a WireError for what is no time. */
function delay(data: Uint8Array): Milliseconds {
  if (data.length !== 4) throw new WireError('a time of other than 4 bytes', 0);
  return new DataView(data.buffer, data.byteOffset).getUint32(0);
}
