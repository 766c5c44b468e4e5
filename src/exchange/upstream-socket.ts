import { copyOctets } from '../lib/octets.js';
import type { Milliseconds } from '../lib/units.js';
import { HEADER_SIZE } from '../wire/index.js';
import type { ConnectedUdpSocket } from '../net/network.js';
import type { Attempt } from './attempt.js';
import { ForgerySuspected, readTimeout, transferError } from './errors.js';
import { UpstreamConnection } from './upstream-connection.js';
import { NO_MATCH, RESPELT } from './match.js';
import { turnCase } from './mixed-case.js';
import type { UpstreamState } from './upstream-state.js';

/** Replies that nobody asked for which a socket puts up with: networks repeat a datagram now and then. */
const WRONG_REPLIES = 8;
/** Ids of the last answered queries: a reply that comes twice is nobody's guess. */
const REMEMBERED = 64;
/** Errors of sending that say something about the one datagram only. */
const OF_ONE_DATAGRAM: ReadonlySet<string | undefined> = new Set(['EMSGSIZE', 'EINVAL', 'ENOBUFS', 'EAGAIN']);

/** What a socket tells its pool. */
export interface UdpOwner {
  /** The operating system reported an error: no more queries for it. */
  doubted(socket: UpstreamSocket): void;
  /** Too many replies came that nobody asked for. */
  attacked(socket: UpstreamSocket): void;
}

/** One connected socket, with a source port of its own, and the queries in flight on it. */
export class UpstreamSocket extends UpstreamConnection {
  private socket!: ConnectedUdpSocket;
  private closed = false;
  private wrong = 0;
  private readonly answered = new Uint16Array(REMEMBERED);
  private answers = 0;

  private constructor(
    peer: UpstreamState,
    private readonly owner: UdpOwner,
    /** Messages after which it makes way for another port. */ readonly maxUses: number,
    /** Monotonic time after which it does. */ readonly until: Milliseconds,
  ) {
    super(peer, peer.clock.monotonic());
  }

  static async open(
    peer: UpstreamState,
    owner: UdpOwner,
    maxUses: number,
    until: Milliseconds,
  ): Promise<UpstreamSocket> {
    const made = new UpstreamSocket(peer, owner, maxUses, until);
    made.socket = await peer.network.connectUdp(
      peer.to,
      (bytes) => made.receive(bytes),
      (error) => made.doubt(error),
    );
    return made;
  }

  send(attempt: Attempt): void {
    this.take(attempt, attempt.sentAt);
    const { socket } = this;
    const { message, questionEnd, id } = attempt;
    const [first, second] = [message[0]!, message[1]!];
    const sent = socket.copies === true ? message : copyOctets(message, 0, message.length);
    sent[0] = id >> 8;
    sent[1] = id;
    const bits = this.peer.mixedCase?.draw(attempt.sentAt) ?? 0;
    attempt.caseBits = bits !== 0 && turnCase(sent, questionEnd, bits) ? bits : 0;
    socket.send(sent);
    if (sent !== message) return;
    // The message is others' too.
    message[0] = first;
    message[1] = second;
    if (attempt.caseBits !== 0) turnCase(message, questionEnd, bits);
  }

  timeout(): Error {
    return readTimeout('udp', this.socket.local, this.peer.to);
  }

  forget(attempt: Attempt): void {
    this.remove(attempt);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
  }

  private receive(bytes: Buffer): void {
    if (bytes.length < HEADER_SIZE) {
      this.peer.stats.malformed++;
      return;
    }
    const id = (bytes[0]! << 8) | bytes[1]!;
    const attempt = this.inFlight.get(id);
    const records = this.peer.match(attempt, bytes);
    if (records === NO_MATCH) return this.countWrong(id, attempt);
    if (records === RESPELT) return this.distrust(attempt!);
    if (!this.peer.tell(attempt!, bytes, records)) return;
    this.answered[this.answers++ % REMEMBERED] = id;
    this.remove(attempt!);
  }

  /** Either the upstream spells names its own way, or somebody has guessed the rest. */
  private distrust(attempt: Attempt): void {
    this.remove(attempt);
    attempt.receiver?.failed(attempt, new ForgerySuspected(this.socket.local, this.peer.to));
  }

  private countWrong(id: number, attempt: Attempt | undefined): void {
    if (attempt === undefined && this.answers > 0 && this.answered.subarray(0, this.answers).includes(id)) return;
    if (++this.wrong < WRONG_REPLIES || this.closed) return;
    this.owner.attacked(this);
    const error = new ForgerySuspected(this.socket.local, this.peer.to);
    // What comes here from now on counts for nothing.
    this.close();
    for (const each of this.inFlight.clear()) {
      each.transport = undefined;
      each.receiver?.failed(each, error);
    }
  }

  /** Anybody who knows the port can make the operating system say so: the queries in flight go on waiting. */
  private doubt(cause: Error): void {
    const { code, syscall = '' } = cause as NodeJS.ErrnoException;
    // Before the first query there is nobody to tell, and it may not be open yet.
    if (this.closed || this.uses === 0 || (syscall.startsWith('send') && OF_ONE_DATAGRAM.has(code))) return;
    this.owner.doubted(this);
    const error = transferError('udp', this.socket.local, this.peer.to, cause);
    for (const attempt of this.inFlight.all()) attempt.receiver?.doubted(attempt, error);
  }
}
