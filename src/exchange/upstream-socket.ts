import { copyOctets } from '../lib/octets.js';
import type { Milliseconds } from '../lib/units.js';
import { HEADER_SIZE } from '../wire/index.js';
import type { ConnectedUdpSocket } from '../net/network.js';
import type { Attempt } from './attempt.js';
import { ForgerySuspected, readTimeout, transferError } from './errors.js';
import { UpstreamConnection } from './upstream-connection.js';
import { SentQueries } from './sent-queries.js';
import { NO_MATCH, RESPELT, matchQuestion } from './match.js';
import { turnCase } from './mixed-case.js';
import type { UpstreamState } from './upstream-state.js';

/** Replies to questions that are not in flight which a socket puts up with: none of them could have been taken. */
const WRONG_REPLIES = 8;
/** Errors of sending that say something about the one datagram only. */
const OF_ONE_DATAGRAM: ReadonlySet<string | undefined> = new Set(['EMSGSIZE', 'EINVAL', 'ENOBUFS', 'EAGAIN']);

/** What a socket tells its pool. */
export interface UdpOwner {
  /** The operating system reported an error: no more queries for it. */
  doubted(socket: UpstreamSocket): void;
  /**
   * Somebody guesses ids: a reply came to a question that is in flight, under another id than that one's, or too many
   * came to what is not in flight.
   *
   * @param meant those whose question it has
   */
  attacked(socket: UpstreamSocket, meant: readonly Attempt[]): void;
  /** It is better asked once more, from a port of its own; it is in flight nowhere. */
  move(attempt: Attempt): void;
  /** It was closed. */
  closed(socket: UpstreamSocket): void;
}

/** One connected socket, with a source port of its own, and the queries in flight on it. */
export class UpstreamSocket extends UpstreamConnection {
  private socket!: ConnectedUdpSocket;
  private closed = false;
  private wrong = 0;
  private readonly sent: SentQueries;

  private constructor(
    peer: UpstreamState,
    private readonly owner: UdpOwner,
    /** Messages after which it makes way for another port. */ readonly maxUses: number,
    /** Monotonic time after which it does. */ readonly until: Milliseconds,
  ) {
    super(peer, peer.clock.monotonic());
    this.sent = new SentQueries(maxUses);
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
    this.sent.add(id, message, questionEnd);
    const [first, second] = [message[0]!, message[1]!];
    const sent =
      this.withCookie(attempt) ?? (socket.copies === true ? message : copyOctets(message, 0, message.length));
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

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
    this.owner.closed(this);
  }

  /** Closes it: what comes from now on counts for nothing. Returns the queries that somebody waits for. */
  end(): Attempt[] {
    this.close();
    const all = this.inFlight.clear();
    for (const attempt of all) attempt.transport = undefined;
    return all.filter(({ awaited }) => awaited);
  }

  /** Why its queries are not left to it. */
  forged(): Error {
    return new ForgerySuspected(this.socket.local, this.peer.to);
  }

  private receive(bytes: Buffer): void {
    if (this.closed) return;
    if (bytes.length < HEADER_SIZE) {
      this.peer.stats.malformed++;
      return;
    }
    const id = (bytes[0]! << 8) | bytes[1]!;
    const attempt = this.inFlight.get(id);
    const records = this.peer.match(attempt, bytes);
    if (records === NO_MATCH) return this.countWrong(id, bytes);
    if (records === RESPELT) return this.distrust(attempt!);
    // A refusal without a question fits whatever has its id: one guess would do for all that is in flight.
    if (records === HEADER_SIZE && this.inFlight.size > 1 && !attempt!.moved) return this.askAgain(attempt!);
    const taken = attempt!.cookie === undefined ? bytes : this.judgeCookie(attempt!, bytes, records);
    if (taken !== undefined && this.peer.tell(attempt!, taken, records)) this.remove(attempt!);
  }

  private withCookie(attempt: Attempt): Buffer | undefined {
    return this.peer.cookies?.add(attempt, this.socket.local.address, attempt.sentAt);
  }

  /** The reply as it is without its cookie; undefined where it does not count. */
  private judgeCookie(attempt: Attempt, bytes: Buffer, records: number): Buffer | undefined {
    const verdict = this.peer.cookies!.judge(attempt, bytes, records, this.peer.lastHeard);
    if (verdict === 'wrong') {
      this.peer.stats.cookieless++;
      this.distrust(attempt);
    } else if (verdict === 'again') {
      // Once: the next time it had better not depend on cookies.
      if (attempt.moved) this.distrust(attempt);
      else this.askAgain(attempt);
    } else return verdict;
    return undefined;
  }

  private askAgain(attempt: Attempt): void {
    this.remove(attempt);
    if (attempt.awaited) this.owner.move(attempt);
  }

  /** Either the upstream spells names its own way, or has lost its cookies, or somebody has guessed the rest. */
  private distrust(attempt: Attempt): void {
    this.remove(attempt);
    attempt.receiver?.failed(attempt, this.forged());
  }

  private countWrong(id: number, bytes: Buffer): void {
    if (this.sent.has(id, bytes)) return;
    const meant = this.inFlight
      .all()
      .filter((other) => other.awaited && matchQuestion(other.message, other.questionEnd, bytes) !== NO_MATCH);
    if (meant.length === 0 && ++this.wrong < WRONG_REPLIES) return;
    // What has no question means nobody in particular.
    this.owner.attacked(this, bytes[5] === 0 ? [] : meant);
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
