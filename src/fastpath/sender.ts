import type { Octets } from '../lib/units.js';
import { Batch } from './batch.js';
import type { Libc } from './libc.js';
import type { ClientAddress } from './sockaddr.js';

const BATCH = 64;
/** Longest answer over UDP that any client may ask for, in octets. */
const SIZE: Octets = 65_535;
/** Longest that waits for company; a longer one is sent by itself, so that the batch stays small. */
const SHORT: Octets = 1536;

/** Sends the chain's datagrams: those of one turn of the event loop to the same socket in one call. */
export class Sender {
  private readonly short: Batch;
  private readonly long: Batch;
  private fd = -1;
  private waiting = 0;
  private scheduled = false;

  /** @param failed told the number of each error that a socket met, and how many datagrams were lost with it */
  constructor(
    libc: Libc,
    private readonly failed: (fd: number, errno: number, lost: number) => void,
  ) {
    this.short = new Batch(libc, BATCH, SHORT);
    this.long = new Batch(libc, 1, SIZE);
  }

  /** @param to the client whose query it answers; undefined at a socket that is connected */
  send(fd: number, bytes: Uint8Array, length: Octets, to: ClientAddress | undefined): void {
    if (length > SHORT) {
      this.flush();
      fill(this.long, 0, bytes, length, to);
      this.pass(this.long, fd, 1);
      return;
    }
    if (this.waiting === BATCH || this.fd !== fd) this.flush();
    this.fd = fd;
    fill(this.short, this.waiting++, bytes, length, to);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Sends what waits. */
  flush(): void {
    const count = this.waiting;
    this.waiting = 0;
    this.pass(this.short, this.fd, count);
  }

  private pass(batch: Batch, fd: number, count: number): void {
    const { failed } = this;
    batch.send(fd, count, (errno, lost) => failed(fd, errno, lost));
  }
}

function fill(batch: Batch, i: number, bytes: Uint8Array, length: Octets, to: ClientAddress | undefined): void {
  const { bytes: target, size } = batch;
  const start = i * size;
  for (let k = 0; k < length; k++) target[start + k] = bytes[k]!;
  batch.setLength(i, length);
  batch.setAddress(i, to?.sockaddr, to?.control);
}
