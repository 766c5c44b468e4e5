import { copyOctets } from '../lib/octets.js';
import { HEADER_SIZE } from '../wire/index.js';
import type { Milliseconds } from '../lib/units.js';
import type { ConnectedUdpSocket } from '../net/network.js';
import type { Attempt, Carrier } from './attempt.js';
import { readTimeout, transferError } from './errors.js';
import { InFlight } from './in-flight.js';
import type { Peer } from './peer.js';

/** One connected socket, with a source port of its own, and the queries in flight on it. */
export class UdpSocket implements Carrier {
  readonly inFlight = new InFlight();
  /** Messages sent. */
  uses = 0;
  lastUsed: Milliseconds;
  private socket!: ConnectedUdpSocket;
  private retired = false;
  private closed = false;

  private constructor(private readonly peer: Peer, /** Messages after which it makes way for another port. */ readonly maxUses: number, private readonly onBroken: (socket: UdpSocket) => void) {
    this.lastUsed = peer.clock.monotonic();
  }

  /** @param onBroken called when the operating system reported an error, which all its queries were told */
  static async open(peer: Peer, maxUses: number, onBroken: (socket: UdpSocket) => void): Promise<UdpSocket> {
    const made = new UdpSocket(peer, maxUses, onBroken);
    made.socket = await peer.network.connectUdp(peer.to, (bytes) => made.receive(bytes), (error) => made.fail(error));
    return made;
  }

  send(attempt: Attempt): void {
    this.inFlight.add(attempt, this.peer.random);
    attempt.carrier = this;
    this.uses++;
    this.lastUsed = attempt.sentAt;
    const { message, id } = attempt;
    // The socket may hold on to the octets for a while, so each message has its own.
    const copy = copyOctets(message, 0, message.length);
    copy[0] = id >> 8;
    copy[1] = id;
    this.socket.send(copy);
  }

  /** Takes no more queries, and closes when the last one has ended. */
  retire(): void {
    this.retired = true;
    this.closeIfDone();
  }

  forget(attempt: Attempt): void {
    this.inFlight.remove(attempt);
    this.closeIfDone();
  }

  /** Forgets late ones, which may be the last that keep a retired socket open. */
  dropAbandoned(time: Milliseconds): void {
    this.inFlight.dropAbandoned(time);
    this.closeIfDone();
  }

  timeout(): Error {
    return readTimeout('udp', this.socket.local, this.peer.to);
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
    const attempt = this.inFlight.get((bytes[0]! << 8) | bytes[1]!);
    if (!this.peer.deliver(attempt, bytes)) return;
    this.forget(attempt!);
    attempt!.carrier = undefined;
  }

  private fail(cause: Error): void {
    this.retired = true;
    this.onBroken(this);
    const error = transferError('udp', this.socket.local, this.peer.to, cause);
    for (const attempt of this.inFlight.clear()) {
      attempt.carrier = undefined;
      attempt.receiver?.failed(attempt, error);
    }
    this.close();
  }

  private closeIfDone(): void {
    if (this.retired && this.inFlight.size === 0) this.close();
  }
}
