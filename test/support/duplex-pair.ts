import { Duplex } from 'node:stream';

/** One end of a connection in memory. What is written comes out at the other, as far as that reads. */
class End extends Duplex {
  other!: End;
  private taken: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    const { taken } = this.other;
    this.other.taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.other.destroyed) return done();
    if (this.other.push(Buffer.from(chunk))) done();
    else this.taken = done;
  }

  override _final(done: () => void): void {
    if (!this.other.destroyed) this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.other.destroyed) setImmediate(() => this.other.destroy());
    done(error);
  }
}

/** Both ends of a connection in memory. */
export function duplexPair(): [Duplex, Duplex] {
  const [a, b] = [new End(), new End()];
  a.other = b;
  b.other = a;
  return [a, b];
}
