import { Duplex } from 'node:stream';
import type { ModelTcpSocket } from '../../datapath/sockets/tcp-socket.js';

/**
 * A modelled TCP connection as a stream: what Node's HTTP server and the DNS listeners read and write. Half-open ends
 * are kept open.
 */
export class LabStream extends Duplex {
  private over = false;

  constructor(private readonly socket: ModelTcpSocket) {
    super({ allowHalfOpen: true });
  }

  /** As Node's sockets tell of the other side. */
  get remoteAddress(): string {
    return this.socket.peer.ip;
  }

  get remotePort(): number {
    return this.socket.peer.port;
  }

  /** Bytes that the peer sent. */
  received(data: Uint8Array): void {
    if (!this.destroyed) this.push(Buffer.from(data));
  }

  /** The peer has sent its FIN. */
  peerEnded(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The connection is over. */
  finished(error?: Error): void {
    this.over = true;
    if (error) this.destroy(error);
    else if (!this.destroyed) {
      // What was pushed before is still to be read; the stream closes by itself once both directions have ended.
      this.push(null);
      if (this.writableFinished) return;
      this.destroy();
    }
  }

  /** Node's HTTP code sets these on its sockets; a modelled connection has neither delays nor timers of its own. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // The model has no receive window: what arrives is pushed at once.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      this.socket.write(Uint8Array.from(chunk));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      this.socket.end();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // After an orderly end the closing handshake runs on by itself; anything else is signalled to the peer by a RST.
    const orderly = !error && (this.writableEnded || this.over);
    try {
      if (!orderly) this.socket.destroy();
      else this.socket.end();
    } catch (failure) {
      return done(error ?? (failure as Error));
    }
    done(error);
  }
}
