import { copyOctets } from '../lib/octets.js';
import { HEADER_SIZE } from '../wire/index.js';
import type { ConnectedUdpSocket } from '../net/network.js';
import type { Attempt } from './attempt.js';
import { readTimeout, transferError } from './errors.js';
import { Line } from './line.js';
import { NO_MATCH } from './match.js';
import type { Peer } from './peer.js';

/** One connected socket, with a source port of its own, and the queries in flight on it. */
export class UdpSocket extends Line {
  private socket!: ConnectedUdpSocket;
  private closed = false;

  private constructor(
    peer: Peer,
    /** Messages after which it makes way for another port. */ readonly maxUses: number,
    private readonly onBroken: (socket: UdpSocket) => void,
  ) {
    super(peer, peer.clock.monotonic());
  }

  /** @param onBroken called when the operating system reported an error, which all its queries were told */
  static async open(peer: Peer, maxUses: number, onBroken: (socket: UdpSocket) => void): Promise<UdpSocket> {
    const made = new UdpSocket(peer, maxUses, onBroken);
    made.socket = await peer.network.connectUdp(
      peer.to,
      (bytes) => made.receive(bytes),
      (error) => made.fail(error),
    );
    return made;
  }

  send(attempt: Attempt): void {
    this.take(attempt, attempt.sentAt);
    const { message, id } = attempt;
    // The socket may hold on to the octets for a while, so each message has its own.
    const copy = copyOctets(message, 0, message.length);
    copy[0] = id >> 8;
    copy[1] = id;
    this.socket.send(copy);
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
    const attempt = this.inFlight.get((bytes[0]! << 8) | bytes[1]!);
    const records = this.peer.match(attempt, bytes);
    if (records !== NO_MATCH && this.peer.tell(attempt!, bytes, records)) this.remove(attempt!);
  }

  private fail(cause: Error): void {
    this.onBroken(this);
    const error = transferError('udp', this.socket.local, this.peer.to, cause);
    for (const attempt of this.inFlight.clear()) {
      attempt.carrier = undefined;
      attempt.receiver?.failed(attempt, error);
    }
    this.close();
  }
}
