import { CONTROL, IOVEC, MMSGHDR, SOCKADDR, type Libc } from '../../src/fastpath/libc.js';

export interface FakeDatagram {
  readonly bytes: Uint8Array;
  /** A `struct sockaddr`. */
  readonly address: Uint8Array;
  /** Ancillary data. */
  readonly control?: Uint8Array;
}

/** Batched calls over buffers: what was queued is received, what is sent is kept. Addresses are made up. */
export class FakeLibc implements Libc {
  readonly incoming: FakeDatagram[] = [];
  readonly sent: (FakeDatagram & { fd: number })[] = [];
  /**
   * What the next calls of sendmmsg return, or an errno as a negative number; all that is asked for once there are
   * none.
   */
  sends: number[] = [];
  /** Flags of each call of sendmmsg. */
  readonly sendFlags: number[] = [];
  private regions: { at: number; bytes: Buffer }[] = [];
  private next = 0x1000;
  private error = 0;

  memory(size: number): ReturnType<Libc['memory']> {
    const bytes = Buffer.alloc(size);
    const at = this.next;
    this.next += size + 0x1000;
    this.regions.push({ at, bytes });
    return { bytes, at: BigInt(at), pointer: at };
  }

  release(): void {
    // There is no system to give it to.
  }

  useLargePages(): void {
    // Nor one that has pages.
  }

  listen(): number {
    return 0;
  }

  recvmmsg(_fd: number, messages: unknown, count: number): number {
    const taken = this.incoming.splice(0, count);
    taken.forEach(({ bytes, address, control = new Uint8Array(0) }, i) => {
      const { header, name, vector, data, ancillary } = this.message(messages as number, i);
      const length = Math.min(bytes.length, Number(vector.readBigUInt64LE(8)));
      data.set(bytes.subarray(0, length));
      name.set(address.subarray(0, header.readUInt32LE(8)));
      ancillary.set(control.subarray(0, header.readUInt32LE(40)));
      header.writeUInt32LE(address.length, 8);
      header.writeUInt32LE(control.length, 40);
      header.writeUInt32LE(length, 56);
    });
    return taken.length === 0 ? this.fail(11) : taken.length;
  }

  sendmmsg(fd: number, messages: unknown, count: number, flags: number): number {
    this.sendFlags.push(flags);
    const limit = this.sends.shift() ?? count;
    if (limit < 0) return this.fail(-limit);
    for (let i = 0; i < Math.min(limit, count); i++) {
      const { header, name, vector, data, ancillary } = this.message(messages as number, i);
      this.sent.push({
        fd,
        bytes: Buffer.from(data.subarray(0, Number(vector.readBigUInt64LE(8)))),
        address: Buffer.from(name.subarray(0, header.readUInt32LE(8))),
        control: Buffer.from(ancillary.subarray(0, header.readUInt32LE(40))),
      });
    }
    return Math.min(limit, count);
  }

  errno(): number {
    return this.error;
  }

  socket: Libc['socket'] = () => this.fail(1);
  bind: Libc['bind'] = () => this.fail(1);
  connect: Libc['connect'] = () => this.fail(1);
  setsockopt: Libc['setsockopt'] = () => this.fail(1);
  getsockname: Libc['getsockname'] = () => this.fail(1);
  close = (): number => 0;
  poll = (): number => 0;

  private fail(error: number): number {
    this.error = error;
    return -1;
  }

  private message(
    messages: number,
    i: number,
  ): { header: Buffer; name: Buffer; vector: Buffer; data: Buffer; ancillary: Buffer } {
    const header = this.at(messages + i * MMSGHDR, MMSGHDR);
    const vector = this.at(Number(header.readBigUInt64LE(16)), IOVEC);
    return {
      header,
      vector,
      name: this.at(Number(header.readBigUInt64LE(0)), SOCKADDR),
      ancillary: this.at(Number(header.readBigUInt64LE(32)), CONTROL),
      data: this.at(Number(vector.readBigUInt64LE(0)), Number(vector.readBigUInt64LE(8))),
    };
  }

  private at(address: number, size: number): Buffer {
    const region = this.regions.find(({ at, bytes }) => address >= at && address + size <= at + bytes.length);
    if (!region) throw new RangeError(`no memory of ${size} octets at ${address}`);
    return region.bytes.subarray(address - region.at, address - region.at + size);
  }
}
